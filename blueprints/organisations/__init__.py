"""organisations."""

from blueprints.organisations.views import blueprint

__all__ = ["blueprint"]
