"""Everything that can go wrong: one class for each `code` of the API's problem documents, under one base.

No message has the token in it, nor has a traceback that shows local variables: an exception is raised anew where
the HTTP library's own frames, which hold the headers, are no longer part of it.
"""

from typing import ClassVar

from queuekey.answers import Problem

TEMPORARY = frozenset({429, 502, 503, 504})


class QueuekeyError(Exception):
    """The base of everything that this package raises."""

    is_temporary = False  # whether trying again can help
    retry_after: float | None = None  # seconds that the server asked to wait


class ConfigurationError(QueuekeyError):
    """Token or address are absent or malformed: nothing was sent."""


class ConnectionFailed(QueuekeyError):
    """No whole answer came: there was no connection, or it broke off."""

    is_temporary = True


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class ApiError(QueuekeyError):
    """The API refused; also what a `code` becomes that this version does not know."""

    expected_code: ClassVar[str] = ""
    expected_status: ClassVar[int] = 0

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem, retry_after)
        self.problem = problem
        self.status = problem.status
        self.code = problem.code
        self.title = problem.title
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.errors = problem.errors
        self.retry_after = retry_after
        self.is_temporary = problem.status in TEMPORARY

    def __str__(self) -> str:
        """Status, code, what is wrong with which field, and the number to ask for help with."""
        wrong = "".join(f" {error.field}: {error.message}" for error in self.errors)
        asked = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.code}: {self.detail}{wrong}{asked}"


class UnexpectedAnswer(ApiError):
    """An answer that is not of the API's making, such as a proxy's page: `code` is "unexpected_answer"."""


class InvalidRequest(ApiError):
    """The body cannot be read."""

    expected_code, expected_status = "invalid_request", 400


class MissingToken(ApiError):
    """No token arrived: look for a proxy that takes the Authorization header away."""

    expected_code, expected_status = "missing_token", 401


class InvalidToken(ApiError):
    """The token is unknown or revoked."""

    expected_code, expected_status = "invalid_token", 401


class FeatureNotAllowed(ApiError):
    """The organisation's plan is below Pro: the key is paused, not lost."""

    expected_code, expected_status = "feature_not_allowed", 403

    @property
    def plan(self) -> str | None:
        """The plan there is."""
        return self.problem.plan

    @property
    def required_plan(self) -> str | None:
        """The plan it takes."""
        return self.problem.required_plan


class InsufficientScope(ApiError):
    """The key was created without the scope that the call needs."""

    expected_code, expected_status = "insufficient_scope", 403

    @property
    def required_scope(self) -> str | None:
        """The scope it takes."""
        return self.problem.required_scope


class NotFound(ApiError):
    """The key's organisation has no such waitlist, or it is archived."""

    expected_code, expected_status = "not_found", 404


class MethodNotAllowed(ApiError):
    """The path exists, but not for this method."""

    expected_code, expected_status = "method_not_allowed", 405


class BodyTooLarge(ApiError):
    """The request is larger than the API takes."""

    expected_code, expected_status = "body_too_large", 413


class UnsupportedMediaType(ApiError):
    """The body did not arrive as plain JSON."""

    expected_code, expected_status = "unsupported_media_type", 415


class ValidationFailed(ApiError):
    """A parameter or field is wrong: `errors` names each."""

    expected_code, expected_status = "validation_failed", 422


class RateLimited(ApiError):
    """Too many requests, and `retry_after` was too long to wait."""

    expected_code, expected_status = "rate_limited", 429


class InternalError(ApiError):
    """The server's fault: report the `request_id`."""

    expected_code, expected_status = "internal_error", 500


class Unavailable(ApiError):
    """Busy or away for a moment, and for longer than was worth waiting."""

    expected_code, expected_status = "unavailable", 503


BY_CODE = {kind.expected_code: kind for kind in ApiError.__subclasses__() if kind.expected_code}
