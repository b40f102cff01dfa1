"""Bodies: which are read, how much of them, and what counts as JSON."""

import json
import math
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.api.body import BODY_LIMIT_BYTES, DEPTH_LIMIT, parse
from blueprints.api.problems import INVALID_REQUEST, Problem
from tests.api_client import make_caller, nothing_written, problem

JSON = "application/json"


def refusal(body: bytes) -> str:
    """The detail with which the parser refuses a body."""
    with pytest.raises(Problem) as raised:
        parse(body)
    assert raised.value.type is INVALID_REQUEST
    return raised.value.detail


_scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
_strings = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
_json = st.recursive(
    _scalars | _strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_strings, inner, max_size=4),
    max_leaves=12,
)


@given(_json, st.booleans(), st.sampled_from([None, 1, "\t"]))
@settings(max_examples=200, deadline=None)
def test_what_json_can_say_is_read_as_the_standard_library_reads_it(
    value: Any, ensure_ascii: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)

    assert parse(text.encode()) == json.loads(text) == value


_fragments = st.lists(
    st.sampled_from(["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"a":1', "1", "-", ".5", "e9", "NaN", "null", " "])
    | st.text(max_size=3),
    max_size=12,
).map("".join)


@given(_fragments | st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_nothing_is_read_that_the_standard_library_refuses(text: str) -> None:
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    try:
        expected = json.loads(text)
    except ValueError:
        refusal(body)
        return
    try:
        read = parse(body)
    except Problem:
        return  # stricter, as the tests below say
    assert read == expected


@given(st.binary(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except Problem:
        assert refusal(body)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b'{"a":1,"b":2}', b'{"a":1,"a":2}'),
        (b'{"x":{"a":1},"a":2}', b'{"x":{"a":1,"a":1}}'),
        (b'[{"a":1},{"a":2}]', b'[{"a":1,"\\u0061":2}]'),
        (b"[null]", b"[NaN]"),
        (b"[null]", b"[Infinity]"),
        (b"[null]", b"[-Infinity]"),
        (b"[1e300]", b"[1e400]"),
        (b"[-1e300]", b"[-1e400]"),
        (b"[" + b"9" * 400 + b"]", b"[" + b"9" * 5000 + b"]"),
        (b'["\\u0001"]', b'["\\u0000"]'),
        (b'{"a":1}', b'{"\\u0000":1}'),
        (b'["\\ud83d\\ude00"]', b'["\\ud800"]'),
        (b'["\\ud83d\\ude00"]', b'["\\ude00\\ud83d"]'),
        (b'["\\ud83d\\ude00"]', b'["\\uDFFF"]'),
        (b'{"a":1}', b'{"\\ud800":1}'),
        ('["ä"]'.encode(), '["ä"]'.encode("latin-1")),
        (b'["a"]', b'\xef\xbb\xbf["a"]'),
        (b'["a"]', '["a"]'.encode("utf-16")),
        (b'["a"]', '["a"]'.encode("utf-16-le")),
        (b'["a"]', '["a"]'.encode("utf-32")),
        (b'["a"]', b'["\xed\xa0\x80"]'),  # a surrogate as three bytes
        (b'["a"]', b'["a\nb"]'),
        (b'["a"]', b"['a']"),
        (b'["a"]', b'["a",]'),
        (b'["a"]', b'["a"] x'),
        (b'["a"]', b'["a"]/**/'),
        (b"[1]", b"[01]"),
        (b"[1]", b"[+1]"),
        (b"[1]", b"[1_0]"),
        (b"[1]", "[１]".encode()),
        (b"null", b""),
        (b"null", b" "),
    ],
)
def test_strict_where_parsers_differ(good: bytes, bad: bytes) -> None:
    assert parse(good) == json.loads(good)
    assert refusal(bad).endswith(".")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_thirty_two_levels_are_the_limit(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        return (opening * levels + "1" + closing * levels).encode()

    assert parse(nested(DEPTH_LIMIT)) == json.loads(nested(DEPTH_LIMIT))
    for levels in (DEPTH_LIMIT + 1, 1000, 10_000):
        assert "32 levels" in refusal(nested(levels))
    assert "32 levels" in refusal(opening.encode() * 5000)


def test_brackets_in_strings_are_no_levels() -> None:
    for text in ("[" * 100, '\\"' + "[" * 100, "\\\\", '[{"' * 20):
        body = json.dumps([text, [text]]).encode()
        assert parse(body) == [text, [text]]


def test_a_string_of_backslashes_takes_no_long_time() -> None:
    assert refusal(b'"' + b"\\" * (BODY_LIMIT_BYTES - 1))


def test_numbers_stay_numbers() -> None:
    (number,) = parse(b"[1.5e300]")
    assert math.isfinite(number)


def padded(length: int) -> bytes:
    """A good sign-up of exactly this many bytes."""
    return b'{"email":"ada@example.org"}'.ljust(length)


@pytest.mark.parametrize("how", ["content-length", "chunked"])
def test_sixty_four_kibibytes_are_the_limit_however_sent(app: Flask, how: str) -> None:
    caller = make_caller(app)

    def send(body: bytes) -> Any:
        if how == "content-length":
            return caller.api.send("POST", caller.path, data=body, content_type=JSON)
        chunks = {"wsgi.input": Dribbling(body), "wsgi.input_terminated": True}
        headers = {"Transfer-Encoding": "chunked"}
        return caller.api.send("POST", caller.path, headers=headers, content_type=JSON, environ_overrides=chunks)

    with nothing_written():
        problem(send(padded(BODY_LIMIT_BYTES + 1)), 413, "body_too_large")
        problem(send(padded(10 * BODY_LIMIT_BYTES)), 413, "body_too_large")
    assert send(padded(BODY_LIMIT_BYTES)).status_code == 201


class Dribbling(BytesIO):
    """A stream that gives a little at a time, as one over a network does."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most a kilobyte, whatever was asked for."""
        return super().read(1024 if size is None or size < 0 else min(size, 1024))


def test_of_a_body_too_large_no_more_than_the_limit_is_read(app: Flask) -> None:
    caller = make_caller(app)
    stream = Dribbling(padded(10 * BODY_LIMIT_BYTES))
    chunks = {"wsgi.input": stream, "wsgi.input_terminated": True}

    response = caller.api.send(
        "POST", caller.path, headers={"Transfer-Encoding": "chunked"}, content_type=JSON, environ_overrides=chunks
    )

    problem(response, 413, "body_too_large")
    assert stream.tell() == BODY_LIMIT_BYTES + 1


def test_a_body_that_breaks_off_is_refused(app: Flask) -> None:
    caller = make_caller(app)
    short = {"wsgi.input": BytesIO(padded(40)), "CONTENT_LENGTH": "400"}

    with nothing_written():
        response = caller.api.send("POST", caller.path, content_type=JSON, environ_overrides=short)

    problem(response, 400, "invalid_request")


def test_no_body_at_all_is_broken_json(app: Flask) -> None:
    caller = make_caller(app)

    problem(caller.api.send("POST", caller.path, content_type=JSON), 400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    [JSON, "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_taken(app: Flask, content_type: str) -> None:
    caller = make_caller(app)

    assert caller.api.send("POST", caller.path, data=padded(40), content_type=content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/xml",
        "application/jsonp",
        "application/x+json",
        "application/problem+json",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "json",
    ],
)
def test_any_other_type_is_unsupported(app: Flask, content_type: str | None) -> None:
    caller = make_caller(app)

    with nothing_written():
        response = caller.api.send("POST", caller.path, data=padded(40), content_type=content_type)

    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br", "", "gzip, identity"])
def test_any_content_encoding_is_unsupported(app: Flask, encoding: str) -> None:
    caller = make_caller(app)
    headers = {"Content-Encoding": encoding}

    with nothing_written():
        response = caller.api.send("POST", caller.path, data=padded(40), content_type=JSON, headers=headers)

    problem(response, 415, "unsupported_media_type")
    assert caller.api.send("POST", caller.path, data=padded(40), content_type=JSON).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"", 400, "invalid_request"),
        (b'{"email":"a@example.org","email":"b@example.org"}', 400, "invalid_request"),
        (b'{"email":NaN}', 400, "invalid_request"),
        (b'{"email":"a\\u0000@example.org"}', 400, "invalid_request"),
        (b'{"email":"\\ud800@example.org"}', 400, "invalid_request"),
        (b"[" * 60_000, 400, "invalid_request"),
        (b"null", 422, "validation_failed"),
        (b"[]", 422, "validation_failed"),
        (b'"x"', 422, "validation_failed"),
        (b"1", 422, "validation_failed"),
        (b"{}", 422, "validation_failed"),
    ],
)
def test_a_body_that_is_no_sign_up_writes_nothing(app: Flask, body: bytes, status: int, code: str) -> None:
    caller = make_caller(app)

    with nothing_written():
        problem(caller.api.send("POST", caller.path, data=body, content_type=JSON), status, code)

    assert caller.api.send("POST", caller.path, data=padded(40), content_type=JSON).status_code == 201
