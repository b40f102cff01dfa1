"""A copy of the database, and what a restored one must catch up with."""

from blueprints.backup.cli import after_restore, backup

__all__ = ["commands"]

commands = (backup, after_restore)
