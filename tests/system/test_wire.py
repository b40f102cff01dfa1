"""What only real bytes on a real connection show: framing, bodies without a length, odd headers."""

import gzip
from typing import NamedTuple

import orjson
import pytest

from models import Subscriber
from tests.api_client import subscribers_path
from tests.factories import count, events, make_api_key, make_organisation, make_waitlist
from tests.system.server import Server

LIMIT = 64 * 1024


class Caller(NamedTuple):
    """A key, and the path that it may call."""

    token: str
    path: str


@pytest.fixture
def caller(server: Server) -> Caller:
    """A key with both scopes, and an empty waitlist of its organisation."""
    organisation = make_organisation()
    return Caller(make_api_key(organisation)[1], subscribers_path(make_waitlist(organisation)))


def status(response: bytes) -> int:
    """The status of a raw response; 0 where the server closed the connection without one."""
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/1.1 ") else 0


def get(path: str, *headers: bytes) -> bytes:
    """A GET request with these header lines."""
    return b"\r\n".join((f"GET {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", b"Connection: close", *headers, b"", b""))


def post(caller: Caller, headers: bytes, body: bytes) -> bytes:
    """A POST request of a live key with these framing headers."""
    lines = (
        f"POST {caller.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Authorization: Bearer {caller.token}\r\nContent-Type: application/json\r\n"
    )
    return lines.encode() + headers + b"\r\n\r\n" + body


def chunked(*parts: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def signup(address: str, size: int = 0) -> bytes:
    """A body of this many bytes."""
    return orjson.dumps({"email": address}).ljust(size)


def test_head_is_get_without_a_body(server: Server, caller: Caller) -> None:
    got, head = (server.send(method, caller.path, caller.token) for method in ("GET", "HEAD"))

    assert (got.status, head.status) == (200, 200)
    assert got.json()["items"] == []
    assert head.body == b""
    for name in ("Content-Type", "Content-Length", "Link", "Cache-Control", "Vary"):
        assert head.headers[name] == got.headers[name] is not None
    raw = server.send_bytes(get(caller.path, f"Authorization: Bearer {caller.token}".encode()).replace(b"GET", b"HEAD"))
    assert raw.endswith(b"\r\n\r\n")
    assert raw.count(b"\r\n\r\n") == 1


def test_a_body_of_the_limit_is_taken_however_it_is_sent(server: Server, caller: Caller) -> None:
    whole, parts = signup("whole@example.org", LIMIT), signup("parts@example.org", LIMIT)

    by_length = server.send_bytes(post(caller, b"Content-Length: %d" % LIMIT, whole))
    in_chunks = server.send_bytes(post(caller, b"Transfer-Encoding: chunked", chunked(parts[:10], parts[10:])))

    assert (status(by_length), status(in_chunks)) == (201, 201)


@pytest.mark.parametrize("size", [LIMIT + 1, 5_000_000])
@pytest.mark.parametrize("way", ["length", "one chunk", "many chunks"])
def test_a_body_over_the_limit_is_413_however_it_is_sent(server: Server, caller: Caller, size: int, way: str) -> None:
    body = signup("long@example.org", size)
    before = count(Subscriber)
    framing, sent = {
        "length": (b"Content-Length: %d" % size, body),
        "one chunk": (b"Transfer-Encoding: chunked", chunked(body)),
        "many chunks": (b"Transfer-Encoding: chunked", chunked(*(body[at : at + 8192] for at in range(0, size, 8192)))),
    }[way]

    response = server.send_bytes(post(caller, framing, sent))

    assert status(response) == 413, response[:200]
    assert b'"code":"body_too_large"' in response
    assert count(Subscriber) == before
    assert server.post(caller.path, caller.token, {"email": "short@example.org"}).status == 201


def test_a_length_over_the_limit_is_refused_before_the_body_has_come(server: Server, caller: Caller) -> None:
    response = server.send_bytes(post(caller, b"Content-Length: 10000000", b"{"))

    assert status(response) == 413


def test_a_compressed_body_is_415(server: Server, caller: Caller) -> None:
    body = signup("packed@example.org")
    before = count(Subscriber), len(events())

    plain = {"Content-Type": "application/json"}
    for encoding, sent in (("gzip", gzip.compress(body)), ("gzip", body), ("identity", body), ("br", b"")):
        reply = server.send("POST", caller.path, caller.token, sent, plain | {"Content-Encoding": encoding})
        assert (reply.status, reply.json()["code"]) == (415, "unsupported_media_type"), encoding

    assert (count(Subscriber), len(events())) == before
    assert server.send("POST", caller.path, caller.token, body, plain).status == 201


@pytest.mark.parametrize("header", ["bearer {}", "BEARER {}", "BeArEr {}", "Bearer  {}", "Bearer {}  "])
def test_the_scheme_is_known_whatever_its_case_and_blanks_around_a_token_are_no_matter(
    server: Server, caller: Caller, header: str
) -> None:
    line = f"Authorization: {header.format(caller.token)}".encode()

    assert status(server.send_bytes(get(caller.path, line))) == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer\t{}", b"invalid_token"),
        ("Bearer{}", b"invalid_token"),
        ("Bearer", b"invalid_token"),
        ("Bearer ", b"invalid_token"),
        ("", b"missing_token"),
        ("  ", b"missing_token"),
        ("Token {}", b"invalid_token"),
        ("{}", b"invalid_token"),
        ("Bearer {} x", b"invalid_token"),
        ("Bearer {}, Bearer {}", b"invalid_token"),
        ('Bearer "{}"', b"invalid_token"),
        ("Bearer {}=", b"invalid_token"),
        ("Bearer a=b", b"invalid_token"),
        ("Bearer token={}", b"invalid_token"),
        ("Basic cXVfbGl2ZV86", b"invalid_token"),
    ],
)
def test_what_is_no_bearer_token_is_401(server: Server, caller: Caller, header: str, code: bytes) -> None:
    line = f"Authorization: {header.replace('{}', caller.token)}".encode()

    response = server.send_bytes(get(caller.path, line))

    assert status(response) == 401, response
    assert b'"code":"%s"' % code in response
    assert response.lower().count(b"www-authenticate: bearer") == 1
    assert status(server.send_bytes(get(caller.path, f"Authorization: Bearer {caller.token}".encode()))) == 200


def test_two_authorization_headers_never_let_anybody_in(server: Server, caller: Caller) -> None:
    good = f"Authorization: Bearer {caller.token}".encode()
    other = f"Authorization: Bearer {make_api_key()[1]}".encode()
    bad = b"Authorization: Bearer qu_live_nothing"

    for pair in ((good, bad), (bad, good), (good, other), (other, good), (good, good)):
        assert status(server.send_bytes(get(caller.path, *pair))) in {400, 401}, pair

    assert status(server.send_bytes(get(caller.path, good))) == 200


@pytest.mark.parametrize(("size", "wanted"), [(8_000, {401}), (70_000, {401, 431}), (1_000_000, {0, 400, 401, 431})])
def test_a_token_of_any_length_is_refused_and_the_worker_lives(
    server: Server, caller: Caller, size: int, wanted: set[int]
) -> None:
    line = b"Authorization: Bearer qu_live_" + b"a" * size

    assert status(server.send_bytes(get(caller.path, line))) in wanted

    assert server.send("GET", caller.path, caller.token).status == 200


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer\r\n {}",
        "Authorization : Bearer {}",
        "Authorization: Bearer {}\0",
        "Authorization: Bearer \0{}",
        " Authorization: Bearer {}",
        "Content-Length: 5\r\nContent-Length: 6\r\nAuthorization: Bearer {}",
    ],
    ids=["folded", "space before the colon", "NUL", "NUL before", "leading space", "two lengths"],
)
def test_a_malformed_header_never_lets_anybody_in(server: Server, caller: Caller, line: str) -> None:
    response = server.send_bytes(get(caller.path, line.replace("{}", caller.token).encode()))

    assert status(response) in {0, 400, 401}, response
    assert b'"items"' not in response
    assert server.send("GET", caller.path, caller.token).status == 200


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Api-Key", "{}"),
        ("Proxy-Authorization", "Bearer {}"),
        ("X-Forwarded-Authorization", "Bearer {}"),
        ("Cookie", "token={}"),
        ("Referer", "http://localhost/?access_token={}"),
    ],
)
def test_a_token_anywhere_else_is_not_looked_at(server: Server, caller: Caller, header: str, value: str) -> None:
    query = f"{caller.path}?access_token={caller.token}"

    reply = server.send("GET", query, headers={header: value.replace("{}", caller.token)})

    assert (reply.status, reply.json()["code"]) == (401, "missing_token")
    assert server.send("GET", caller.path, caller.token).status == 200
    assert caller.token not in server.log_text()
