"""What an event keeps, and that nothing changes it."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import delete, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from models import Action, ActivityEvent, Actor, ActorType, Organisation, Target, db, writing
from tests.factories import ACTOR, all_rows, events, in_context, make_api_key, make_organisation, make_user

REFUSED = "append-only"
KEY_ACTOR = Actor(
    ActorType.API_KEY, "crm-sync", 3, prefix="qu_live_AbCd", ip="203.0.113.7", user_agent="curl/8", request_id="r1"
)


@in_context
def record(
    organisation: Organisation, actor: Actor = KEY_ACTOR, label: str = "Ada@example.org", **details: Any
) -> None:
    with writing():
        target = Target("subscriber", "8401", label)
        ActivityEvent.record(organisation.id, Action.SUBSCRIBER_CREATED, actor, target, details)


def change(statement: str) -> None:
    db.session.execute(text(statement))
    db.session.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity_events SET actor_name = 'Mallory'",
        "UPDATE activity_events SET id = id + 1000",
        "DELETE FROM activity_events",
        "DELETE FROM activity_events WHERE id = 1",
    ],
)
def test_the_database_refuses_to_change_or_remove_events(context: None, statement: str) -> None:
    make_organisation()
    before = [event.as_json() for event in all_rows(ActivityEvent)]

    with pytest.raises(DBAPIError, match=REFUSED):
        change(statement)

    db.session.rollback()
    assert [event.as_json() for event in all_rows(ActivityEvent)] == before


def test_the_database_refuses_to_replace_or_truncate_events(context: None) -> None:
    make_organisation()
    columns = ", ".join(column.name for column in ActivityEvent.__table__.columns)
    renamed = columns.replace("actor_name", "'Mallory'", 1)
    statements = {
        "sqlite": [
            f"INSERT OR REPLACE INTO activity_events ({columns}) SELECT {renamed} FROM activity_events",
            f"INSERT INTO activity_events ({columns}) SELECT {columns} FROM activity_events WHERE true"
            " ON CONFLICT (id) DO UPDATE SET actor_name = 'Mallory'",
        ],
        "postgresql": [
            "TRUNCATE activity_events",
            "TRUNCATE organisations CASCADE",
            f"INSERT INTO activity_events ({columns}) SELECT {columns} FROM activity_events"
            " ON CONFLICT (id) DO UPDATE SET actor_name = 'Mallory'",
        ],
    }
    for statement in statements[db.engine.dialect.name]:
        with pytest.raises(DBAPIError, match=REFUSED):
            change(statement)
        db.session.rollback()

    assert [event.actor_name for event in all_rows(ActivityEvent)] == ["System"]


def test_another_program_on_sqlites_file_cannot_replace_an_event_either(context: None) -> None:
    make_organisation()
    if db.engine.dialect.name != "sqlite":  # which has no REPLACE, and triggers that no connection turns off
        return
    db.session.rollback()
    with closing(sqlite3.connect(str(db.engine.url.database))) as other:
        columns = ", ".join(column.name for column in ActivityEvent.__table__.columns)
        renamed = columns.replace("actor_name", "'Mallory'", 1)
        for verb in ("REPLACE", "INSERT OR REPLACE", "INSERT"):
            with pytest.raises(sqlite3.IntegrityError, match=REFUSED):
                other.execute(f"{verb} INTO activity_events ({columns}) SELECT {renamed} FROM activity_events")

    assert [event.actor_name for event in all_rows(ActivityEvent)] == ["System"]


def renamed() -> ActivityEvent:
    """The one event as somebody would like to have it, loose from the session."""
    event = db.session.scalars(select(ActivityEvent)).one()
    event.actor_name = "Mallory"
    db.session.expunge(event)
    return event


def flush_a_change() -> None:
    db.session.scalars(select(ActivityEvent)).one().actor_name = "Mallory"
    db.session.flush()


def flush_a_removal() -> None:
    db.session.delete(db.session.scalars(select(ActivityEvent)).one())
    db.session.flush()


def flush_a_merge() -> None:
    db.session.merge(renamed())
    db.session.flush()


TABLE = db.metadata.tables["activity_events"]
WAYS = (
    flush_a_change,
    flush_a_removal,
    flush_a_merge,
    lambda: db.session.execute(update(ActivityEvent).values(actor_name="Mallory")),
    lambda: db.session.execute(delete(ActivityEvent)),
    lambda: db.session.execute(update(ActivityEvent), [{"id": 1, "actor_name": "Mallory"}]),
    lambda: db.session.query(ActivityEvent).update({"actor_name": "Mallory"}),
    lambda: db.session.query(ActivityEvent).delete(),
    lambda: db.session.bulk_update_mappings(inspect(ActivityEvent), [{"id": 1, "actor_name": "Mallory"}]),
    lambda: db.session.bulk_save_objects([renamed()]),
    lambda: db.session.execute(update(TABLE).values(actor_name="Mallory")),
    lambda: db.session.execute(delete(TABLE)),
    lambda: db.session.connection().exec_driver_sql("DELETE FROM activity_events"),
)


def test_no_way_of_the_orm_changes_an_event(context: None) -> None:
    make_organisation()

    for way in WAYS:
        with pytest.raises(DBAPIError, match=REFUSED):
            way()
        db.session.rollback()

    assert [event.actor_name for event in all_rows(ActivityEvent)] == ["System"]


@pytest.mark.by_hand
def test_an_unknown_kind_of_actor_is_refused(context: None) -> None:
    organisation = make_organisation()
    columns = [column.name for column in ActivityEvent.__table__.columns if column.name not in {"id", "search"}]
    row = {name: getattr(events()[0], name) for name in columns} | {"search": ""}
    with writing():
        db.session.execute(insert(ActivityEvent), [row])

    with pytest.raises(DBAPIError), writing():
        db.session.execute(insert(ActivityEvent), [row | {"actor_type": "ghost"}])

    assert len(events()) == 2
    assert organisation.id


def test_old_events_stay_readable_when_names_change(context: None) -> None:
    user = make_user(name="Maya Lindqvist")
    actor = user.as_actor("198.51.100.24", "Firefox", "r2")
    key, _ = make_api_key(user.organisation, name="crm-sync", actor=actor)
    with writing():
        db.session.execute(text("UPDATE users SET name = 'Someone else'"))
        db.session.execute(text("UPDATE api_keys SET name = 'Something else'"))

    (event,) = events("api_key.created")
    assert (event.actor_name, event.actor_email) == ("Maya Lindqvist", user.email)
    assert (event.target_label, event.details["prefix"]) == ("crm-sync", key.prefix)


def test_a_change_that_fails_leaves_no_event(context: None) -> None:
    organisation = make_organisation()
    recorded = len(events())

    def fail() -> None:
        with writing():
            ActivityEvent.record(organisation.id, Action.PLAN_CHANGED, ACTOR, organisation.target)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert len(events()) == recorded


@pytest.mark.by_hand
def test_what_clients_say_at_too_great_length_is_cut(context: None) -> None:
    record(make_organisation(), Actor(ActorType.USER, "Maya", 1, user_agent="x" * 5000, ip="y" * 50))

    (event,) = events("subscriber.created")
    assert (event.user_agent, event.ip) == ("x" * 512, "y" * 45)
