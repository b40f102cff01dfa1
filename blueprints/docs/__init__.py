"""docs."""

from blueprints.docs import markdown, reference
from blueprints.docs.views import blueprint

__all__ = ["blueprint", "markdown", "reference"]
