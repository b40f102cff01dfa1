"""A request's body as strict JSON: read only when the caller is known, and never more than the limit."""

import json
import math
import re
from typing import Any

from flask import request
from werkzeug.http import parse_options_header

from blueprints.api.problems import BODY_TOO_LARGE, INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Problem

BODY_LIMIT_BYTES = 64 * 1024
BATCH_LIMIT_BYTES = 1024 * 1024  # for the one call that takes many subscribers at once
DEPTH_LIMIT = 32
DIGITS_LIMIT = 1000  # no field takes a number at all; the standard library's own limit is not a constant

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def read_json(limit_bytes: int = BODY_LIMIT_BYTES) -> Any:
    """The body, parsed. Raises Problem: unsupported_media_type, body_too_large or invalid_request."""
    media_type, options = parse_options_header(request.headers.get("Content-Type", ""))
    charset = options.get("charset", "utf-8").lower()
    if media_type.lower() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "The Content-Type is not application/json in UTF-8.")
    if "Content-Encoding" in request.headers:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "A Content-Encoding is set, and only plain JSON is read.")
    return parse(_read_bounded(limit_bytes))


def _read_bounded(limit: int) -> bytes:
    too_large = Problem(BODY_TOO_LARGE, f"The body has more than {limit // 1024} KiB.")
    if (request.content_length or 0) > limit:
        raise too_large
    request.max_content_length = limit  # or werkzeug would refuse by the limit of the console's forms
    # A chunked body says no length: one byte too many tells. Where the server ends the stream itself, werkzeug's
    # own wrapper would refuse a body of exactly the limit, and cut a chunked one there.
    is_chunked = request.headers.get("Transfer-Encoding", "").lower() == "chunked"
    is_ended = is_chunked or request.environ.get("wsgi.input_terminated", False)
    stream = request.environ["wsgi.input"] if is_ended else request.stream
    body = b""
    while len(body) <= limit and (piece := stream.read(limit + 1 - len(body))):
        body += piece
    if len(body) > limit:
        raise too_large
    return body


def parse(body: bytes) -> Any:
    """One JSON text (RFC 8259) in UTF-8 without a byte order mark; stricter than the standard library.

    Raises Problem invalid_request for duplicate keys, NaN and infinities, numbers past all use, NUL,
    lone surrogates, and nesting past DEPTH_LIMIT.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(INVALID_REQUEST, "The body is not UTF-8.") from None
    _limit_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_int,
        )
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno} column {error.colno}"
        raise Problem(INVALID_REQUEST, f"The body is not valid JSON: {where}.") from None
    _refuse_unstorable(value)
    return value


def _limit_depth(text: str) -> None:
    """Count brackets outside strings, before a parser that recurses sees them."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in {"[", "{"}:
            depth += 1
        elif found[0] in {"]", "}"}:
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise Problem(INVALID_REQUEST, f"The body is nested past {DEPTH_LIMIT} levels.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Problem(INVALID_REQUEST, "An object in the body has the same key twice.")
    return members


def _refuse_constant(name: str) -> float:
    raise Problem(INVALID_REQUEST, f"{name} is not a JSON number.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Problem(INVALID_REQUEST, "A number in the body is too large.")
    return number


def _short_int(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise Problem(INVALID_REQUEST, "A number in the body has too many digits.")
    return int(digits)


def _refuse_unstorable(value: Any) -> None:
    """Refuse in any string what not both engines would store: NUL, and halves of a surrogate pair."""
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise Problem(INVALID_REQUEST, "A string in the body holds NUL or a lone surrogate.")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)
