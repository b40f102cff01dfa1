"""For load balancers and supervisors: no login."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

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
    wanted = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    present = MigrationContext.configure(db.session.connection()).get_current_revision()
    if present != wanted:
        return {"status": "migrations missing", "present": present, "wanted": wanted}, 503
    return {"status": "ok"}
