"""An export gives everybody once, whatever happens to its stream."""

import pytest

from queuekey import ConnectionFailed, RateLimited, Retry, UnexpectedAnswer
from queuekey.export import Export
from queuekey.retry import DEFAULT
from tests.api_client import Caller
from tests.browser.conftest import on_sqlite
from tests.factories import make_subscriber
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer, Play, answered, broken_off, reset
from tests.sdk.test_retry import BUSY, LIMITED, Pauses


@pytest.fixture
def emails(caller: Caller) -> list[str]:
    """Ten people on the caller's waitlist."""
    return [make_subscriber(caller.waitlist).email for _ in range(10)]


@pytest.mark.parametrize("is_reset", [True, False], ids=["reset", "ended as if whole"])
def test_a_stream_that_breaks_off_goes_on_behind_the_last_who_came(
    either: Either, caller: Caller, emails: list[str], faults: FaultyServer, pauses: Pauses, is_reset: bool
) -> None:
    faults.plays = [broken_off(400, is_reset), reset, BUSY, broken_off(400, is_reset)]

    everybody = either.get(either.client(caller.token, faults.url).export(caller.waitlist.public_id))

    assert [one.email for one in everybody] == emails
    places = [seen.path.partition("after=")[2] for seen in faults.seen]
    assert places[0] == ""
    assert places[1] == places[2] == places[3] == everybody[1].id
    assert len(places) == 5
    assert places[4] > places[3]


def test_an_end_between_two_lines_is_noticed_by_the_count(
    either: Either, caller: Caller, emails: list[str], faults: FaultyServer, pauses: Pauses
) -> None:
    whole = either.get(either.client(caller.token, faults.url).export(caller.waitlist.public_id))
    two_lines = len(b"".join(faults_body(faults, caller).splitlines(keepends=True)[:2]))
    faults.plays = [broken_off(two_lines, False)]

    assert either.get(either.client(caller.token, faults.url).export(caller.waitlist.public_id)) == whole
    assert len(whole) == 10
    assert len(pauses) == 1


def faults_body(faults: FaultyServer, caller: Caller) -> bytes:
    """The export as Queuekey writes it."""
    body: bytes = caller.api.get(f"{caller.path}/export").data
    assert faults.seen
    return body


@on_sqlite
def test_tries_are_counted_anew_whenever_somebody_came(
    either: Either, caller: Caller, emails: list[str], faults: FaultyServer, pauses: Pauses
) -> None:
    two_tries = Retry(attempts=2)
    faults.plays = [broken_off(200, True), reset, broken_off(200, True), broken_off(200, True)]

    with pytest.raises(ConnectionFailed):
        either.get(either.client(caller.token, faults.url, retry=two_tries).export(caller.waitlist.public_id))
    faults.plays = [broken_off(200, True)] * 8

    everybody = either.get(either.client(caller.token, faults.url, retry=two_tries).export(caller.waitlist.public_id))
    assert [one.email for one in everybody] == emails


@on_sqlite
@pytest.mark.parametrize("fault", [LIMITED, BUSY, reset])
def test_an_export_that_may_not_begin_yet_waits(
    either: Either, caller: Caller, emails: list[str], faults: FaultyServer, pauses: Pauses, fault: Play
) -> None:
    faults.plays = [fault]

    everybody = either.get(either.client(caller.token, faults.url).export(caller.waitlist.public_id))

    assert len(everybody) == 10
    assert len(pauses) == 1


def test_an_export_that_may_not_begin_for_long_says_so(either: Either, live: str, alone: FaultyServer) -> None:
    alone.plays = [LIMITED]

    with pytest.raises(RateLimited):
        either.get(either.client(live, alone.url, retry=Retry(seconds=1)).export("wl_a"))


def test_what_is_no_export_is_told(either: Either, live: str, alone: FaultyServer) -> None:
    alone.plays = [answered(200, b"<h1>welcome</h1>", ("Content-Type", "text/html"))]

    with pytest.raises(UnexpectedAnswer, match="no export"):
        either.get(either.client(live, alone.url).export("wl_a"))


@on_sqlite
def test_a_line_that_cannot_be_read_is_asked_for_again(
    either: Either, caller: Caller, emails: list[str], faults: FaultyServer, pauses: Pauses
) -> None:
    faults.plays = [answered(200, b'{"id": "1"}\n', ("Content-Type", "application/jsonl"))]

    everybody = either.get(either.client(caller.token, faults.url).export(caller.waitlist.public_id))

    assert [one.email for one in everybody] == emails


@on_sqlite
def test_lines_are_put_together_however_the_stream_is_cut(caller: Caller, emails: list[str]) -> None:
    body = caller.api.get(f"{caller.path}/export").data

    for size in (1, 7, 64, len(body)):
        export = Export(caller.waitlist.public_id, None, DEFAULT)
        parts = [body[start : start + size] for start in range(0, len(body), size)]
        assert [one.email for part in parts for one in export.take(part)] == emails
        assert export.end() is None


def test_lines_end_at_line_feeds_alone() -> None:
    line = '{"id":"1","email":"\u2028\x85","joined_at":"2026-05-03T18:30:12Z","join_number":1,"referral_code":"",'

    [one] = Export("wl_a", None, DEFAULT).take(f'{line}"referral_count":0}}\n'.encode())

    assert one.email == "\u2028\x85"
