"""Who am I: what a backend can ask about the key that it was given."""

from flask import current_app, g, request

from blueprints import limits
from blueprints.api.answers import Key
from blueprints.api.contract import Answer, contract
from blueprints.api.decorators import any_live_key, feature_required
from blueprints.api.schemas import QueryString
from blueprints.api.views import blueprint
from models import Feature, Organisation, ResolvedKey, db


@blueprint.get("/key")
@feature_required(Feature.API_KEYS)
@any_live_key
@contract({200: Answer("The calling key", Key)})
def show_key() -> Key:
    """The calling key, its organisation and what it may use; every live key may ask, whatever its scopes."""
    QueryString.from_query_string(request.query_string)
    caller: ResolvedKey = g.caller
    organisation = db.session.get_one(Organisation, caller.organisation_id)
    are_limits_on = current_app.config["RATELIMIT_ENABLED"]
    return {
        "name": caller.name,
        "prefix": caller.prefix,
        "scopes": sorted(caller.scopes),
        "organisation": {"slug": organisation.slug, "name": organisation.name},
        "plan": caller.plan,
        "limits": {"requests_per_minute": limits.key_limit(caller.plan) if are_limits_on else None},
    }
