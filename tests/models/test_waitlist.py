"""Waitlist: names, settings, archiving, and who may see which."""

from typing import Any

import pytest
from flask import Flask

from models import Organisation, RuleBroken, Waitlist, db, writing
from models.waitlist import checked_name, checked_skip
from tests.factories import ACTOR, count, events, in_context, make_organisation, make_subscriber, make_waitlist
from tests.queries import recorded


@in_context
def of(organisation: Organisation, public_id: str, *, archived_too: bool = False) -> Waitlist | None:
    return Waitlist.of(organisation.id, public_id, archived_too=archived_too)


@in_context
def change(waitlist: Waitlist, **wanted: Any) -> bool:
    present = {name: getattr(waitlist, name) for name in ("name", "referral_skip", "has_referrals")}
    with writing():
        return db.session.get_one(Waitlist, waitlist.id).change_settings(**present | wanted, actor=ACTOR)


@in_context
def move(waitlist: Waitlist, verb: str) -> bool:
    with writing():
        return bool(getattr(db.session.get_one(Waitlist, waitlist.id), verb)(ACTOR))


@in_context
def summaries(organisation: Organisation) -> list[tuple[str, int, bool]]:
    return [(row.name, row.subscribers_count, row.is_archived) for row in Waitlist.summaries(organisation)]


@in_context
def newest_id(organisation: Organisation) -> str | None:
    return Waitlist.newest_id(organisation.id)


def test_a_new_waitlist_has_an_id_of_its_own_and_one_event(app: Flask) -> None:
    first, second = make_waitlist(name=" Spring "), make_waitlist()

    assert first.name == "Spring"
    assert len(first.public_id) == 15
    assert first.public_id.startswith("wl_")
    assert first.public_id != second.public_id
    event = events("waitlist.created")[0]
    assert (event.target_id, event.target_label) == (first.public_id, "Spring")
    assert event.details["referral_skip"] == 5


@pytest.mark.parametrize("name", ["", " ", "\t", "x" * 101, "a\0b", "a\nb", "a\u200bb", "a\u202eb", "a\ud800b"])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        checked_name(name)
    assert refusal.value.field == "name"
    assert checked_name("Frühling 春") == "Frühling 春"
    assert checked_name("x" * 100) == "x" * 100


@pytest.mark.parametrize("referral_skip", [0, -1, 101, 2**63])
def test_a_referral_is_worth_1_to_100_places(app: Flask, referral_skip: int) -> None:
    before = len(events())

    with pytest.raises(RuleBroken) as refusal:
        make_waitlist(referral_skip=referral_skip)

    assert refusal.value.field == "referral_skip"
    assert (count(Waitlist), len(events("waitlist.created"))) == (0, before)
    assert [checked_skip(bound) for bound in (1, 100)] == [1, 100]


def test_a_waitlist_is_found_by_its_own_organisation_alone(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    waitlist = make_waitlist(ours)

    found = of(ours, waitlist.public_id)

    assert found is not None
    assert found.id == waitlist.id
    assert of(theirs, waitlist.public_id) is None


@pytest.mark.parametrize(
    "public_id", ["", "wl_", "wl_12345678901", "wl_1234567890123", "WL_123456789012", "wl_12345678901é"]
)
def test_a_malformed_id_is_nobodys_without_a_query(app: Flask, public_id: str) -> None:
    organisation = make_organisation()

    with recorded(app) as statements:
        assert of(organisation, public_id) is None
    assert statements == []
    with recorded(app) as statements:
        assert of(organisation, "wl_123456789012") is None
    assert len(statements) == 1


def test_an_archived_waitlist_is_found_where_it_is_asked_for(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)

    assert move(waitlist, "archive")

    assert of(organisation, waitlist.public_id) is None
    assert of(organisation, waitlist.public_id, archived_too=True) is not None
    assert move(waitlist, "restore")
    assert of(organisation, waitlist.public_id) is not None


def test_archiving_or_restoring_twice_writes_nothing_more(app: Flask) -> None:
    waitlist = make_waitlist()

    assert not move(waitlist, "restore")
    assert [move(waitlist, "archive"), move(waitlist, "archive")] == [True, False]
    assert [move(waitlist, "restore"), move(waitlist, "restore")] == [True, False]

    assert len(events("waitlist.archived")) == len(events("waitlist.restored")) == 1


def test_changed_settings_are_recorded_from_and_to(app: Flask) -> None:
    waitlist = make_waitlist(name="Before", referral_skip=5)

    assert change(waitlist, name="After", referral_skip=9)

    (event,) = events("waitlist.updated")
    assert event.details["name"] == {"from": "Before", "to": "After"}
    assert event.details["referral_skip"] == {"from": 5, "to": 9}
    assert "has_referrals" not in event.details
    assert event.target_label == "After"


def test_settings_as_they_are_write_nothing(app: Flask) -> None:
    waitlist = make_waitlist(name="Same")

    assert not change(waitlist, name=" Same ")

    assert events("waitlist.updated") == []


@pytest.mark.parametrize("wanted", [{"name": ""}, {"referral_skip": 0}])
def test_refused_settings_change_nothing(app: Flask, wanted: dict[str, Any]) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Before", referral_skip=5)

    with pytest.raises(RuleBroken):
        change(waitlist, **{"name": "After", "referral_skip": 9} | wanted)

    assert summaries(organisation) == [("Before", 0, False)]
    assert events("waitlist.updated") == []


def test_summaries_have_the_open_ones_first_the_newest_on_top(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    old, closed, new = (make_waitlist(ours, name) for name in ("Old", "Closed", "New"))
    make_waitlist(theirs, "Theirs")
    for waitlist, size in ((old, 2), (closed, 1)):
        for _ in range(size):
            make_subscriber(waitlist)
    move(closed, "archive")

    assert summaries(ours) == [("New", 0, False), ("Old", 2, False), ("Closed", 1, True)]
    assert new.public_id == newest_id(ours)


def test_summaries_cost_one_query(app: Flask) -> None:
    organisation = make_organisation()
    for _ in range(3):
        make_subscriber(make_waitlist(organisation))

    with recorded(app) as statements:
        assert len(summaries(organisation)) == 3
    assert len(statements) == 1


def test_the_newest_waitlist_is_an_open_one_of_their_own(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    make_waitlist(theirs)
    assert newest_id(ours) is None

    first, second = make_waitlist(ours), make_waitlist(ours)
    assert newest_id(ours) == second.public_id
    move(second, "archive")
    assert newest_id(ours) == first.public_id
