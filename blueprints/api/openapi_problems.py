"""The refusals of the description: which problems a call can answer with, and what they look like."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from blueprints.api import problems
from blueprints.api.contract import Contract
from blueprints.api.decorators import PUBLIC
from blueprints.api.problems import CATALOGUE, MEDIA_TYPE, ProblemType
from models import Plan, Scope

EXAMPLES: dict[str, object] = {
    "errors": [{"field": "email", "message": "This field is required."}],
    "plan": Plan.FREE.value,
    "required_plan": Plan.PRO.value,
    "required_scope": Scope.SUBSCRIBERS_READ.value,
}
_HEADERS = {401: ("WWW-Authenticate",), 429: ("RateLimit-Policy", "RateLimit", "Retry-After"), 503: ("Retry-After",)}


def of(made: Contract, access: str, has_waitlist: bool) -> Iterator[tuple[int, tuple[ProblemType, ...]]]:
    """The problems of a call by status, in the order of the catalogue."""
    possible = {problems.INVALID_REQUEST, problems.VALIDATION_FAILED, problems.INTERNAL_ERROR}
    if access != PUBLIC:
        possible |= {problems.MISSING_TOKEN, problems.INVALID_TOKEN, problems.RATE_LIMITED}
        possible |= {problems.FEATURE_NOT_ALLOWED, problems.UNAVAILABLE}
    if access in set(Scope):
        possible.add(problems.INSUFFICIENT_SCOPE)
    if has_waitlist:
        possible.add(problems.NOT_FOUND)
    if made.body is not None:
        possible |= {problems.BODY_TOO_LARGE, problems.UNSUPPORTED_MEDIA_TYPE}
    for status, group in groupby((type_ for type_ in CATALOGUE if type_ in possible), key=lambda type_: type_.status):
        yield status, tuple(group)


def responses(base_url: str) -> dict[str, Any]:
    """Every response with a problem that some call has, by its name."""
    together = [
        (problems.MISSING_TOKEN, problems.INVALID_TOKEN),
        (problems.FEATURE_NOT_ALLOWED, problems.INSUFFICIENT_SCOPE),
    ]
    apart = [(type_,) for type_ in CATALOGUE if type_.status not in {401, 405}]
    alone = [types for types in apart if types != (problems.INSUFFICIENT_SCOPE,)]
    return {name(types): _response(types, base_url) for types in [*together, *alone]}


def name(types: Iterable[ProblemType]) -> str:
    """What a response is called that has one of these problems."""
    return "Or".join("".join(word.capitalize() for word in type_.code.split("_")) for type_ in types)


def _response(types: tuple[ProblemType, ...], base_url: str) -> dict[str, Any]:
    status = types[0].status
    names = ("X-Request-Id", *_HEADERS.get(status, ()))
    headers = {header: {"$ref": f"#/components/headers/{header}"} for header in names}
    if problems.INSUFFICIENT_SCOPE in types:
        headers["WWW-Authenticate"] = {"description": "With insufficient_scope (RFC 6750 §3.1).", **_TEXT}  # type: ignore[dict-item]
    schemas = [{"$ref": f"#/components/schemas/{_schema_name(type_)}"} for type_ in types]
    examples = {type_.code: {"summary": type_.title, "value": _example(type_, base_url)} for type_ in types}
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    content = {MEDIA_TYPE: {"schema": schema, "examples": examples}}
    description = " ".join(f"`{type_.code}`: {type_.when}" for type_ in types)
    return {"description": description, "headers": headers, "content": content}


_TEXT = {"schema": {"type": "string"}}


def schemas() -> dict[str, Any]:
    """The schema of every problem that a response can have, by its name: generated clients call their classes so."""
    return {_schema_name(type_): _schema(type_) for type_ in CATALOGUE if type_ != problems.METHOD_NOT_ALLOWED}


def _schema_name(type_: ProblemType) -> str:
    return f"{name([type_])}Problem"


def _schema(type_: ProblemType) -> dict[str, Any]:
    # Enumerations of one: generators of clients cannot narrow an enumeration by a const, and leave such an answer out.
    code, status = {"type": "string", "enum": [type_.code]}, {"type": "integer", "enum": [type_.status]}
    own: dict[str, Any] = {"properties": {"code": code, "status": status}}
    if type_.members:
        own["required"] = list(type_.members)
    return {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object", **own}]}


def _example(type_: ProblemType, base_url: str) -> dict[str, Any]:
    return {
        "type": f"{base_url}/docs/errors#{type_.code}",
        "title": type_.title,
        "status": type_.status,
        "detail": type_.when,
        "code": type_.code,
        "request_id": "2a952f1bffcd4086f30b2326b6c2dd26",
        **{member: EXAMPLES[member] for member in type_.members},
    }
