"""Bodies as they are sent: which types are read, and how much of them."""

from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from blueprints.api.body import BODY_LIMIT_BYTES
from tests.api_client import make_caller, nothing_written, problem

JSON = "application/json"


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


def test_of_a_body_that_says_it_is_too_large_nothing_is_read(app: Flask) -> None:
    caller = make_caller(app)
    stream = Dribbling(padded(BODY_LIMIT_BYTES + 1))
    said = {"wsgi.input": stream, "CONTENT_LENGTH": str(BODY_LIMIT_BYTES + 1)}

    problem(caller.api.send("POST", caller.path, content_type=JSON, environ_overrides=said), 413, "body_too_large")

    assert stream.tell() == 0


def test_a_body_that_breaks_off_is_refused(app: Flask) -> None:
    caller = make_caller(app)
    short = {"wsgi.input": BytesIO(padded(40)), "CONTENT_LENGTH": "400"}

    with nothing_written():
        response = caller.api.send("POST", caller.path, content_type=JSON, environ_overrides=short)

    assert "Content-Length" in problem(response, 400, "invalid_request")["detail"]
    assert caller.api.send("POST", caller.path, data=padded(40), content_type=JSON).status_code == 201


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
