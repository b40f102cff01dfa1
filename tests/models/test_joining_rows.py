"""What joining writes: rows, numbers, credits and counts, for one or many at once."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from models import Subscriber, Waitlist, db, joining, line_check, transact
from models.joining import Joined, Newcomer
from tests.factories import ACTOR, all_rows, in_context, make_waitlist

AT = datetime(2026, 5, 3, 18, 30, tzinfo=UTC)

pytestmark = pytest.mark.by_hand  # events are recorded by whoever calls this


def newcomer(name: str, referrer_id: int | None = None) -> Newcomer:
    """Somebody to be, with a referral code of their own."""
    email = f"{name.title()}@example.org"
    return Newcomer(email, email.lower(), email.lower(), f"C0DE{name.upper():.2}", referrer_id)


@in_context
def insert(waitlist: Waitlist, *newcomers: Newcomer) -> Joined | None:
    """Put them in line."""
    return transact(lambda: joining.insert(waitlist.id, newcomers, AT))


@in_context
def differences(waitlist: Waitlist) -> list[object]:
    """Where the line's counts differ from its rows."""
    return list(line_check.differences(Waitlist.by_public_id(waitlist.public_id)))


def test_many_stand_in_the_order_in_which_they_were_given(app: Flask) -> None:
    waitlist = make_waitlist(referral_skip=2)
    first = insert(waitlist, newcomer("ada"), newcomer("bob"), newcomer("cyd"))
    assert first is not None

    second = insert(waitlist, newcomer("dan", first.ids[2]), newcomer("eve", first.ids[2]), newcomer("fay"))

    assert second is not None
    assert (first.total, second.total) == (3, 6)
    rows = all_rows(Subscriber)
    assert [row.id for row in rows] == first.ids + second.ids == list(range(first.ids[0], first.ids[0] + 6))
    assert [row.email for row in rows] == [f"{name}@example.org" for name in ("Ada", "Bob", "Cyd", "Dan", "Eve", "Fay")]
    assert [row.email_identity for row in rows] == [row.email.lower() for row in rows]
    assert [row.join_number for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row.referral_code for row in rows] == first.codes + second.codes
    assert first.codes == ["C0DEAD", "C0DEBO", "C0DECY"]
    assert [row.referred_by_id for row in rows] == [None, None, None, first.ids[2], first.ids[2], None]
    assert [(row.referral_count, row.priority_score) for row in rows] == [(0, 0)] * 2 + [(2, 4)] + [(0, 0)] * 3
    assert {row.joined_at for row in rows} == {AT}
    assert differences(waitlist) == []


def test_while_referrals_are_off_nobody_has_a_code_and_nobody_is_credited(app: Flask) -> None:
    waitlist = make_waitlist(has_referrals=False)
    first = insert(waitlist, newcomer("ada"))
    assert first is not None

    second = insert(waitlist, newcomer("bob", first.ids[0]), newcomer("cyd", first.ids[0]))

    assert second is not None
    assert (first.codes, second.codes) == ([None], [None, None])
    told = [(row.email, row.referral_code, row.referred_by_id, row.referral_count) for row in all_rows(Subscriber)]
    assert told == [(f"{name}@example.org", None, None, 0) for name in ("Ada", "Bob", "Cyd")]
    assert [row.join_number for row in all_rows(Subscriber)] == [1, 2, 3]
    assert differences(waitlist) == []


def test_an_archived_waitlist_takes_nobody(app: Flask) -> None:
    waitlist = make_waitlist()
    with app.app_context():
        transact(lambda: Waitlist.by_public_id(waitlist.public_id).archive(ACTOR))

    assert insert(waitlist, newcomer("ada")) is None

    assert all_rows(Subscriber) == []
    with app.app_context():
        here = db.session.get_one(Waitlist, waitlist.id)
        assert (here.subscribers_count, here.next_join_number) == (0, 1)
