"""Waitlists: their pages, the import of subscribers, and the check of the line."""

from blueprints.waitlists.cli import subscribers, waitlists
from blueprints.waitlists.line_cli import line
from blueprints.waitlists.views import blueprint

__all__ = ["blueprint", "commands"]

commands = (line, subscribers, waitlists)
