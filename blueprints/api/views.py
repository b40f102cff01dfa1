"""The calls of the customer API."""

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from blueprints import web
from blueprints.api import answers
from blueprints.api.authentication import current_actor, hold_caller
from blueprints.api.body import read_json
from blueprints.api.contract import Answer, contract
from blueprints.api.decorators import feature_required, scope_required
from blueprints.api.pages import link_header
from blueprints.api.problems import NOT_FOUND, Problem
from blueprints.api.schemas import ListQuery, QueryString, Signup
from models import AlreadyJoined, Entry, Feature, Scope, Subscriber, Waitlist, db, line, transact

LATER_ONES = {"export_subscribers": {"after": "$response.body#/id"}}

blueprint = Blueprint("api", __name__, url_prefix=web.API_ROOT)


@blueprint.get("/waitlists/<waitlist_id>/subscribers")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_READ)
@contract({200: Answer("A page of the line", answers.SubscriberPage, headers=("Link",))}, query=ListQuery)
def list_subscribers(waitlist_id: str) -> ResponseReturnValue:
    """One page of a waitlist's line."""
    query = _query(waitlist_id)
    organisation_id = g.caller.organisation_id
    page = line.live_page(organisation_id, waitlist_id, offset=query.offset, limit=query.limit, q=query.q)
    if page is None:
        raise Problem(NOT_FOUND)
    items = [answers.subscriber(entry) for entry in page.entries]
    body = {"items": items, "total": page.total, "page": query.page, "limit": query.limit}
    return body, {"Link": link_header(query, page.total)}


@blueprint.post("/waitlists/<waitlist_id>/subscribers")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_WRITE)
@contract(
    {
        201: Answer("They have joined", answers.Subscriber, links=LATER_ONES),
        200: Answer("They had joined before: as they stand", answers.Subscriber, links=LATER_ONES),
    },
    body=Signup,
)
def create_subscriber(waitlist_id: str) -> ResponseReturnValue:
    """Put somebody in line: 201, or 200 with the subscriber as it stands for a known address."""
    waitlist = own_waitlist(waitlist_id)
    QueryString.from_query_string(request.query_string)
    db.session.close()  # a slow body must not keep a connection busy; what was read of the waitlist stays
    signup = Signup.parse(read_json())
    known = line.find(waitlist, signup.email.identity)
    if known is not None:
        return answers.subscriber(known), 200

    def join() -> Entry:
        hold_caller()
        return Subscriber.join(waitlist, signup.email, current_actor(), referred_by=signup.referred_by)

    try:
        return answers.subscriber(transact(join)), 201
    except AlreadyJoined:  # through another request, a moment ago
        return answers.subscriber(line.get(waitlist, signup.email.identity)), 200


def _query(waitlist_id: str) -> ListQuery:
    """The query's parameters; a waitlist that is not to be found is told before a wrong parameter is."""
    try:
        return ListQuery.from_query_string(request.query_string)
    except Problem:
        own_waitlist(waitlist_id)
        raise


def own_waitlist(waitlist_id: str) -> Waitlist:
    """The waitlist of the calling key's organisation. Raises Problem not_found."""
    waitlist = Waitlist.of(g.caller.organisation_id, waitlist_id)
    if waitlist is None:
        raise Problem(NOT_FOUND)
    return waitlist
