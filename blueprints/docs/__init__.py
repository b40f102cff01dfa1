"""docs."""

from blueprints.docs import reference
from blueprints.docs.views import blueprint

__all__ = ["blueprint", "reference"]
