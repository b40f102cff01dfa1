"""Paths, methods, hosts and logs as the shipped server passes them on: what is decided before any view."""

import re

import orjson
import pytest

from models import Scope, Subscriber
from models import token as tokens
from tests.factories import count, events, make_api_key, make_organisation, make_subscriber, make_waitlist, revoke
from tests.system.server import Server
from tests.system.test_wire import Caller, caller, get, status

__all__ = ["caller"]

EVIL = b"evil.example"
DIFFERS = re.compile(rb"[0-9a-f]{32}|(?im:^date: .*$)")


def raw(
    server: Server, method: str, path: str, token: str | None, *headers: str, host: str = "Host: 127.0.0.1"
) -> bytes:
    """The answer to a request of which nothing is normalised on the way."""
    authorization = [] if token is None else [f"Authorization: Bearer {token}"]
    lines = [f"{method} {path} HTTP/1.1", host, "Connection: close", *authorization, *headers, "", ""]
    return server.send_bytes("\r\n".join(lines).encode())


def test_every_unusable_token_gets_the_same_bytes(server: Server) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    path = f"/v1/api/waitlists/{waitlist.public_id}/subscribers"
    (_, live), (key, revoked) = make_api_key(organisation), make_api_key(organisation)
    revoke(key)
    flipped = [live[:at] + live[at].swapcase() + live[at + 1 :] for at in range(8, 44) if live[at].isalpha()]
    unusable = [tokens.generate(), revoked, live[:-1], live + "0", f"qu_test_{live[8:]}", *flipped[:3]]
    unusable += ["", "a=b", f'"{live}"', f"{live}=", f"{live} x", f"{live}, Bearer {live}", "x" * 8000]
    before = count(Subscriber), len(events())

    answers = {DIFFERS.sub(b"", raw(server, "GET", path, token)) for token in unusable}
    posted = {DIFFERS.sub(b"", raw(server, "POST", path, token, "Content-Length: 0")) for token in unusable}

    assert len(answers) == 1, answers
    assert posted == answers
    assert status(answers.pop()) == 401
    assert (count(Subscriber), len(events())) == before
    assert status(raw(server, "GET", path, live)) == 200


@pytest.mark.parametrize("credential", ["both", "write", None])
def test_no_spelling_of_a_path_gets_round_its_scope(server: Server, credential: str | None) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist, "hidden@example.org")
    scopes = {"both": list(Scope), "write": [Scope.SUBSCRIBERS_WRITE]}
    token = make_api_key(organisation, scopes=scopes[credential])[1] if credential else None
    id_ = waitlist.public_id
    path = f"/v1/api/waitlists/{id_}/subscribers"
    spellings = [
        *(f"{path}/", f"/v1/api/waitlists/{id_}//subscribers", f"{path};x=1", path.upper()),
        *(f"/v1/api/./waitlists/{id_}/subscribers", f"/v1/api/waitlists/x/../{id_}/subscribers"),
        *(f"/v1/api%252fwaitlists/{id_}/subscribers", f"/v1//api/waitlists/{id_}/subscribers", f"{path}%00"),
        *(f"{path}%20", f"/v1/api\\waitlists\\{id_}\\subscribers", f"http://{EVIL.decode()}{path}/", f"{path}.json"),
    ]

    for spelling in spellings:
        response = raw(server, "GET", spelling, token)
        assert status(response) in {400, 401, 404}, (spelling, response)
        assert b"hidden@" not in response
        assert EVIL not in response
    # WSGI gives the decoded path without doubled slashes before it: another spelling, but the same checks.
    same = [path, path.replace("wl_", "%77l_"), f"/{path}", path.replace(f"/{id_}/", f"%2f{id_}%2f")]
    wanted = {"both": 200, "write": 403, None: 401}[credential]
    assert [status(raw(server, "GET", way, token)) for way in same] == [wanted] * 4


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_any_other_method_is_405_and_writes_nothing(server: Server, caller: Caller, method: str) -> None:
    before = count(Subscriber), len(events())

    response = raw(server, method, caller.path, caller.token, "X-HTTP-Method-Override: POST", "Content-Length: 0")

    assert status(response) == 405, response
    assert {b"GET", b"HEAD", b"POST", b"OPTIONS"} == set(re.findall(rb"(?im)^allow: (.*)\r", response)[0].split(b", "))
    assert b"application/problem+json" in response
    assert caller.token.encode() not in response  # TRACE would send back what came
    assert (count(Subscriber), len(events())) == before
    assert status(get_options(server, caller)) == 200


def get_options(server: Server, caller: Caller) -> bytes:
    return raw(server, "OPTIONS", caller.path, None)


def test_five_megabytes_without_a_credential_are_answered_before_they_are_sent(server: Server, caller: Caller) -> None:
    lines = ("Content-Type: text/plain", "Content-Length: 5000000")

    response = raw(server, "POST", caller.path, None, *lines)  # and then nothing

    assert status(response) == 401
    assert b'"code":"missing_token"' in response


@pytest.mark.parametrize(
    "host",
    [
        "Host: evil.example",
        "Host: evil.example\r\nHost: 127.0.0.1",
        "Host: 127.0.0.1\r\nHost: evil.example",
        "Host: 127.0.0.1@evil.example",
        "Host: 127.0.0.1\r\nX-Forwarded-Host: evil.example",
        "X-Forwarded-Host: evil.example",
        "Host:",
    ],
)
def test_no_answer_names_a_host_that_somebody_else_chose(server: Server, caller: Caller, host: str) -> None:
    paths = ("/waitlists", "/login?next=/plan", "/waitlists/", "/docs/errors", caller.path, f"{caller.path}/")
    for path in paths:
        response = raw(server, "GET", path, caller.token, host=host)
        assert EVIL not in response, path
        if "X-Forwarded" not in host:
            assert status(response) == 400, (path, response)
    assert status(raw(server, "GET", caller.path, caller.token)) == 200


def test_every_line_of_the_log_is_one_record_whatever_a_client_says(server: Server, caller: Caller) -> None:
    before = len(server.log_text())
    junk = b'"},{"status":200}\\r\\n{"forged":true}'
    lines = (b"User-Agent: " + junk, b"X-Request-Id: " + junk, b"Referer: " + junk)
    target = f"{caller.path}?q=%0A%7B%22forged%22%3Atrue%7D%1B%5B31m"
    assert status(server.send_bytes(get(target, *lines, f"Authorization: Bearer {caller.token}".encode()))) == 200
    assert status(server.send_bytes(get("/%0A%7B%22forged%22:true%7D", *lines))) == 404
    assert status(server.send_bytes(get(caller.path, *lines, b"Authorization: Bearer \xff" + junk))) == 401

    assert status(server.send_bytes(get(caller.path, b"User-Agent: \x1b[31m"))) == 400  # by the server itself
    written = server.log_text()[before:]
    records = [orjson.loads(line) for line in written.splitlines()]
    assert [record["status"] for record in records] == [200, 404, 401]
    assert "forged" not in written
    assert "\x1b" not in written
