"""The docs of the customer API, written from the definitions that the API enforces."""

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from blueprints import limits, web
from blueprints.auth.decorators import anyone
from models import Scope, Waitlist
from models.waitlist import REFERRAL_SKIP_DEFAULT

blueprint = Blueprint("docs", __name__, url_prefix="/docs")

TEMPLATES = {
    "authentication": "docs/authentication.html",
    "subscribers": "docs/subscribers.html",
    "export-and-batch": "docs/export_and_batch.html",
    "errors": "docs/errors.html",
    "rate-limits": "docs/rate_limits.html",
}
SAMPLE_WAITLIST_ID = "wl_YOUR_WAITLIST"


@blueprint.get("")
@anyone
def index() -> ResponseReturnValue:
    """The docs begin with the token."""
    return redirect(url_for("docs.page", page="authentication"))


@blueprint.get("/<page>")
@anyone
def page(page: str) -> ResponseReturnValue:
    """One page of the docs, with samples that work where it is read."""
    if page not in TEMPLATES:
        abort(404)
    return render_template(
        TEMPLATES[page],
        base_url=web.public_url(),
        waitlist_id=_own_waitlist_id() or SAMPLE_WAITLIST_ID,
        scopes=list(Scope),
        errors=current_app.extensions["queuekey.problems"],
        rate_limits=limits.key_limits(),
        failed_auth_limit=current_app.config["RATELIMIT_FAILED_AUTH"],
        key_limit=current_app.config["API_KEY_LIMIT"],
        are_limits_on=current_app.config["RATELIMIT_ENABLED"],
        bounds=current_app.extensions["queuekey.bounds"],
        body_limit_kib=current_app.config["MAX_CONTENT_LENGTH"] // 1024,
        referral_skip=REFERRAL_SKIP_DEFAULT,
    )


def _own_waitlist_id() -> str | None:
    """A waitlist of the reader's organisation, if they are signed in and have one."""
    if not current_user.is_authenticated:
        return None
    return Waitlist.newest_id(current_user.organisation_id)
