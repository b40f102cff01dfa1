"""The figures at the top of a waitlist's page."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from models import Subscriber, Waitlist, db, now
from models.subscriber import AlreadyJoined
from models.waitlist_stats import WaitlistStats, stats
from tests.factories import in_context, make_organisation, make_subscriber, make_waitlist
from tests.queries import recorded

WEEK = timedelta(days=7)


@in_context
def figures(waitlist: Waitlist) -> WaitlistStats:
    return stats(Waitlist.by_public_id(waitlist.public_id))


@in_context
def joined(subscriber: Subscriber, at: datetime) -> None:
    db.session.execute(update(Subscriber).where(Subscriber.id == subscriber.id).values(joined_at=at))
    db.session.commit()


def test_an_empty_line_has_no_figures(app: Flask) -> None:
    assert figures(make_waitlist()) == (0, 0, 0)


def test_a_waitlist_counts_its_own_subscribers_alone(app: Flask) -> None:
    organisation = make_organisation()
    waitlist, other = make_waitlist(organisation), make_waitlist(organisation)
    first = make_subscriber(waitlist)
    make_subscriber(waitlist, referred_by=first.referral_code)
    make_subscriber(waitlist, referred_by=first.referral_code)
    make_subscriber(other)

    assert figures(waitlist) == WaitlistStats(subscribers=3, joined_last_7_days=3, by_referral=2)
    assert figures(other) == WaitlistStats(subscribers=1, joined_last_7_days=1, by_referral=0)


def test_a_second_signup_of_one_address_counts_once(app: Flask) -> None:
    waitlist = make_waitlist()
    first = make_subscriber(waitlist, "ada@example.org")
    with pytest.raises(AlreadyJoined):
        make_subscriber(waitlist, "Ada@Example.org", referred_by=first.referral_code)

    assert figures(waitlist) == (1, 1, 0)


@pytest.mark.parametrize("old", range(5))
def test_only_the_last_7_days_are_recent(app: Flask, old: int) -> None:
    waitlist = make_waitlist()
    subscribers = [make_subscriber(waitlist) for _ in range(4)]
    for subscriber in subscribers[:old]:
        joined(subscriber, now() - WEEK - timedelta(seconds=1))
    for subscriber in subscribers[old:]:
        joined(subscriber, now() - WEEK + timedelta(minutes=1))

    assert figures(waitlist) == (4, 4 - old, 0)


def test_figures_cost_few_queries(app: Flask) -> None:
    waitlist = make_waitlist()
    for _ in range(20):
        make_subscriber(waitlist)

    with recorded(app) as statements:
        figures(waitlist)

    assert len(statements) <= 1 + 5  # the waitlist, and a bisection of 20
