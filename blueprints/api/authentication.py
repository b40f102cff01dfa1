"""Who calls: the before_request hook that turns a Bearer token into a key record (RFC 6750)."""

from functools import partial

from flask import Response, g, request
from flask.globals import app_ctx, request_ctx

from blueprints import limits, web
from blueprints.api.decorators import is_public
from blueprints.api.problems import CHALLENGE, INVALID_TOKEN, MISSING_TOKEN, RATE_LIMITED, Problem
from models import Actor, ApiKey, Feature, ResolvedKey, db, now
from models.last_used import is_due, mark_used


def authenticate() -> None:
    """Find the live key of the request's token and count the request against its limit.

    Raises Problem: missing_token, invalid_token or rate_limited.
    """
    here, noted = request_ctx.request, app_ctx.g
    if here.method == "OPTIONS" or is_public(app_ctx.app.view_functions.get(here.endpoint or "")):
        return
    caller = _resolve(here.headers.get("Authorization", "").strip(" \t"))
    noted.caller, noted.key_prefix, noted.organisation_id = caller, caller.prefix, caller.organisation_id
    noted.allowance = limits.count_key_request(caller.id, caller.plan)
    if noted.allowance is not None and noted.allowance.is_exceeded:
        raise Problem(RATE_LIMITED, headers=noted.allowance.headers())


def _resolve(authorization: str) -> ResolvedKey:
    """The key of `Bearer`, one or more spaces, and its token (RFC 9110 §11.4)."""
    if not authorization:
        raise Problem(MISSING_TOKEN, headers={"WWW-Authenticate": CHALLENGE})
    scheme, _, token = authorization.partition(" ")
    caller = ApiKey.resolve(token.lstrip(" ")) if scheme.lower() == "bearer" else None
    if caller is not None:
        return caller
    failures = limits.count_failed_authentication(web.client_address() or "")
    if failures is not None and failures.is_exceeded:
        raise Problem(RATE_LIMITED, headers=failures.headers())
    raise _invalid_token()


def hold_caller() -> None:
    """Re-read the caller's key and plan under lock in the writing transaction that is open.

    Raises Problem invalid_token where the key has been revoked since, FeatureNotAllowed where the
    plan has lapsed since: then nothing of this request is committed.
    """
    held = ApiKey.hold(g.caller.id)
    if held is None:
        raise _invalid_token()
    held.require(Feature.API_KEYS)
    g.caller = held


def _invalid_token() -> Problem:
    return Problem(INVALID_TOKEN, headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'})


def current_actor() -> Actor:
    """The calling key as the actor of what it changes."""
    caller: ResolvedKey = g.caller
    return caller.as_actor(web.client_address(), request.headers.get("User-Agent"), g.request_id)


def tell_limits(response: Response) -> Response:
    """Say on a successful response what is left of the key's minute, and keep that the key was used.

    A request that got past key, plan and scope counts as a use; it is kept once the response is out.
    """
    noted = app_ctx.g
    allowance: limits.Allowance | None = noted.get("allowance")
    if allowance is not None and response.status_code < 300:
        response.headers.extend(allowance.headers())
    if noted.get("is_key_used") and response.status_code not in {401, 403} and is_due(noted.caller, at := now()):
        response.call_on_close(partial(mark_used, db.engine, noted.caller, at))
    return response
