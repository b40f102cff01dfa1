"""Waitlists: their pages, and the import of subscribers."""

from blueprints.waitlists.cli import subscribers, waitlists
from blueprints.waitlists.views import blueprint

__all__ = ["blueprint", "commands"]

commands = (subscribers, waitlists)
