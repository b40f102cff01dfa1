"""Doors: HTTP and command line, one folder per domain."""
