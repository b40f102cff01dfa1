"""What an answer that is no success says, and what a connection that failed means."""

import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

from queuekey.answers import Problem
from queuekey.errors import BY_CODE, ApiError, ConnectionFailed, TimedOut, UnexpectedAnswer
from queuekey.reading import Mismatch, read

REQUEST_ID = "X-Request-Id"
UNEXPECTED = "unexpected_answer"

# What is raised where no whole answer came.
LOST = (httpx.RequestError, ConnectionFailed)


def problem_in(response: httpx.Response) -> ApiError:
    """The error that a response tells of."""
    try:
        problem = read(Problem, json.loads(_without_token(response)))
    except (Mismatch, ValueError, RecursionError):
        return unexpected(response, _what_answered(response))
    return BY_CODE.get(problem.code, ApiError)(problem, retry_after(response))


def _without_token(response: httpx.Response) -> str:
    """The body; a proxy that repeats the Authorization header must not bring the token into an exception."""
    token = response.request.headers.get("Authorization", "").rpartition(" ")[2]
    return response.text.replace(token, "[token]") if token else response.text


def unexpected(response: httpx.Response, detail: str) -> UnexpectedAnswer:
    """The error of an answer that is not of the API's making."""
    problem = Problem(
        type="about:blank",
        title="The answer is not the API's",
        status=response.status_code,
        detail=detail,
        code=UNEXPECTED,
        request_id=response.headers.get(REQUEST_ID, ""),
    )
    return UnexpectedAnswer(problem, retry_after(response))


def lost(error: Exception) -> ConnectionFailed:
    """The error of a request that got no whole answer."""
    if isinstance(error, ConnectionFailed):
        return error
    kind = TimedOut if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    words = str(error)
    return kind(f"No whole answer came ({type(error).__name__}{f': {words}' if words else ''}).")


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait by Retry-After, which is a number or a time (RFC 9110 §10.2.3)."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)


def _what_answered(response: httpx.Response) -> str:
    if response.is_redirect:
        return "The answer is a redirect, which is not followed. Is QUEUEKEY_URL the right address?"
    kind = response.headers.get("Content-Type", "nothing that says what it is")
    return f"The answer is no problem document but {kind}. Is it Queuekey that answers at QUEUEKEY_URL?"
