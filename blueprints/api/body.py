"""A request's body as strict JSON: read only when the caller is known, and never more than the limit."""

import json
import math
from typing import Any

from flask import request
from werkzeug.http import parse_options_header

from blueprints.api.problems import BODY_TOO_LARGE, INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Problem

BODY_LIMIT_BYTES = 64 * 1024
DEPTH_LIMIT = 32


def read_json() -> Any:
    """The body, parsed. Raises Problem: unsupported_media_type, body_too_large or invalid_request."""
    media_type, options = parse_options_header(request.headers.get("Content-Type", ""))
    charset = options.get("charset", "utf-8").lower()
    if media_type.lower() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Problem(UNSUPPORTED_MEDIA_TYPE)
    if "Content-Encoding" in request.headers:
        raise Problem(UNSUPPORTED_MEDIA_TYPE)
    return parse(_read_bounded())


def _read_bounded() -> bytes:
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise Problem(BODY_TOO_LARGE)
    # A chunked body has no length: one byte more than is allowed tells.
    stream = request.environ["wsgi.input"] if request.content_length is None else request.stream
    body: bytes = stream.read(BODY_LIMIT_BYTES + 1)
    if len(body) > BODY_LIMIT_BYTES:
        raise Problem(BODY_TOO_LARGE)
    return body


def parse(body: bytes) -> Any:
    """One JSON text (RFC 8259) in UTF-8 without a byte order mark; stricter than the standard library.

    Raises Problem invalid_request for duplicate keys, NaN and infinities, NUL, lone surrogates, and
    nesting past DEPTH_LIMIT.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(INVALID_REQUEST, "The body is not UTF-8.") from None
    _limit_depth(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite_float
        )
    except (ValueError, RecursionError) as error:
        raise Problem(INVALID_REQUEST, f"The body is not valid JSON: {_plainly(error)}.") from None
    _refuse_unstorable(value)
    return value


def _limit_depth(text: str) -> None:
    """Count brackets outside strings, before a parser that recurses sees them."""
    depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise Problem(INVALID_REQUEST, f"The body is nested past {DEPTH_LIMIT} levels.")
        elif char in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same key twice")
    return members


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _plainly(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    return str(error).split(";")[0] if len(str(error)) < 100 else "a number has too many digits"


def _refuse_unstorable(value: Any) -> None:
    """Refuse in any string what neither engine should store: NUL, and halves of a surrogate pair."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Problem(INVALID_REQUEST, "A string holds NUL or a lone surrogate.")
    elif isinstance(value, dict):
        for key, member in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(member)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)
