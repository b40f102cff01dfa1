"""What an event keeps, how it is exported, and that nothing changes it."""

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from models import Action, ActivityEvent, Actor, ActorType, Organisation, Target, db, now, writing
from models.activity import CSV_COLUMNS
from tests.factories import (
    ACTOR,
    all_rows,
    events,
    in_context,
    make_api_key,
    make_organisation,
    make_user,
)

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


def cells(event: ActivityEvent) -> dict[str, str]:
    return dict(zip(CSV_COLUMNS, event.as_csv_row(), strict=True))


def test_an_event_made_by_a_key_has_the_shape_of_the_contract(context: None) -> None:
    organisation = make_organisation()
    record(organisation, referred_by="7")

    event = events("subscriber.created")[0]
    assert event.as_json() == {
        "id": str(event.id),
        "at": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "action": "subscriber.created",
        "actor": {"type": "api_key", "id": "3", "name": "crm-sync", "prefix": "qu_live_AbCd"},
        "target": {"type": "subscriber", "id": "8401", "label": "Ada@example.org"},
        "ip": "203.0.113.7",
        "user_agent": "curl/8",
        "request_id": "r1",
        "details": {"referred_by": "7"},
    }


def test_an_event_of_the_system_has_nulls_and_no_prefix(context: None) -> None:
    record(make_organisation(), Actor.system("subscribers import"))

    event = events("subscriber.created")[0].as_json()
    assert event["actor"] == {"type": "system", "id": None, "name": "System"}
    assert (event["ip"], event["user_agent"], event["request_id"]) == (None, None, None)
    assert event["details"] == {"command": "subscribers import"}


def test_csv_columns_are_those_of_the_contract(context: None) -> None:
    record(make_organisation(), waitlist="Frühling")

    assert ",".join(CSV_COLUMNS) == (
        "id,at,action,actor_type,actor_id,actor_name,actor_prefix,target_type,target_id,target_label,"
        "ip,user_agent,request_id,details"
    )
    row = cells(events("subscriber.created")[0])
    assert row["actor_prefix"] == "qu_live_AbCd"
    assert row["target_label"] == "Ada@example.org"
    assert json.loads(row["details"]) == {"waitlist": "Frühling"}


def test_csv_cells_of_what_is_not_known_are_empty(context: None) -> None:
    record(make_organisation(), Actor.system("x"))

    row = cells(events("subscriber.created")[0])
    assert [row[name] for name in ("actor_id", "actor_prefix", "ip", "user_agent", "request_id")] == [""] * 5


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "  =", "\u00a0="])
def test_csv_cells_never_calculate(context: None, start: str) -> None:
    record(make_organisation(), label=f"{start}cmd|'/c calc'!A0")
    record(make_organisation(), label="Ada=Grace@example.org")

    dangerous, harmless = events("subscriber.created")
    assert cells(dangerous)["target_label"] == f"'{start}cmd|'/c calc'!A0"
    assert cells(harmless)["target_label"] == "Ada=Grace@example.org"


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\t", r"\u0009"),
        ("\r\n", r"\u000d\u000a"),
        ("\x1b", r"\u001b"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\U000e0001", r"\udb40\udc01"),
    ],
)
def test_csv_cells_stay_on_one_line_and_hide_nothing(context: None, char: str, shown: str) -> None:
    record(make_organisation(), Actor(ActorType.USER, "Maya", 1, user_agent=f"{char}=a{char}"), note=char)

    row = events("subscriber.created")[0].as_csv_row()
    assert dict(zip(CSV_COLUMNS, row, strict=True))["user_agent"] == f"{shown}=a{shown}"
    assert json.loads(row[-1]) == {"note": char}
    written = io.StringIO()
    csv.writer(written).writerow(row)
    assert len(written.getvalue().splitlines()) == 1


def test_nul_in_a_cell_is_written_out() -> None:
    event = ActivityEvent(id=1, at=now(), actor_type="user", target_label="a\0b", details={})

    assert cells(event)["target_label"] == r"a\u0000b"


def test_export_gives_the_organisations_own_events_oldest_first(context: None) -> None:
    ours, others = make_organisation("Ours"), make_organisation("Others")
    for number in range(5):
        record(ours, label=f"{number}@example.org")
        record(others, label="others@example.org")

    exported = [event.target_label for event in ActivityEvent.export(ours)]

    assert exported == ["Ours", *(f"{number}@example.org" for number in range(5))]


def test_export_takes_no_more_memory_for_a_longer_log(context: None) -> None:
    organisation = make_organisation()
    target = Target("subscriber", "1", "Ada@example.org")

    def peak() -> int:
        tracemalloc.start()
        for _ in ActivityEvent.export(organisation):
            pass
        db.session.rollback()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    def lengthen(count: int) -> None:
        with writing():
            ActivityEvent.record_all(organisation.id, Action.SUBSCRIBER_CREATED, KEY_ACTOR, [(target, {})] * count)

    lengthen(3_000)
    peak()  # what is compiled and cached once does not count
    short = peak()
    lengthen(12_000)
    assert peak() < short * 1.5


REFUSED = "append-only"


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


def test_no_way_of_the_orm_changes_an_event(context: None) -> None:
    make_organisation()

    def flush_a_change() -> None:
        db.session.scalars(select(ActivityEvent)).one().actor_name = "Mallory"
        db.session.flush()

    def flush_a_removal() -> None:
        db.session.delete(db.session.scalars(select(ActivityEvent)).one())
        db.session.flush()

    ways = (
        flush_a_change,
        flush_a_removal,
        lambda: db.session.execute(update(ActivityEvent).values(actor_name="Mallory")),
        lambda: db.session.execute(delete(ActivityEvent)),
        lambda: db.session.execute(update(ActivityEvent), [{"id": 1, "actor_name": "Mallory"}]),
        lambda: db.session.query(ActivityEvent).update({"actor_name": "Mallory"}),
        lambda: db.session.query(ActivityEvent).delete(),
    )
    for way in ways:
        with pytest.raises(DBAPIError, match=REFUSED):
            way()
        db.session.rollback()
    assert [event.actor_name for event in all_rows(ActivityEvent)] == ["System"]


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


def test_a_long_user_agent_is_cut(context: None) -> None:
    record(make_organisation(), Actor(ActorType.USER, "Maya", 1, user_agent="x" * 5000))

    assert events("subscriber.created")[0].user_agent == "x" * 512
