"""Sentences about what Queuekey does and what must never happen; the folders mirror the code."""
