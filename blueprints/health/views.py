"""For load balancers and supervisors: no login."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from blueprints import web
from blueprints.auth.decorators import anyone
from models import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@anyone
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@anyone
def readyz() -> ResponseReturnValue:
    """The database answers and has all migrations; 503 otherwise."""
    wanted = _newest_migration(current_app.extensions["migrate"].directory)
    try:
        present = MigrationContext.configure(db.session.connection()).get_current_revision()
    except web.DATABASE_AWAY:
        db.session.rollback()
        return {"status": "database away"}, 503
    if present != wanted:
        return {"status": "migrations missing", "present": present, "wanted": wanted}, 503
    return {"status": "ok"}


@cache
def _newest_migration(directory: str) -> str | None:
    return ScriptDirectory(directory).get_current_head()
