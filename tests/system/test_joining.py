"""Signing up over 4 workers at once."""

from concurrent.futures import ThreadPoolExecutor

from models import Subscriber
from tests.api_client import subscribers_path
from tests.factories import all_rows, events, make_api_key, make_organisation, make_waitlist
from tests.system.server import Server

AT_ONCE = 50


def test_one_address_in_every_spelling_sent_at_once_joins_once(server: Server) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    path, (_, token) = subscribers_path(waitlist), make_api_key(organisation)
    spellings = ["ada@example.org", "Ada@example.org", "ADA@EXAMPLE.ORG", "adA@Example.Org", "ada@EXAMPLE.org"]

    with ThreadPoolExecutor(AT_ONCE) as clients:
        sent = [spellings[number % len(spellings)] for number in range(AT_ONCE)]
        replies = list(clients.map(lambda email: server.post(path, token, {"email": email}), sent))

    assert sorted(reply.status for reply in replies) == [200] * (AT_ONCE - 1) + [201]
    assert len({str(reply.json()) for reply in replies}) == 1
    assert len([row for row in all_rows(Subscriber) if row.waitlist_id == waitlist.id]) == 1
    joined = [event for event in events("subscriber.created") if event.organisation_id == organisation.id]
    assert len(joined) == 1


def test_many_addresses_sent_at_once_stand_in_a_line_without_gaps(server: Server) -> None:
    organisation = make_organisation()
    path, (_, token) = subscribers_path(make_waitlist(organisation)), make_api_key(organisation)

    with ThreadPoolExecutor(AT_ONCE) as clients:
        emails = [f"s{number}@example.org" for number in range(AT_ONCE)]
        replies = list(clients.map(lambda email: server.post(path, token, {"email": email}), emails))

    assert [reply.status for reply in replies] == [201] * AT_ONCE
    listed = server.send("GET", f"{path}?limit=200", token).json()["items"]
    assert [item["position"] for item in listed] == list(range(1, AT_ONCE + 1))  # type: ignore[attr-defined]
    assert {item["id"]: item["email"] for item in listed} == {  # type: ignore[attr-defined]
        reply.json()["id"]: reply.json()["email"] for reply in replies
    }
