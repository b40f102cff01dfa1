"""Every error of the customer API as a problem document (RFC 9457), and the registry of them."""

import logging
from typing import Any, NamedTuple

import orjson
from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, ClientDisconnected, Forbidden, HTTPException

from blueprints import web
from models import Feature, FeatureNotAllowed, RuleBroken, TryAgain, WaitlistArchived, db

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="queuekey"'  # how every WWW-Authenticate begins (RFC 6750 §3)
RETRY_AFTER_SECONDS = 1

log = logging.getLogger("queuekey.errors")


class ProblemType(NamedTuple):
    """One kind of error: what it is called, when it comes, and what its reader can do."""

    status: int
    code: str
    title: str
    when: str
    what_to_do: str
    members: tuple[str, ...] = ()  # what its documents have besides what all have


INVALID_REQUEST = ProblemType(
    400,
    "invalid_request",
    "The request cannot be read",
    "The body is broken JSON, has duplicate keys, NaN, NUL or lone surrogates, or is nested past 32 levels.",
    "Send one valid JSON object in UTF-8.",
)
MISSING_TOKEN = ProblemType(
    401,
    "missing_token",
    "No token was sent",
    "The request has no Authorization header.",
    "Add the header “Authorization: Bearer”, a space, and the token.",
)
INVALID_TOKEN = ProblemType(
    401,
    "invalid_token",
    "The token is not valid",
    "The token is malformed, unknown or revoked. All of them get the same answer.",
    "Check for a cut-off token, or create a new key: this one may be revoked.",
)
FEATURE_NOT_ALLOWED = ProblemType(
    403,
    "feature_not_allowed",
    "The plan does not include the API",
    "The organisation’s plan is below Pro. The key is paused, not lost.",
    "Restore the plan: the same key works again.",
    ("plan", "required_plan"),
)
INSUFFICIENT_SCOPE = ProblemType(
    403,
    "insufficient_scope",
    "The key lacks a scope",
    "The key was created without the scope that this call needs.",
    "Use a key that has the scope named in the answer.",
    ("required_scope",),
)
NOT_FOUND = ProblemType(
    404,
    "not_found",
    "Not found",
    "There is no such path, or no such waitlist in this key’s organisation, or it is archived.",
    "Check the path and the waitlist’s ID on its page in the console.",
)
METHOD_NOT_ALLOWED = ProblemType(
    405,
    "method_not_allowed",
    "Method not allowed",
    "The path exists, but not for this method.",
    "Use one of the methods in the Allow header.",
)
BODY_TOO_LARGE = ProblemType(
    413,
    "body_too_large",
    "The body is too large",
    "The body has more than 64 KiB, or as a batch more than 1 MiB.",
    "Send less in one request.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    415,
    "unsupported_media_type",
    "The body is not plain JSON",
    "The Content-Type is not application/json, or a Content-Encoding is set.",
    "Send uncompressed JSON with “Content-Type: application/json”.",
)
VALIDATION_FAILED = ProblemType(
    422,
    "validation_failed",
    "Something in the request is wrong",
    "A parameter or a field is wrong, unknown or missing.",
    "Read “errors”: it names each field and what is wrong with it.",
    ("errors",),
)
RATE_LIMITED = ProblemType(
    429,
    "rate_limited",
    "Too many requests",
    "The key, or the address with refused tokens, has used up its requests of this minute, or too many exports run.",
    "Wait for as many seconds as Retry-After says.",
)
INTERNAL_ERROR = ProblemType(
    500,
    "internal_error",
    "Something went wrong on our side",
    "The fault is ours, and it has been noted.",
    "Try again later; creating a subscriber twice is safe. If it stays, report the request_id.",
)
UNAVAILABLE = ProblemType(
    503,
    "unavailable",
    "Busy or away for a moment",
    "The database or a lock was not to be had in time. Nothing was changed.",
    "Try again after as many seconds as Retry-After says.",
)

CATALOGUE = (
    INVALID_REQUEST,
    MISSING_TOKEN,
    INVALID_TOKEN,
    FEATURE_NOT_ALLOWED,
    INSUFFICIENT_SCOPE,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    VALIDATION_FAILED,
    RATE_LIMITED,
    INTERNAL_ERROR,
    UNAVAILABLE,
)

# What werkzeug raises before any view of ours runs.
_BY_STATUS = {
    400: INVALID_REQUEST,
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_LARGE,
    500: INTERNAL_ERROR,
    503: UNAVAILABLE,
}
_CUT_OFF = "The body ends before the length that Content-Length names."


class Problem(Exception):
    """An error on its way to the client."""

    def __init__(
        self, type_: ProblemType, detail: str = "", headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(type_.code)
        self.type = type_
        self.detail = detail or type_.when
        self.headers = headers or {}
        self.extra = extra

    @classmethod
    def of_field(cls, field: str, message: str) -> "Problem":
        """A single wrong parameter or field."""
        return cls(VALIDATION_FAILED, errors=[{"field": field, "message": message}])

    def response(self) -> Response:
        """The problem document; `type` is the address of its entry in the docs."""
        document = {
            "type": f"{web.public_url()}/docs/errors#{self.type.code}",
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            "code": self.type.code,
            "request_id": g.get("request_id"),
        }
        body = orjson.dumps(document | self.extra)
        return Response(body, self.type.status, self.headers, content_type=MEDIA_TYPE)


def init_app(app: Flask) -> None:
    """Answer every error: under the API's root with a problem, elsewhere with a page."""
    app.extensions["queuekey.problems"] = CATALOGUE
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(FeatureNotAllowed, _answer_plan)
    app.register_error_handler(RuleBroken, _answer_rule)
    app.register_error_handler(WaitlistArchived, lambda archived: Problem(NOT_FOUND).response())
    for away in (OperationalError, InterfaceError, PoolTimeout, TryAgain):
        app.register_error_handler(away, _answer_away)
    app.register_error_handler(Exception, _answer_fault)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:  # a redirect
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    if web.is_api():
        detail = _CUT_OFF if isinstance(error, ClientDisconnected) else _own_words(error)
        return Problem(_BY_STATUS.get(status, INVALID_REQUEST), detail, headers).response()
    response = current_app.make_response(web.error_page(status, _own_words(error)))
    response.headers.update(headers)
    return response


def _own_words(error: HTTPException) -> str:
    """What we said when we refused; "" for the sentences that werkzeug has for every status."""
    is_ours = type(error) in {BadRequest, Forbidden} and error.description != type(error).description
    return error.description or "" if is_ours else ""


def _answer_plan(refusal: FeatureNotAllowed) -> ResponseReturnValue:
    if not web.is_api():
        return web.error_page(403, f"{refusal} Your organisation is on the {refusal.plan.label} plan.")
    required = Feature(refusal.feature).required_plan
    return Problem(FEATURE_NOT_ALLOWED, plan=refusal.plan.value, required_plan=required.value).response()


def _answer_rule(broken: RuleBroken) -> ResponseReturnValue:
    if not web.is_api():
        return web.error_page(400, broken.message)
    return Problem.of_field(broken.field, broken.message).response()


def _answer_away(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    log.warning("%s on %s: %s", type(error).__name__, request.endpoint, str(error).splitlines()[0])
    response = Problem(UNAVAILABLE).response() if web.is_api() else current_app.make_response(web.error_page(503))
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _answer_fault(error: Exception) -> ResponseReturnValue:
    log.exception("%s on %s, request %s", type(error).__name__, request.endpoint, g.get("request_id"))
    db.session.rollback()
    return Problem(INTERNAL_ERROR).response() if web.is_api() else web.error_page(500)
