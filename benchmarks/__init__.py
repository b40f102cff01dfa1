"""Programs that measure; never part of the tests. README.md says how to run them and what they do."""
