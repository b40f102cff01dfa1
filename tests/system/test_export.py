"""A large export through the shipped server: whole, to readers who stay, and no burden after those who go."""

import http.client
import time

import orjson
import pytest

from models import EmailAddress, Organisation, Signup, Subscriber, Waitlist, writing
from tests.api_client import subscribers_path
from tests.factories import ACTOR, in_context, make_api_key, make_organisation, make_waitlist
from tests.system.server import HOST, Server

PEOPLE = 5_000
IMPATIENT = 12
PATIENCE_SECONDS = 20


@in_context
def fill(waitlist: Waitlist) -> None:
    with writing():
        signups = [Signup(EmailAddress(address, address, address)) for address in map(address_of, range(PEOPLE))]
        Subscriber.join_all(Waitlist.by_public_id(waitlist.public_id), signups, ACTOR)


def address_of(number: int) -> str:
    return f"{number:06}{'x' * 40}@example.org"


@pytest.fixture
def organisation(server: Server) -> Organisation:
    return make_organisation()


def test_readers_who_stay_get_everybody_and_those_who_go_leave_nothing_behind(
    server: Server, organisation: Organisation
) -> None:
    waitlist = make_waitlist(organisation)
    fill(waitlist)
    _, token = make_api_key(organisation)
    path = f"{subscribers_path(waitlist)}/export"

    for _ in range(IMPATIENT):
        leave_early(server, path, token)

    for form in ("jsonl", "csv"):
        reply = server.send("GET", f"{path}?format={form}", token)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while reply.status == 429 and time.monotonic() < deadline:  # the server has yet to notice that they went
            reply = server.send("GET", f"{path}?format={form}", token)
        assert reply.status == 200
        assert reply.headers["Transfer-Encoding"] == "chunked"
        assert reply.headers["X-Total-Count"] == str(PEOPLE)
        lines = reply.body.splitlines()[form == "csv" :]
        addresses = [orjson.loads(line)["email"] if form == "jsonl" else line.decode().split(",")[1] for line in lines]
        assert addresses == [address_of(number) for number in range(PEOPLE)]


def leave_early(server: Server, path: str, token: str) -> None:
    """Ask for the export, read how it begins, and hang up."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    assert response.status in {200, 429}
    assert response.read(10)
    connection.close()
