"""Signing in and out, and one's own account."""

from blueprints.auth.cli import users
from blueprints.auth.sessions import init_app
from blueprints.auth.views import blueprint

__all__ = ["blueprint", "commands", "init_app"]

commands = (users,)
