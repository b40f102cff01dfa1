"""What finding a page of a long log costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from models import Action, ActivityEvent, ActorType, db
from models.activity_page import ActivityFilter, ActivityPage
from tests.factories import all_rows, make_organisation
from tests.models.test_activity_page import NOON, write

pytestmark = pytest.mark.by_hand


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is sent to the database meanwhile."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)


def plan_of(statement: str, parameters: Any) -> str:
    how = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    rows = db.session.connection().exec_driver_sql(f"{how} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def long_log() -> int:
    """A log of 12 organisations with 2,000 events each, over a year; the number of one of them."""
    organisations = [make_organisation().id for _ in range(12)]
    rows = [
        {
            "organisation_id": organisations[number % 12],
            "at": NOON - timedelta(minutes=20 * (24_000 - number)),
            "action": "api_key.revoked" if number // 12 % 10 == 0 else "subscriber.created",
            "actor_type": "user" if number // 12 % 5 == 0 else "api_key",
        }
        for number in range(24_000)
    ]
    write(*rows)
    db.session.execute(text("ANALYZE"))
    db.session.commit()
    return organisations[5]


def test_no_filter_but_the_search_reads_more_than_its_page(context: None) -> None:
    organisation_id = long_log()
    first, last = date(2025, 9, 1), date(2025, 11, 30)
    by_time, by_action, by_actor = (
        f"ix_activity_events_organisation_id_{columns}at_id" for columns in ("", "action_", "actor_type_")
    )
    middle = next(event for event in all_rows(ActivityEvent)[12_000:] if event.organisation_id == organisation_id)
    for index, wanted in (
        (by_time, ActivityFilter()),
        (by_time, ActivityFilter(first_day=first, last_day=last)),
        (by_time, ActivityFilter(first_day=first)),
        (by_time, ActivityFilter(last_day=last)),
        (by_action, ActivityFilter(action=Action.API_KEY_REVOKED)),
        (by_actor, ActivityFilter(actor=ActorType.USER)),
        (by_action, ActivityFilter(action=Action.API_KEY_REVOKED, last_day=date(2026, 4, 1))),
    ):
        with statements() as sent:
            ActivityPage.newest(organisation_id, wanted)
            ActivityPage.before(middle, wanted)
            ActivityPage.after(middle, wanted)
        for statement, parameters in sent:
            if not statement.startswith("SELECT"):  # SQLite's BEGIN
                continue
            plan = plan_of(statement, parameters)
            assert index in plan, f"{wanted}\n{plan}"
            assert not any(words in plan for words in ("Seq Scan", "Sort", "SCAN", "TEMP B-TREE")), f"{wanted}\n{plan}"
