"""What both clients get from Queuekey when all goes well."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from blueprints.api import body, schemas
from models import Scope, Subscriber
from queuekey import AsyncQueuekey, InvalidResult, JoinedResult, NewSubscriber, Queuekey, calls
from tests.api_client import Caller, nothing_written
from tests.factories import count, events, make_api_key, make_subscriber
from tests.sdk.either import Either


def join(caller: Caller, *names: str) -> list[str]:
    """Let people join, and return their addresses."""
    return [make_subscriber(caller.waitlist, f"{name}@example.org").email for name in names]


def test_whoami_tells_of_key_organisation_plan_and_limits(either: Either, sdk: Any, caller: Caller) -> None:
    key = either.get(sdk.whoami())

    assert (key.name, key.prefix, key.plan) == (caller.key.name, caller.key.prefix, "pro")
    assert key.scopes == ("subscribers:read", "subscribers:write")
    assert (key.organisation.slug, key.organisation.name) == (caller.organisation.slug, caller.organisation.name)
    assert key.limits.requests_per_minute == 600


def test_a_page_has_subscribers_in_line_order_with_their_places(either: Either, sdk: Any, caller: Caller) -> None:
    join(caller, "ada", "ben", "cleo")

    page = either.get(sdk.page(caller.waitlist.public_id, 2, limit=2))

    assert [(item.email, item.position) for item in page.items] == [("cleo@example.org", 3)]
    assert (page.total, page.page, page.limit, page.has_next) == (3, 2, 2, False)
    assert abs(page.items[0].joined_at - datetime.now(UTC)) < timedelta(minutes=10)


def test_list_and_pages_walk_the_whole_line_page_by_page(either: Either, sdk: Any, caller: Caller) -> None:
    emails = join(caller, "ada", "ben", "cleo", "dan", "eve")
    waitlist = caller.waitlist.public_id

    assert [subscriber.email for subscriber in either.get(sdk.list(waitlist, limit=2))] == emails
    assert [len(page.items) for page in either.get(sdk.pages(waitlist, limit=2))] == [2, 2, 1]
    assert [len(page.items) for page in either.get(sdk.pages(waitlist, limit=5))] == [5]


def test_list_looks_for_an_address_as_it_is_written(either: Either, sdk: Any, caller: Caller) -> None:
    join(caller, "ada", "ben+news", "cleo&q")
    waitlist = caller.waitlist.public_id

    for term, found in [("BEN+N", ["ben+news@example.org"]), ("o&q", ["cleo&q@example.org"]), ("zoë", [])]:
        assert [subscriber.email for subscriber in either.get(sdk.list(waitlist, q=term))] == found


def test_an_empty_waitlist_is_an_empty_list(either: Either, sdk: Any, caller: Caller) -> None:
    waitlist = caller.waitlist.public_id

    assert either.get(sdk.list(waitlist)) == either.get(sdk.export(waitlist)) == []
    assert len(either.get(sdk.pages(waitlist))) == 1


def test_create_puts_somebody_in_line_and_a_second_time_changes_nothing(
    either: Either, sdk: Any, caller: Caller
) -> None:
    waitlist = caller.waitlist.public_id

    first = either.get(sdk.create(waitlist, "Ada@example.org"))
    with nothing_written():
        again = either.get(sdk.create(waitlist, "ada@EXAMPLE.org"))

    assert (first.email, first.position, first.is_created) == ("Ada@example.org", 1, True)
    assert (again.id, again.email, again.is_created) == (first.id, "Ada@example.org", False)
    assert len(events("subscriber.created")) == 1


def test_create_credits_whoever_referred(either: Either, sdk: Any, caller: Caller) -> None:
    waitlist = caller.waitlist.public_id
    ada = either.get(sdk.create(waitlist, "ada@example.org"))

    either.get(sdk.create(waitlist, "ben@example.org", referred_by=ada.referral_code))

    assert either.get(sdk.page(waitlist)).items[0].referral_count == 1


def test_create_many_tells_what_became_of_each_row_over_several_batches(
    monkeypatch: pytest.MonkeyPatch, either: Either, sdk: Any, caller: Caller
) -> None:
    monkeypatch.setattr(calls, "BATCH_ROWS", 2)
    rows = ["ada@example.org", "nobody", "ADA@example.org", NewSubscriber("ben@example.org"), "cleo@example.org"]

    outcome = either.get(sdk.create_many(caller.waitlist.public_id, iter(rows)))

    statuses = ["created", "invalid", "existing", "created", "created"]
    assert [result.status for result in outcome.results] == statuses
    assert [len(batch.results) for batch in outcome.batches] == [2, 2, 1]
    assert (outcome.created, outcome.existing, outcome.invalid) == (3, 1, 1)
    first, wrong = outcome.results[:2]
    assert isinstance(first, JoinedResult)
    assert first.subscriber.email == "ada@example.org"
    assert isinstance(wrong, InvalidResult)
    assert wrong.errors[0].field == "email"
    assert {event.details["batch_id"] for event in events("subscriber.created")} == {
        batch.batch_id for batch in outcome.batches
    }


def test_create_many_sends_nothing_for_nobody_and_takes_no_single_address(
    either: Either, sdk: Any, caller: Caller
) -> None:
    assert either.get(sdk.create_many(caller.waitlist.public_id, [])).results == ()
    with pytest.raises(TypeError, match="several rows"):
        either.get(sdk.create_many(caller.waitlist.public_id, "ada@example.org"))
    assert count(Subscriber) == 0


def test_batches_hold_no_more_rows_and_bytes_than_the_api_takes() -> None:
    assert (calls.BATCH_ROWS, calls.BATCH_BYTES) == (schemas.BATCH_MAX, body.BATCH_LIMIT_BYTES)

    many = [call.body or b"" for call in calls.batches("wl_a", (f"{number}@example.org" for number in range(2500)))]
    large = [call.body or b"" for call in calls.batches("wl_a", ["x" * 3000] * 1000)]

    assert [batch.count(b'"email"') for batch in many] == [1000, 1000, 500]
    assert sum(batch.count(b'"email"') for batch in large) == 1000
    assert [len(batch) <= body.BATCH_LIMIT_BYTES for batch in large] == [True] * 3


def test_export_gives_everybody_once_in_the_order_of_joining(either: Either, sdk: Any, caller: Caller) -> None:
    emails = join(caller, "ada", "ben", "cleo")
    waitlist = caller.waitlist.public_id

    everybody = either.get(sdk.export(waitlist))

    assert [(one.email, one.join_number) for one in everybody] == list(zip(emails, [1, 2, 3], strict=True))
    assert either.get(sdk.export(waitlist, after=everybody[0].id)) == everybody[1:]


def test_a_key_without_a_scope_can_do_what_it_may(either: Either, address: str, caller: Caller) -> None:
    _, token = make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_WRITE])

    assert either.get(either.client(token, f"{address}/v1/api/").create(caller.waitlist.public_id, "a@example.org"))


def test_with_closes_the_connections(address: str, caller: Caller, either: Either) -> None:
    async def use() -> tuple[str, bool]:
        async with AsyncQueuekey(caller.token, address) as queuekey:
            return (await queuekey.whoami()).name, queuekey._http.is_closed

    if either.kind == "sync":
        with Queuekey(caller.token, address) as queuekey:
            assert queuekey.whoami().name == caller.key.name
            assert not queuekey._http.is_closed
        assert queuekey._http.is_closed
    else:
        assert either.get(use()) == (caller.key.name, False)
