"""waitlists."""

from blueprints.waitlists.views import blueprint

__all__ = ["blueprint"]
