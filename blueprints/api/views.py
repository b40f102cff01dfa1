"""The calls of the customer API."""

from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from blueprints import web
from blueprints.api.authentication import current_actor, hold_caller
from blueprints.api.body import read_json
from blueprints.api.decorators import feature_required, scope_required
from blueprints.api.pages import link_header
from blueprints.api.problems import NOT_FOUND, Problem
from blueprints.api.schemas import ListQuery, Signup
from models import EmailAddress, Feature, Scope, Subscriber, Waitlist, db, line, writing

blueprint = Blueprint("api", __name__, url_prefix=web.API_ROOT)


@blueprint.get("/waitlists/<waitlist_id>/subscribers")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_READ)
def list_subscribers(waitlist_id: str) -> ResponseReturnValue:
    """One page of a waitlist's line."""
    waitlist = _waitlist(waitlist_id)
    query = ListQuery.from_args(request.args)
    page = line.page(waitlist, offset=query.offset, limit=query.limit, q=query.q)
    items = [_item(entry) for entry in page.entries]
    body = {"items": items, "total": page.total, "page": query.page, "limit": query.limit}
    return body, {"Link": link_header(query, page.total)}


@blueprint.post("/waitlists/<waitlist_id>/subscribers")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_WRITE)
def create_subscriber(waitlist_id: str) -> ResponseReturnValue:
    """Put somebody in line: 201, or 200 with the subscriber as it stands for a known address."""
    _waitlist(waitlist_id)
    db.session.rollback()  # a slow body must not keep a connection busy
    signup = Signup.parse(read_json())
    with writing():
        hold_caller()
        waitlist = _waitlist(waitlist_id)
        waitlist.lock()
        address = EmailAddress.parse(signup.email)
        subscriber, is_new = Subscriber.join(waitlist, address, current_actor(), referred_by=signup.referred_by)
        item = _item(line.entry(waitlist, subscriber))
    return item, 201 if is_new else 200


def _waitlist(waitlist_id: str) -> Waitlist:
    waitlist = Waitlist.of(g.caller.organisation_id, waitlist_id)
    if waitlist is None:
        raise Problem(NOT_FOUND)
    return waitlist


def _item(entry: line.Entry) -> dict[str, Any]:
    return entry._asdict() | {"id": str(entry.id)}
