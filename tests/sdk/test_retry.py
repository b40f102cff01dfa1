"""When the clients try again: as often and as long as they may, and never sooner than they are asked to."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from models import Subscriber
from queuekey import ConnectionFailed, InternalError, RateLimited, Retry, TimedOut, Unavailable, UnexpectedAnswer
from queuekey.errors import QueuekeyError
from queuekey.problems import retry_after
from queuekey.retry import Tries
from tests.api_client import Caller
from tests.factories import count, events
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer, Play, answered, hung, lost, reset

Pauses = list[float]


def problem(status: int, code: str, **headers: str) -> Play:
    """A problem document as Queuekey sends it."""
    body = f'{{"type":"t","title":"T","status":{status},"detail":"D","code":"{code}","request_id":"r"}}'
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return answered(status, body.encode(), ("Content-Type", "application/problem+json"), *fields)


BUSY = problem(503, "unavailable", Retry_After="1")
WELL = answered(
    200,
    b'{"name":"crm-sync","prefix":"p","scopes":[],"organisation":{"slug":"s","name":"S"},"plan":"pro",'
    b'"limits":{"requests_per_minute":null}}',
)
LIMITED = problem(429, "rate_limited", Retry_After="20")


@pytest.mark.parametrize("fault", [BUSY, LIMITED, reset, answered(502), answered(504)])
def test_a_call_gets_past_a_fault(either: Either, live: str, alone: FaultyServer, pauses: Pauses, fault: Play) -> None:
    alone.plays = [fault, fault, WELL]

    assert either.get(either.client(live, alone.url).whoami()).name == "crm-sync"
    assert len(alone.seen) == 3
    assert len(pauses) == 2


def test_a_creation_whose_answer_was_lost_is_repeated_and_creates_one_subscriber(
    either: Either, caller: Caller, faults: FaultyServer, pauses: Pauses
) -> None:
    faults.plays = [lost, BUSY]
    sdk = either.client(caller.token, faults.url)

    subscriber = either.get(sdk.create(caller.waitlist.public_id, "ada@example.org"))
    faults.plays = [lost]
    outcome = either.get(sdk.create_many(caller.waitlist.public_id, ["ben@example.org", "ada@example.org"]))

    assert (subscriber.position, subscriber.is_created) == (1, False)
    assert [result.status for result in outcome.results] == ["existing", "existing"]
    assert count(Subscriber) == len(events("subscriber.created")) == 2
    assert len({seen.body for seen in faults.seen}) == 2


def test_a_pause_is_never_shorter_than_retry_after(
    either: Either, live: str, alone: FaultyServer, pauses: Pauses
) -> None:
    alone.plays = [LIMITED, BUSY, WELL]

    either.get(either.client(live, alone.url).whoami())

    assert 20 <= pauses[0] <= 20.5
    assert 1 <= pauses[1] <= 2


def test_the_last_failure_is_raised_after_so_many_tries(
    either: Either, live: str, alone: FaultyServer, pauses: Pauses
) -> None:
    alone.plays = [reset, BUSY, BUSY, reset]

    with pytest.raises(Unavailable) as refused:
        either.get(either.client(live, alone.url, retry=Retry(attempts=3)).whoami())

    assert refused.value.retry_after == 1
    assert len(alone.seen) == 3


def test_nothing_is_waited_for_longer_than_the_call_may_take(
    either: Either, live: str, alone: FaultyServer, pauses: Pauses
) -> None:
    alone.plays = [LIMITED, LIMITED, LIMITED, LIMITED]

    with pytest.raises(RateLimited):
        either.get(either.client(live, alone.url, retry=Retry(attempts=9, seconds=50)).whoami())

    assert len(alone.seen) == 3
    assert sum(pauses) < 50


@pytest.mark.parametrize(
    ("play", "kind"),
    [
        (problem(500, "internal_error"), InternalError),
        (answered(500), UnexpectedAnswer),
        (answered(404), UnexpectedAnswer),
    ],
)
def test_what_waiting_does_not_help_is_raised_at_once(
    either: Either, live: str, alone: FaultyServer, pauses: Pauses, play: Play, kind: type[QueuekeyError]
) -> None:
    alone.plays = [play]

    with pytest.raises(kind):
        either.get(either.client(live, alone.url).whoami())

    assert (len(alone.seen), pauses) == (1, [])


def test_a_server_that_says_nothing_is_left_after_the_timeout(
    either: Either, live: str, alone: FaultyServer, pauses: Pauses
) -> None:
    alone.plays = [hung, hung]

    with pytest.raises(TimedOut):
        either.get(either.client(live, alone.url, timeout=0.2, retry=Retry(attempts=2)).whoami())

    assert len(alone.seen) == 2


def test_a_try_waits_no_longer_than_the_call_has_left(either: Either, live: str, alone: FaultyServer) -> None:
    alone.plays = [hung]

    with pytest.raises(TimedOut):
        either.get(either.client(live, alone.url, retry=Retry(seconds=0.2)).whoami())


def test_nobody_at_the_address_is_a_failed_connection(either: Either, live: str, pauses: Pauses) -> None:
    with pytest.raises(ConnectionFailed, match="No whole answer came"):
        either.get(either.client(live, "http://127.0.0.1:1").whoami())

    assert len(pauses) == 4


def test_pauses_double_up_to_the_longest_and_each_is_partly_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    lowest: list[float] = []

    def longest(low: float, high: float) -> float:
        lowest.append(low)
        return high

    monkeypatch.setattr("queuekey.retry.random.uniform", longest)
    tries = Tries(Retry(attempts=7, seconds=1000))

    pauses = [tries.pause_after(ConnectionFailed("gone")) for _ in range(6)]

    assert pauses == [0.5, 1, 2, 4, 8, 8]
    assert set(lowest) == {0}
    with pytest.raises(ConnectionFailed):
        tries.pause_after(ConnectionFailed("gone"))


def test_retry_after_is_a_number_or_a_time() -> None:
    def waiting(said: str) -> float | None:
        return retry_after(httpx.Response(503, headers={"Retry-After": said}))

    soon = waiting(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))

    assert soon is not None
    assert 60 < soon <= 90
    assert waiting(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0
    assert waiting("Sat, 03 May 2099 18:30:12 -0000") is not None
    assert [waiting("7"), waiting(" 7 "), waiting(""), waiting("soon"), waiting("-7")] == [7, 7, None, None, None]
    assert retry_after(httpx.Response(503)) is None
