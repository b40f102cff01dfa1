"""The shape of an event in exports, as JSON and as CSV, and the export itself."""

import csv
import io
import json
import tracemalloc

import pytest

from models import Action, ActivityEvent, Actor, ActorType, Target, db, now, writing
from models.activity import CSV_COLUMNS
from tests.factories import events, make_organisation
from tests.models.test_activity import KEY_ACTOR, record

pytestmark = pytest.mark.by_hand


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


def test_csv_cells_neither_calculate_nor_break_the_line(context: None) -> None:
    record(make_organisation(), Actor(ActorType.USER, "Maya", 1, user_agent="\t=a\r\n"), label="=1+1", note="\n")

    row = events("subscriber.created")[0].as_csv_row()
    assert cells(events("subscriber.created")[0])["target_label"] == "'=1+1"
    assert cells(events("subscriber.created")[0])["user_agent"] == r"\u0009=a\u000d\u000a"
    assert json.loads(row[-1]) == {"note": "\n"}
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
