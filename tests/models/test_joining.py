"""Many who join the same line at once: nobody is lost, counted twice, or told that the database is locked."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from models import AlreadyJoined, EmailAddress, Entry, Subscriber, Waitlist, db, line, line_check, transact
from tests.factories import ACTOR, all_rows, events, make_subscriber, make_waitlist

WRITERS = 8
JOINS_EACH = 25


def join(app: Flask, waitlist: Waitlist, email: str, referred_by: str | None = None) -> Entry:
    """Join as a request would, in a context of its own."""
    with app.app_context():
        here = Waitlist.by_public_id(waitlist.public_id)
        address = EmailAddress.parse(email)
        return transact(lambda: Subscriber.join(here, address, ACTOR, referred_by=referred_by))


def test_eight_writers_leave_a_line_without_a_gap(app: Flask) -> None:
    waitlist = make_waitlist(referral_skip=3)
    codes = [make_subscriber(waitlist, f"first{nth}@example.org").referral_code for nth in range(5)]

    def write(writer: int) -> None:
        chance = random.Random(writer)
        for nth in range(JOINS_EACH):
            join(app, waitlist, f"w{writer}n{nth}@example.org", chance.choice([None, *codes]))

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))

    total = len(codes) + WRITERS * JOINS_EACH
    subscribers = all_rows(Subscriber)
    assert [subscriber.join_number for subscriber in sorted(subscribers, key=lambda one: one.join_number)] == list(
        range(1, total + 1)
    )
    in_order = sorted(subscribers, key=lambda one: (one.line_key, -one.join_number))
    with app.app_context():
        here = Waitlist.by_public_id(waitlist.public_id)
        page = line.page(here, offset=0, limit=total)
        assert line_check.differences(here) == []
    assert [entry.id for entry in page.entries] == [subscriber.id for subscriber in in_order]
    assert page.total == total
    assert sum(one.referral_count for one in subscribers) == sum(one.referred_by_id is not None for one in subscribers)
    assert sorted(event.target_id for event in events("subscriber.created")) == sorted(
        str(one.id) for one in subscribers
    )


def test_one_address_sent_by_many_at_once_joins_once(app: Flask) -> None:
    waitlist = make_waitlist()

    def write(nth: int) -> str:
        try:
            join(app, waitlist, "ADA@example.org" if nth % 2 else "ada@example.org")
        except AlreadyJoined:
            return "already joined"
        return "joined"

    with ThreadPoolExecutor(WRITERS) as writers:
        outcomes = list(writers.map(write, range(50)))

    assert outcomes.count("joined") == 1
    assert len(all_rows(Subscriber)) == 1
    assert len(events("subscriber.created")) == 1


@pytest.mark.usefixtures("context")
def test_a_taken_referral_code_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waitlist = make_waitlist()
    taken = make_subscriber(waitlist).referral_code
    draws = iter([taken, "AAAAAA"])
    monkeypatch.setattr("models.subscriber._code", lambda: next(draws))
    here = Waitlist.by_public_id(waitlist.public_id)

    entry = transact(lambda: Subscriber.join(here, EmailAddress.parse("ada@example.org"), ACTOR))

    assert entry.referral_code == "AAAAAA"
    numbers = db.session.scalars(select(Subscriber.join_number).order_by(Subscriber.id)).all()
    assert numbers == [1, 2]
