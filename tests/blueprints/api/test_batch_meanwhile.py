"""Batches, and what happens at the same time."""

import threading
from typing import Any

import pytest
from flask import Flask

from models import Plan, Subscriber, Waitlist, db, line, writing
from tests.api_client import body, make_caller, problem
from tests.blueprints.api.test_batch import send, signup
from tests.factories import ACTOR, all_rows, events, in_context, revoke, set_plan


@in_context
def archive(waitlist: Waitlist) -> None:
    with writing():
        db.session.get_one(Waitlist, waitlist.id).archive(ACTOR)


@pytest.mark.parametrize(
    ("befalls", "status", "code"),
    [
        (lambda caller: revoke(caller.key), 401, "invalid_token"),
        (lambda caller: set_plan(caller.organisation, Plan.FREE), 403, "feature_not_allowed"),
        (lambda caller: archive(caller.waitlist), 404, "not_found"),
    ],
)
def test_what_happens_while_the_body_is_read_is_seen_before_anybody_joins(
    app: Flask, monkeypatch: pytest.MonkeyPatch, befalls: Any, status: int, code: str
) -> None:
    caller = make_caller(app)

    def slowly(limit: int) -> Any:
        other = threading.Thread(target=befalls, args=(caller,))
        other.start()
        other.join()
        return {"subscribers": [signup("ada@example.org")]}

    assert send(caller, signup("first@example.org")).status_code == 200
    monkeypatch.setattr("blueprints.api.batch.read_json", slowly)
    problem(send(caller, signup("ada@example.org")), status, code)
    assert [row.email for row in all_rows(Subscriber)] == ["first@example.org"]


def test_batches_at_once_name_everybody_once(app: Flask) -> None:
    caller = make_caller(app)
    answers: list[dict[str, Any]] = []
    people = [signup(f"{nth}@example.org") for nth in range(40)]

    def sender(rows: list[dict[str, Any]]) -> None:
        answers.append(body(send(caller, *rows)))

    threads = [threading.Thread(target=sender, args=(people[nth * 5 :] + people[: nth * 5],)) for nth in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(answer["created"] for answer in answers) == 40
    assert sum(answer["existing"] for answer in answers) == 40 * 5
    assert sorted(row.join_number for row in all_rows(Subscriber)) == list(range(1, 41))
    assert len(events("subscriber.created")) == 40


def test_no_connection_is_held_while_the_body_is_read_or_the_known_are_looked_up(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = make_caller(app)
    look_up, held = line._FIND_ALL.all, []

    def connections() -> int:
        return db.engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return]

    def slowly(limit: int) -> Any:
        held.append(connections())
        return {"subscribers": [signup("ada@example.org")] * 2}

    def note_and_look_up(parameters: Any) -> Any:
        held.append(connections())
        return look_up(parameters)

    monkeypatch.setattr("blueprints.api.batch.read_json", slowly)
    monkeypatch.setattr(line._FIND_ALL, "all", note_and_look_up)

    assert body(send(caller))["existing"] == 1
    assert held == [0, 0]
