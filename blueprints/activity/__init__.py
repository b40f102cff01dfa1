"""The activity log: its page and its export."""

from blueprints.activity.cli import activity
from blueprints.activity.views import blueprint

__all__ = ["blueprint", "commands"]

commands = (activity,)
