"""docs."""

from blueprints.docs.views import blueprint

__all__ = ["blueprint"]
