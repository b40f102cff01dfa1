"""What a join tells: the entry, the event, the words of a refusal, and codes that nobody has yet."""

import re
from itertools import chain, repeat

import pytest

from models import EmailAddress, Entry, RuleBroken, Signup, Subscriber, TryAgain, Waitlist, WaitlistArchived, writing
from models import subscriber as joins
from models.base import db
from tests.factories import ACTOR, all_rows, events, make_subscriber, make_waitlist

pytestmark = pytest.mark.usefixtures("context")


def join(waitlist: Waitlist, *emails: str, referred_by: str | None = None) -> list[Entry]:
    """Join with everybody at once."""
    with writing():
        here = Waitlist.by_public_id(waitlist.public_id)
        signups = [Signup(EmailAddress.parse(email), referred_by) for email in emails]
        return Subscriber.join_all(here, signups, ACTOR)


def test_the_entry_is_the_row_that_was_written() -> None:
    (entry,) = join(make_waitlist(), "ada@example.org")

    (row,) = all_rows(Subscriber)
    assert (entry.id, entry.email, entry.position) == (row.id, "ada@example.org", 1)
    assert (entry.joined_at, entry.referral_code, entry.referral_count) == (row.joined_at, row.referral_code, 0)
    assert re.fullmatch("[2-9A-HJ-NP-Z]{6}", entry.referral_code)


def test_the_event_names_the_waitlist_and_whoever_referred_them() -> None:
    waitlist = make_waitlist()
    ada = make_subscriber(waitlist, "ada@example.org")
    (grace,) = join(waitlist, "Grace@example.org", referred_by=ada.referral_code)

    second, first = sorted(events("subscriber.created"), key=lambda event: event.id, reverse=True)
    where = {"waitlist": waitlist.name, "waitlist_id": waitlist.public_id}
    assert where.items() <= first.details.items()
    assert "referred_by" not in first.details
    assert (where | {"referred_by": str(ada.id)}).items() <= second.details.items()
    assert (second.target_type, second.target_id, second.target_label) == (
        "subscriber",
        str(grace.id),
        "Grace@example.org",
    )


def test_refusals_say_what_is_wrong() -> None:
    waitlist = make_waitlist()
    with pytest.raises(RuleBroken) as unknown:
        join(waitlist, "ada@example.org", referred_by="AAAAAA")
    assert (unknown.value.field, unknown.value.message) == (
        "referred_by",
        "No subscriber of this waitlist has this referral code.",
    )

    here = Waitlist.by_public_id(waitlist.public_id)
    with writing():
        db.session.get_one(Waitlist, here.id).archive(ACTOR)
    with pytest.raises(WaitlistArchived, match=waitlist.public_id):
        join(waitlist, "ada@example.org")
    assert all_rows(Subscriber) == []


def test_a_code_that_somebody_has_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waitlist = make_waitlist()
    taken = make_subscriber(waitlist).referral_code
    drawn = chain([taken, "AAAAAA", "AAAAAA"], ["BBBBBB"], repeat("CCCCCC"))
    monkeypatch.setattr(joins, "_code", lambda: next(drawn))

    pair = join(waitlist, "ada@example.org", "grace@example.org")

    assert {entry.referral_code for entry in pair} == {"AAAAAA", "BBBBBB"}


def test_a_single_code_that_somebody_has_is_told_as_a_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waitlist = make_waitlist()
    taken = make_subscriber(waitlist).referral_code
    monkeypatch.setattr(joins, "_code", lambda: taken)

    with pytest.raises(TryAgain):
        join(waitlist, "ada@example.org")

    monkeypatch.undo()
    assert len(join(waitlist, "ada@example.org")) == 1


def test_a_code_of_another_waitlist_is_free_on_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = str(make_subscriber().referral_code)
    drawn = chain([elsewhere, "AAAAAA"])
    monkeypatch.setattr(joins, "_code", lambda: next(drawn))

    pair = join(make_waitlist(), "ada@example.org", "grace@example.org")

    assert {entry.referral_code for entry in pair} == {elsewhere, "AAAAAA"}
