"""Single events, none at all, and those of everybody."""

import pytest

from models import Action, ActivityEvent, writing
from tests.factories import ACTOR, events, make_organisation

pytestmark = pytest.mark.usefixtures("context")


def test_an_event_is_found_by_its_organisation_alone() -> None:
    here, elsewhere = make_organisation(), make_organisation()
    (event, _) = events("organisation.created")

    found = ActivityEvent.of(here.id, event.id)

    assert found is not None
    assert found.as_json() == event.as_json()
    assert ActivityEvent.of(elsewhere.id, event.id) is None
    assert ActivityEvent.of(here.id, event.id + 1000) is None


@pytest.mark.by_hand
def test_no_targets_are_no_events() -> None:
    organisation = make_organisation()
    before = len(events())

    with writing():
        ActivityEvent.record_all(organisation.id, Action.SUBSCRIBER_CREATED, ACTOR, [])
    assert len(events()) == before

    with writing():
        targets = [(organisation.target, {}), (organisation.target, {"note": "two"})]
        ActivityEvent.record_all(organisation.id, Action.SUBSCRIBER_CREATED, ACTOR, targets)
    assert [event.details for event in events()[before:]] == [{"command": "tests"}, {"command": "tests", "note": "two"}]


def test_the_export_of_all_has_everybodys_events_in_the_order_of_their_ids() -> None:
    make_organisation()
    make_organisation()

    exported = [event.as_json() for event in ActivityEvent.export_all()]

    assert exported == [event.as_json() for event in events()]
    assert len(exported) == 2
