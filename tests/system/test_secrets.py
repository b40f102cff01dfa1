"""The canary sweep: a whole story at the loudest, and then every secret of it is looked for everywhere.

A token must be found once, in the answer that reveals it; a password nowhere.
"""

import re
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple

import orjson
import pytest

from blueprints import server as shipped
from tests.databases import ENGINES
from tests.system.browser import Browser
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.redis_server import running_redis
from tests.system.server import HOST, WORKERS, Environment, Reply, Server, run_command
from tests.system.sweep import database_bytes, files_of, found, redis_bytes, unpacked

TOKEN = re.compile(r"qu_live_[0-9A-Za-z]{36}")
NEW_PASSWORD, WRONG_PASSWORD, SECRET_KEY = (token_urlsafe(24) for _ in range(3))


class Story(NamedTuple):
    """What was minted, and everything that was left or answered."""

    reveals: dict[str, bytes]  # by token, the one answer that showed it
    others: list[bytes]  # every other answer, with its headers
    cookies: list[bytes]
    written: dict[str, bytes]  # by place, what lies there afterwards
    secrets: list[str]  # passwords and the secret key
    sessions: list[str]  # signed, and whoever has one is somebody else


def loud(server: Server) -> list[str]:
    """The shipped command line, with a louder application and a louder server."""
    louder = {"app:create_app": "tests.system.loud:create_app", "error": "debug"}
    return [louder.get(word, word) for word in shipped.arguments(HOST, server.port, WORKERS)]


def told(reply: Reply) -> bytes:
    """A whole answer."""
    return str(reply.headers).encode() + reply.body


class Teller:
    """Lives the story and keeps what it is told."""

    def __init__(self, server: Server, settings: Environment, made: dict[str, str]) -> None:
        self.server, self.settings, self.made = server, settings, made
        self.reveals: dict[str, bytes] = {}
        self.others: list[bytes] = []
        self.cookies: list[bytes] = []
        self.sessions: list[str] = []
        self.browser = Browser(server)
        self.path = f"/v1/api/waitlists/{made['waitlist']}/subscribers"

    def live(self) -> None:
        """Everything that a token can be part of, and everything that people do wrong with one."""
        self.sign_in(self.made["password"])
        self.create_in_the_console("crm-sync")
        self.create_in_the_console("analytics")
        self.create_at_the_command_line()
        for token in self.reveals:
            self.use(token)
            self.misuse(token)
        self.change_password()
        self.read_every_page()
        for number in (1, 2):
            self.keep(self.browser.fill_in(f"/api-keys/{number}/revoke", {}))
        for plan in ("free", "team"):
            self.command("organisations", "set-plan", self.made["organisation"], plan)
        for token in self.reveals:
            self.use(token)
        self.read_every_page()
        organisation = ("--organisation", self.made["organisation"])
        for command in (("activity", "export"), ("api-keys", "list"), ("users", "list")):
            self.command(*command, *organisation)
        self.keep(self.browser.fill_in("/logout", {}, page="/account"))

    def keep(self, reply: Reply) -> Reply:
        """Keep an answer that reveals nothing, and the cookies."""
        self.others.append(told(reply))
        self.cookies += [unpacked(value) for value in self.browser.cookies.values()]
        self.sessions += self.browser.cookies.values()
        return reply

    def command(self, *arguments: str) -> str:
        done = run_command(self.settings, *arguments)
        self.others += [done.stdout.encode(), done.stderr.encode()]
        return done.stdout

    def sign_in(self, password: str) -> None:
        self.keep(self.browser.sign_in(self.made["email"], WRONG_PASSWORD))
        assert self.keep(self.browser.sign_in(self.made["email"], password)).status == 302

    def create_in_the_console(self, name: str) -> None:
        scopes = ["subscribers:read", "subscribers:write"]
        form = self.browser.hidden("/api-keys/new") | {"name": name, "scopes": scopes}
        revealing = self.browser.post("/api-keys/new", form)
        assert revealing.status == 201
        (token,) = set(TOKEN.findall(revealing.body.decode()))
        self.reveals[token] = told(revealing)
        self.cookies += [unpacked(value) for value in self.browser.cookies.values()]
        assert self.keep(self.browser.post("/api-keys/new", form)).status == 303
        self.keep(self.browser.get("/api-keys"))
        self.keep(self.browser.post("/api-keys/new", form | {"name": ""}))

    def create_at_the_command_line(self) -> None:
        arguments = ["importer", "--organisation", self.made["organisation"], "--scope", "subscribers:write"]
        done = run_command(self.settings, "api-keys", "create", *arguments)
        self.reveals[done.stdout.strip()] = done.stdout.encode()
        self.others.append(done.stderr.encode())

    def use(self, token: str) -> None:
        for body in (b'{"email": "ada@example.org"}', b"{", b'{"email": "nonsense"}', b""):
            self.keep(self.server.send("POST", self.path, token, body, {"Content-Type": "application/json"}))
        for path in (self.path, f"{self.path}?page=0", "/v1/api/nothing", f"{self.path[:-15]}x/subscribers"):
            self.keep(self.server.send("GET", path, token))

    def misuse(self, token: str) -> None:
        for scheme in ("Basic", "Token", "Bearer Bearer", "bearer:"):
            self.keep(self.server.send("GET", self.path, headers={"Authorization": f"{scheme} {token}"}))
        for wrong in (token[:-1], token + "0", f"{token} x", token.lower()):
            self.keep(self.server.send("GET", self.path, wrong))
        for path in (
            f"{self.path}?access_token={token}",
            f"/v1/api/waitlists/{token}/subscribers",
            f"/waitlists/{token}",
        ):
            self.keep(self.server.send("POST", path, token))
        self.keep(self.server.send("GET", self.path, headers={"X-Api-Key": token, "Cookie": f"queuekey={token}"}))
        self.keep(self.server.send("GET", self.path, headers={"User-Agent": token, "Referer": f"http://x/{token}"}))
        self.keep(self.browser.send("GET", "/waitlists", headers={"Authorization": f"Bearer {token}"}))
        self.keep(self.browser.post("/login", {"csrf_token": token, "password": token}))

    def change_password(self) -> None:
        fields = {"current_password": self.made["password"], "new_password": NEW_PASSWORD}
        assert self.keep(self.browser.fill_in("/account", fields)).status == 302

    def read_every_page(self) -> None:
        pages = ("/waitlists", "/api-keys", "/api-keys/new", "/activity", "/plan", "/account", "/docs/authentication")
        for page in (*pages, f"/waitlists/{self.made['waitlist']}", "/api-keys/1/revoke", "/nowhere"):
            self.keep(self.browser.get(page))


@pytest.fixture(scope="module", params=ENGINES)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story as it was lived on a loud installation with 4 workers and a Redis."""
    database = make_empty_database(request.param, "secrets", tmp_path_factory)
    folder, redis_folder, temporary = (tmp_path_factory.mktemp(name) for name in ("server", "redis", "temporary"))
    with running_redis(redis_folder) as redis_url:
        settings = SETTINGS | {"DATABASE_URL": database.url, "REDIS_URL": redis_url, "TMPDIR": str(temporary)}
        settings["SECRET_KEY"] = SECRET_KEY
        made = orjson.loads(run_command(settings, "bootstrap", "--json").stdout)
        server = Server(settings, folder)
        try:
            server.start(loud(server))
            teller = Teller(server, settings, made)
            teller.live()
            written = places(server, database.url, redis_url, temporary)
        finally:
            server.kill()
    secrets = [made["password"], NEW_PASSWORD, WRONG_PASSWORD, SECRET_KEY]
    return Story(teller.reveals, teller.others, teller.cookies, written, secrets, teller.sessions)


def places(server: Server, database_url: str, redis_url: str, temporary: Path) -> dict[str, bytes]:
    """Where an installation leaves bytes."""
    return {
        "log": server.log_text().encode(),
        "database": database_bytes(database_url),
        "redis": redis_bytes(redis_url),
        "temporary files": b"".join(files_of(temporary)),
    }


def test_a_token_is_found_once_where_it_is_revealed(story: Story) -> None:
    assert len(story.reveals) == 3

    for token, revealing in story.reveals.items():
        assert revealing.count(token.encode()) == 1
        others = [answer for other, answer in story.reveals.items() if other != token]
        assert [found(token, answer) for answer in (*story.others, *others) if found(token, answer)] == []
        assert [found(token, cookie) for cookie in story.cookies if found(token, cookie)] == []
        assert {place: found(token, left) for place, left in story.written.items() if found(token, left)} == {}


def test_a_password_or_a_secret_is_found_nowhere(story: Story) -> None:
    for secret in story.secrets:
        told_elsewhere = [*story.others, *story.reveals.values(), *story.cookies]
        assert [found(secret, answer) for answer in told_elsewhere if found(secret, answer)] == []
        assert {place: found(secret, left) for place, left in story.written.items() if found(secret, left)} == {}


def test_no_session_is_left_where_others_might_read_it(story: Story) -> None:
    sessions = set(story.sessions) - {""}  # nobody's, after signing out
    assert len(sessions) > 3

    for session in sessions:
        value = session.encode()
        assert [place for place, left in story.written.items() if value[:40] in left or value[-20:] in left] == []


def test_looking_does_find_what_is_there(story: Story) -> None:
    """The control: what may be known is found in the same places, and the log was loud."""
    log, stored = story.written["log"], story.written["database"]
    for token in story.reveals:
        prefix = token[:12].encode()
        assert prefix in log
        assert prefix in stored
        assert any(prefix in answer for answer in story.others)
        assert found(token, token.encode())
        assert found(token, f"queuekey=.{token}".encode())
        assert found(token, token.encode().hex().encode())
    assert b"SELECT" in log
    assert b"INSERT INTO activity_events" in log
    assert b"queuekey" in story.written["redis"]
    assert any(b"This form was already used" in cookie for cookie in story.cookies)
