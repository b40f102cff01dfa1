"""api_keys."""

from blueprints.api_keys.views import blueprint

__all__ = ["blueprint"]
