"""The customer API: what backends call with a token."""

from flask import Flask

from blueprints.api import batch, body, export, key, openapi, problems, schemas
from blueprints.api.authentication import authenticate, tell_limits
from blueprints.api.cookies import ConsoleSessions
from blueprints.api.decorators import require_declared_access
from blueprints.api.views import blueprint

__all__ = ["batch", "blueprint", "export", "init_app", "key", "openapi", "require_declared_access"]

blueprint.before_request(authenticate)
blueprint.after_request(tell_limits)


def init_app(app: Flask) -> None:
    """Attach what has to be app-wide: unknown paths and sessions belong to no blueprint."""
    problems.init_app(app)
    app.extensions["queuekey.bounds"] = schemas.BOUNDS | {"batch KiB": body.BATCH_LIMIT_BYTES // 1024}
    app.extensions["queuekey.openapi"] = openapi.describe
    app.session_interface = ConsoleSessions()
