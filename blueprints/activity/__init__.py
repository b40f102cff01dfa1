"""activity."""

from blueprints.activity.views import blueprint

__all__ = ["blueprint"]
