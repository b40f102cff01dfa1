"""Whether the process lives, and whether it is ready to work."""

from blueprints.health.views import blueprint

__all__ = ["blueprint"]
