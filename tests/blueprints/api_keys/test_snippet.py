"""The command beside a new token: it asks for the token, and calls."""

import html
import re
import shlex

import pytest
from flask import Flask

from models import Scope, User, Waitlist, db, writing
from tests.api_client import ApiClient
from tests.console import sign_in, submit
from tests.factories import ACTOR, BOTH, in_context, make_user, make_waitlist

ASK = shlex.split('echo "Paste the token:" && read -rs QUEUEKEY_TOKEN && export QUEUEKEY_TOKEN &&')


def snippet(app: Flask, user: User, scopes: list[Scope]) -> tuple[str, str]:
    """The snippet of a key created in the console, and the key's token."""
    page = submit(sign_in(app, user), "/api-keys/new", {"name": "crm-sync", "scopes": [*scopes]}).text
    (code,) = re.findall(r'<pre id="curl"><code>(.*?)</code></pre>', page, re.DOTALL)
    (token,) = re.findall(r'<code id="token"[^>]*>([^<]*)</code>', page)
    return html.unescape(code.replace("<wbr>", "")), token


def arguments_of(code: str) -> list[str]:
    """The call, as a shell hands it to curl, once the token has been asked for."""
    words = shlex.split(code.replace("\\\n", ""))  # as a shell joins continued lines
    call = words.index("curl")
    assert words[:call] == ASK
    return words[call:]


@in_context
def archive(waitlist: Waitlist) -> None:
    with writing():
        db.session.get_one(Waitlist, waitlist.id).archive(ACTOR)


@pytest.mark.parametrize("scopes", [list(BOTH), [Scope.SUBSCRIBERS_READ]])
def test_a_key_that_reads_is_tried_by_listing(app: Flask, scopes: list[Scope]) -> None:
    user = make_user()
    waitlist = make_waitlist(user.organisation)

    code, token = snippet(app, user, scopes)

    address = f"http://localhost/v1/api/waitlists/{waitlist.public_id}/subscribers"
    assert arguments_of(code) == ["curl", "-H", "Authorization: Bearer $QUEUEKEY_TOKEN", address]
    assert ApiClient(app, token).get(address).status_code == 200


def test_a_key_that_only_creates_is_tried_by_creating(app: Flask) -> None:
    user = make_user()
    waitlist = make_waitlist(user.organisation)

    code, token = snippet(app, user, [Scope.SUBSCRIBERS_WRITE])

    command, *arguments, address = arguments_of(code)
    headers = [arguments[at + 1] for at, argument in enumerate(arguments) if argument == "-H"]
    data = arguments[arguments.index("-d") + 1]
    assert (command, headers) == (
        "curl",
        ["Authorization: Bearer $QUEUEKEY_TOKEN", "Content-Type: application/json"],
    )
    assert address.endswith(f"/v1/api/waitlists/{waitlist.public_id}/subscribers")
    answer = ApiClient(app, token).send("POST", address, data=data, content_type="application/json")
    assert answer.status_code == 201


def test_the_snippet_never_holds_the_token(app: Flask) -> None:
    code, token = snippet(app, make_user(), list(BOTH))

    assert token not in code
    assert "qu_live_" not in code


def test_the_snippet_is_one_command_so_that_the_question_takes_the_token_and_no_line_of_it(app: Flask) -> None:
    code, _ = snippet(app, make_user(), list(BOTH))

    *lines, last = code.splitlines()
    assert len(lines) == 3
    assert all(line.endswith(" \\") for line in lines)
    assert not last.endswith("\\")


def test_the_snippet_names_the_newest_open_waitlist(app: Flask) -> None:
    user = make_user()
    make_waitlist()
    older, newer = make_waitlist(user.organisation), make_waitlist(user.organisation)
    assert f"/waitlists/{newer.public_id}/subscribers" in snippet(app, user, list(BOTH))[0]

    archive(newer)

    assert f"/waitlists/{older.public_id}/subscribers" in snippet(app, user, list(BOTH))[0]


@pytest.mark.parametrize("scopes", [list(BOTH), [Scope.SUBSCRIBERS_READ], [Scope.SUBSCRIBERS_WRITE]])
def test_without_an_open_waitlist_the_key_asks_about_itself(app: Flask, scopes: list[Scope]) -> None:
    user = make_user()
    archive(make_waitlist(user.organisation))

    code, token = snippet(app, user, scopes)

    address = "http://localhost/v1/api/key"
    assert arguments_of(code) == ["curl", "-H", "Authorization: Bearer $QUEUEKEY_TOKEN", address]
    assert ApiClient(app, token).get(address).status_code == 200


def test_the_snippet_has_the_public_address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    client = sign_in(app, user)
    page = client.get("/api-keys/new")
    assert page.status_code == 200
    monkeypatch.setitem(app.config, "PUBLIC_URL", "http://queuekey.example")

    code, _ = snippet(app, user, list(BOTH))

    assert "  http://queuekey.example/v1/api/key" in code
