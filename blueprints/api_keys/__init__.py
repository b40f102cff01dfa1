"""API keys: their page and their commands."""

from blueprints.api_keys.cli import api_keys
from blueprints.api_keys.views import blueprint

__all__ = ["blueprint", "commands"]

commands = (api_keys,)
