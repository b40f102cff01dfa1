"""The docs of the customer API, written from the definitions that the API enforces."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from blueprints import limits, web
from blueprints.auth.decorators import anyone
from blueprints.docs import changelog
from models import Scope, Waitlist
from models.waitlist import REFERRAL_SKIP_DEFAULT

blueprint = Blueprint("docs", __name__)


class Page(NamedTuple):
    """A page as the navigation and `/llms.txt` name it."""

    title: str
    summary: str
    template: str


# In the order in which they are read; the reference has a view of its own.
PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "quick-start": Page(
            "Quick start",
            "from a new key to its first answer, with curl, Python and JavaScript",
            "docs/quick_start.html",
        ),
        "authentication": Page(
            "Authentication", "tokens, scopes, and what revoked and paused keys answer", "docs/authentication.html"
        ),
        "subscribers": Page(
            "Subscribers", "list a waitlist in line order, create subscribers, referrals", "docs/subscribers.html"
        ),
        "export-and-batch": Page(
            "Export and batch", "everybody in one call, and up to 1,000 new people in one", "docs/export_and_batch.html"
        ),
        "errors": Page("Errors", "every code, when it comes and what to do", "docs/errors.html"),
        "rate-limits": Page(
            "Rate limits", "how many requests a key has, and where it says so", "docs/rate_limits.html"
        ),
        "keeping-keys-safe": Page(
            "Keeping keys safe",
            "storing and replacing keys, secret scanners, what to do on a leak",
            "docs/keeping_keys_safe.html",
        ),
        "api": Page("API reference", "every call, from the API’s own description", "docs/api.html"),
        "changelog": Page("Changelog", "what changed", "docs/changelog.html"),
    }
)
REFERENCE = "api"
SAMPLE_WAITLIST_ID = "wl_YOUR_WAITLIST"


@blueprint.context_processor
def navigation() -> dict[str, object]:
    """What the frame of every page of the docs is made from."""
    return {"pages": PAGES}


@blueprint.get("/docs")
@anyone
def index() -> ResponseReturnValue:
    """The docs begin with the shortest way to an answer."""
    return redirect(url_for("docs.page", page=next(iter(PAGES))))


@blueprint.get("/docs/<page>")
@anyone
def page(page: str) -> str:
    """One page of the docs, with samples that work where it is read."""
    if page not in PAGES:
        abort(404)
    return render_template(PAGES[page].template, changelog=changelog.as_html, **_facts())


def _facts() -> dict[str, object]:
    """What the pages say, from what the API enforces."""
    waitlist_id = _own_waitlist_id()
    return {
        "base_url": web.public_url(),
        "waitlist_id": waitlist_id or SAMPLE_WAITLIST_ID,
        "is_own_waitlist": waitlist_id is not None,
        "scopes": list(Scope),
        "errors": current_app.extensions["queuekey.problems"],
        "rate_limits": limits.key_limits(),
        "failed_auth_limit": current_app.config["RATELIMIT_FAILED_AUTH"],
        "key_limit": current_app.config["API_KEY_LIMIT"],
        "are_limits_on": current_app.config["RATELIMIT_ENABLED"],
        "bounds": current_app.extensions["queuekey.bounds"],
        "body_limit_kib": current_app.config["MAX_CONTENT_LENGTH"] // 1024,
        "referral_skip": REFERRAL_SKIP_DEFAULT,
    }


def _own_waitlist_id() -> str | None:
    """A waitlist of the reader's organisation, if they are signed in and have one."""
    if not current_user.is_authenticated:
        return None
    return Waitlist.newest_id(current_user.organisation_id)
