"""An export while it runs: who may come, go and fail meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from models import Waitlist, db, subscriber_export
from models.subscriber_export import SubscriberExport
from tests.api_client import Caller, problem, refused
from tests.blueprints.api.test_export import export, lines, small_batches, with_five
from tests.factories import events, in_context, revoke

__all__ = ["small_batches"]


def chunks(caller: Caller) -> Iterator[bytes]:
    """An export as it arrives, piece by piece."""
    response = export(caller, buffered=False)
    assert response.status_code == 200
    return iter(response.response)  # type: ignore[arg-type]


def test_a_revoked_key_ends_no_export_that_had_begun_and_begins_no_other(app: Flask) -> None:
    caller = with_five(app)
    pieces = chunks(caller)
    begun = next(pieces)

    revoke(caller.key)

    with refused():
        problem(export(caller), 401, "invalid_token")
    assert begun + b"".join(pieces) == b"".join(lines_of(caller.waitlist))


@in_context
def lines_of(waitlist: Waitlist) -> list[bytes]:
    from blueprints.api.export import _as_jsonl

    exported = SubscriberExport.of(waitlist)
    assert exported is not None
    return list(_as_jsonl(exported.batches()))


def test_a_database_that_is_away_at_the_start_is_a_problem_and_later_an_end(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = with_five(app)
    ask = subscriber_export._ROWS.all
    reads_left = 2

    def away(parameters: Any) -> Any:
        nonlocal reads_left
        reads_left -= 1
        if reads_left < 0:
            raise OperationalError("SELECT", {}, Exception("away"))
        return ask(parameters)

    monkeypatch.setattr(subscriber_export._ROWS, "all", away)
    broken_off = export(caller)
    assert (len(lines(broken_off)), broken_off.headers["X-Total-Count"]) == (4, "5")
    assert problem(export(caller), 503, "unavailable")

    monkeypatch.undo()
    assert len(lines(export(caller, f"?after={lines(broken_off)[-1]['id']}"))) == 1


def test_no_connection_is_held_while_a_batch_is_asked_for_or_a_reader_takes_their_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = with_five(app)
    ask, held = subscriber_export._ROWS.all, []

    def connections() -> int:
        with app.app_context():
            return db.engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return]

    def note_and_ask(parameters: Any) -> Any:
        held.append(connections())
        return ask(parameters)

    monkeypatch.setattr(subscriber_export._ROWS, "all", note_and_ask)
    pieces = chunks(caller)
    for _ in range(3):
        assert next(pieces)
        held.append(connections())

    assert len(held) == 6
    assert set(held) == {0}


def test_an_export_writes_no_event_and_counts_as_one_request(app: Flask) -> None:
    caller = with_five(app)
    before = len(events())

    first, second = export(caller), export(caller, "?format=csv")

    assert len(events()) == before
    left = [int(response.headers["RateLimit"].split(";")[1].removeprefix("r=")) for response in (first, second)]
    assert left == [599, 598]
