"""Which events a filter lets through, page by page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from models import Action, ActivityEvent, ActorType, Organisation, db, writing
from models.activity import searchable
from models.activity_page import PAGE_SIZE, ActivityFilter, ActivityPage
from tests.factories import in_context, make_organisation

pytestmark = pytest.mark.by_hand

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
EVERYTHING = ActivityFilter()
BY_KEYS = ActivityFilter(actor=ActorType.API_KEY)  # which leaves out the organisation's own beginning


@in_context
def write(*rows: dict[str, Any]) -> None:
    """Events as they might have been recorded at any time."""
    common = {"action": "subscriber.created", "actor_type": "api_key", "actor_name": "crm-sync", "actor_id": 3}
    target = {"target_type": "subscriber", "target_id": "8401", "target_label": "Ada@example.org", "details": {}}
    whole = [{"at": NOON, "search": "crm-sync"} | common | target | row for row in rows]
    with writing():
        db.session.execute(insert(ActivityEvent), whole)


def at(event_id: int | None) -> ActivityEvent:
    return db.session.get_one(ActivityEvent, event_id)


def labels(page: ActivityPage) -> list[str]:
    return [event.target_label for event in page.events]


def found(organisation: Organisation, **wanted: Any) -> list[str]:
    return labels(ActivityPage.newest(organisation.id, ActivityFilter(**wanted)))


def test_pages_follow_one_another_without_gap_or_repeat(context: None) -> None:
    organisation, others = make_organisation("Ours"), make_organisation("Others")
    numbers = [f"{number}" for number in range(2 * PAGE_SIZE + 20)]
    for number in numbers:
        write(
            {"organisation_id": organisation.id, "target_label": number},
            {"organisation_id": others.id, "target_label": "theirs"},
        )
    expected = numbers[::-1]

    first = ActivityPage.newest(organisation.id, BY_KEYS)
    assert labels(first) == expected[:50]
    assert first.newer is None
    second = ActivityPage.before(at(first.older), BY_KEYS)
    assert labels(second) == expected[50:100]
    third = ActivityPage.before(at(second.older), BY_KEYS)
    assert labels(third) == expected[100:]
    assert third.older is None

    back = ActivityPage.after(at(third.newer), BY_KEYS)
    assert back == second
    assert ActivityPage.after(at(back.newer), BY_KEYS) == first


def test_exactly_one_page_leads_nowhere(context: None) -> None:
    organisation = make_organisation()
    write(*[{"organisation_id": organisation.id}] * (PAGE_SIZE - 1))

    page = ActivityPage.newest(organisation.id, EVERYTHING)
    assert (len(page.events), page.newer, page.older) == (PAGE_SIZE, None, None)

    write({"organisation_id": organisation.id})
    db.session.rollback()  # SQLite goes on showing a reader what it began with
    page = ActivityPage.newest(organisation.id, EVERYTHING)
    assert (len(page.events), page.older) == (PAGE_SIZE, page.events[-1].id)


def test_newer_than_nearly_everything_is_the_first_page(context: None) -> None:
    organisation = make_organisation()
    write(*[{"organisation_id": organisation.id}] * (PAGE_SIZE + 10))
    first = ActivityPage.newest(organisation.id, EVERYTHING)

    for event in (first.events[49], first.events[3], first.events[0]):
        assert ActivityPage.after(event, EVERYTHING) == first


def test_pages_keep_to_their_filter(context: None) -> None:
    organisation = make_organisation()
    wanted = ActivityFilter(actor=ActorType.USER)
    for number in range(PAGE_SIZE + 5):
        write(
            {"organisation_id": organisation.id, "actor_type": "user", "target_label": f"{number}"},
            {"organisation_id": organisation.id},
        )

    first = ActivityPage.newest(organisation.id, wanted)
    second = ActivityPage.before(at(first.older), wanted)

    assert labels(first) + labels(second) == [f"{number}" for number in reversed(range(PAGE_SIZE + 5))]
    assert ActivityPage.after(at(second.newer), wanted) == first


def test_actor_and_action_filter(context: None) -> None:
    organisation = make_organisation("Ours")
    write(
        {"organisation_id": organisation.id, "target_label": "by a key"},
        {"organisation_id": organisation.id, "target_label": "by a user", "actor_type": "user"},
        {"organisation_id": organisation.id, "target_label": "revoked", "action": "api_key.revoked"},
    )

    assert found(organisation, actor=ActorType.USER) == ["by a user"]
    assert found(organisation, actor=ActorType.API_KEY) == ["revoked", "by a key"]
    assert found(organisation, actor=ActorType.SYSTEM) == ["Ours"]
    assert found(organisation, action=Action.API_KEY_REVOKED) == ["revoked"]
    assert found(organisation, action=Action.API_KEY_REVOKED, actor=ActorType.USER) == []


def test_days_are_whole_days_in_utc_both_inclusive(context: None) -> None:
    organisation = make_organisation()
    moments = {
        "2 May, last": datetime(2026, 5, 2, 23, 59, 59, 999999, UTC),
        "3 May, first": datetime(2026, 5, 3, tzinfo=UTC),
        "3 May, noon": NOON,
        "3 May, last": datetime(2026, 5, 3, 23, 59, 59, 999999, UTC),
        "4 May, first": datetime(2026, 5, 4, tzinfo=UTC),
    }
    for label, at in moments.items():
        write({"organisation_id": organisation.id, "target_label": label, "at": at})
    third, names = date(2026, 5, 3), list(moments)

    def on(first: date | None, last: date | None) -> list[str]:
        shown = reversed(found(organisation, first_day=first, last_day=last, actor=ActorType.API_KEY))
        return list(shown)

    assert on(third, third) == names[1:4]
    assert on(third, None) == names[1:]
    assert on(None, third) == names[:4]
    assert on(None, date(2026, 5, 2)) == names[:1]
    assert on(date(2026, 5, 4), None) == names[4:]
    assert on(date(2026, 5, 5), date(2026, 5, 6)) == []
    assert on(date(1970, 1, 1), date(2026, 5, 1)) == []
    assert on(date(1970, 1, 1), date(9998, 12, 31)) == names


def test_events_stand_in_the_order_of_their_times_then_of_their_ids(context: None) -> None:
    organisation = make_organisation()
    for label, minutes in (("a", 5), ("b", 3), ("c", 5), ("d", 4), ("e", 3)):
        write({"organisation_id": organisation.id, "target_label": label, "at": NOON + timedelta(minutes=minutes)})

    events = ActivityPage.newest(organisation.id, BY_KEYS).events
    assert [event.target_label for event in events] == ["c", "a", "d", "e", "b"]
    for place, event in enumerate(events):
        assert ActivityPage.before(event, BY_KEYS).events == events[place + 1 :]


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("crm-sync", True),
        ("CRM", True),
        ("qu_live_AbCd", True),
        ("maya@FERNHILL", True),
        ("ada@example", True),
        ("203.0.113.7", True),
        ("åsa", True),
        ("ÅSA", True),
        ("A\u030asa", True),
        ("straße", True),
        ("STRASSE", True),
        ("100%_\\", True),
        ("%", True),
        ("crm%sync", False),
        ("crm_sync", False),
        ("crm-sync\\", False),
        ("crm-sync qu_live", False),
        ("' OR 1=1--", False),
        ("nobody", False),
    ],
)
def test_the_search_is_literal_and_knows_no_case(context: None, q: str, is_found: bool) -> None:
    organisation, others = make_organisation("Ours"), make_organisation("Others")
    parts = ("crm-sync Åsa Straße 100%_\\", "qu_live_AbCd", "maya@fernhill.example", "Ada@example.org", "203.0.113.7")
    write({"organisation_id": organisation.id, "target_label": "it", "search": searchable(*parts)})
    write({"organisation_id": others.id, "target_label": "theirs", "search": searchable(*parts)})

    assert found(organisation, q=q) == (["it"] if is_found else [])


def test_every_event_can_be_found_by_what_its_line_shows(context: None) -> None:
    organisation = make_organisation("Fernhill")

    assert found(organisation, q="fernhill") == ["Fernhill"]
    assert found(organisation, q="system") == ["Fernhill"]
