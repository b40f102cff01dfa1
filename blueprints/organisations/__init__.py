"""Organisations and their plans, and the set-up of a new installation."""

from blueprints.organisations.cli import bootstrap, organisations
from blueprints.organisations.views import blueprint

__all__ = ["blueprint", "commands"]

commands = (bootstrap, organisations)
