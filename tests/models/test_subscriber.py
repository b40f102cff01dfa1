"""Joining a line, alone and many at once: who joins, who is there already, and who cannot."""

import pytest

from models import (
    Actor,
    AlreadyJoined,
    EmailAddress,
    Entry,
    Plan,
    RuleBroken,
    Signup,
    Subscriber,
    Waitlist,
    WaitlistArchived,
    writing,
)
from tests.factories import ACTOR, all_rows, events, make_organisation, make_subscriber, make_waitlist

pytestmark = pytest.mark.usefixtures("context")


def signup(email: str, referred_by: str | None = None) -> Signup:
    return Signup(EmailAddress.parse(email), referred_by)


def joined_each(waitlist: Waitlist, *signups: Signup, actor: Actor = ACTOR) -> list[Entry | RuleBroken | None]:
    with writing():
        return Subscriber.join_each(Waitlist.by_public_id(waitlist.public_id), signups, actor)


def test_newcomers_stand_at_the_end_in_the_order_given() -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist, "ada@example.org")

    outcomes = joined_each(waitlist, signup("grace@example.org"), signup("alan@example.org"))

    assert [(entry.email, entry.position) for entry in outcomes if isinstance(entry, Entry)] == [
        ("grace@example.org", 2),
        ("alan@example.org", 3),
    ]
    assert len({subscriber.referral_code for subscriber in all_rows(Subscriber)}) == 3


def test_each_signup_has_its_own_outcome_and_only_new_ones_an_event() -> None:
    waitlist = make_waitlist(referral_skip=1)
    ada = make_subscriber(waitlist, "ada@example.org")

    new, known, again, nobodys = joined_each(
        waitlist,
        signup("grace@example.org", ada.referral_code),
        signup("ADA@example.org", "NOBODY"),  # whoever is there stays, whatever the code says
        signup("Grace@EXAMPLE.org"),
        signup("alan@example.org", "ZZZZZZ"),
    )

    assert isinstance(new, Entry)
    assert new.position == 2
    assert (known, again) == (None, None)
    assert isinstance(nobodys, RuleBroken)
    assert nobodys.field == "referred_by"
    assert [event.target_label for event in events("subscriber.created")] == ["ada@example.org", "grace@example.org"]
    assert [(one.email, one.referral_count, one.priority_score) for one in all_rows(Subscriber)] == [
        ("ada@example.org", 1, 1),
        ("grace@example.org", 0, 0),
    ]


def test_several_referrals_in_one_batch_count_each() -> None:
    waitlist = make_waitlist(referral_skip=4)
    ada = make_subscriber(waitlist, "ada@example.org")

    joined_each(waitlist, *(signup(f"friend{nth}@example.org", ada.referral_code) for nth in range(3)))

    (referrer, *friends) = all_rows(Subscriber)
    assert (referrer.referral_count, referrer.priority_score) == (3, 12)
    assert {friend.referred_by_id for friend in friends} == {ada.id}
    assert events("subscriber.created")[-1].details["referred_by"] == str(ada.id)


def test_while_referrals_are_off_nobody_is_credited_and_codes_are_not_given() -> None:
    waitlist = make_waitlist(has_referrals=False)

    (entry,) = joined_each(waitlist, signup("ada@example.org", "NOBODY"))

    assert isinstance(entry, Entry)
    assert entry.referral_code == ""
    assert [one.referral_code for one in all_rows(Subscriber)] == [None]


def test_a_known_address_is_told_from_a_new_one_by_the_index() -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist, "ada@example.org")

    with pytest.raises(AlreadyJoined), writing():
        Subscriber.join(Waitlist.by_public_id(waitlist.public_id), EmailAddress.parse("Ada@example.org"), ACTOR)

    assert len(all_rows(Subscriber)) == 1
    assert Waitlist.by_public_id(waitlist.public_id).subscribers_count == 1


def test_nobody_joins_an_archived_waitlist() -> None:
    waitlist = make_waitlist()
    with writing():
        Waitlist.by_public_id(waitlist.public_id).archive(ACTOR)

    with pytest.raises(WaitlistArchived):
        joined_each(waitlist, signup("ada@example.org"))
    assert all_rows(Subscriber) == []

    with writing():
        Waitlist.by_public_id(waitlist.public_id).restore(ACTOR)
    assert isinstance(joined_each(waitlist, signup("ada@example.org"))[0], Entry)


def test_two_waitlists_know_nothing_of_each_other() -> None:
    organisation = make_organisation(plan=Plan.TEAM)
    one, other = make_waitlist(organisation), make_waitlist(organisation)
    ada = make_subscriber(one, "ada@example.org")

    mine, theirs = joined_each(other, signup("ada@example.org"), signup("grace@example.org", ada.referral_code))

    assert isinstance(mine, Entry)
    assert mine.position == 1
    assert isinstance(theirs, RuleBroken)
