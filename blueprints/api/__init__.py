"""The customer API: what backends call with a token."""

from flask import Flask

from blueprints.api import problems
from blueprints.api.authentication import authenticate, tell_limits
from blueprints.api.decorators import require_declared_access
from blueprints.api.views import blueprint

__all__ = ["blueprint", "init_app", "require_declared_access"]

blueprint.before_request(authenticate)
blueprint.after_request(tell_limits)


def init_app(app: Flask) -> None:
    """Attach the error handlers, which are app-wide: unknown paths belong to no blueprint."""
    problems.init_app(app)
