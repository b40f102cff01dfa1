"""waitlists."""

from flask import Blueprint

blueprint = Blueprint("waitlists", __name__)
