"""Everybody on a waitlist, once, in the order in which they joined."""

import tracemalloc
from itertools import chain

import pytest
from flask import Flask

from models import EmailAddress, Signup, Subscriber, SubscriberExport, Waitlist, subscriber_export, writing
from models.base import db
from tests.factories import ACTOR, make_subscriber, make_waitlist
from tests.queries import recorded


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber_export, "BATCH", 3)


def export_of(waitlist: Waitlist, after_id: int | None = None) -> SubscriberExport:
    export = SubscriberExport.of(waitlist, after_id)
    assert export is not None
    return export


def emails(export: SubscriberExport) -> list[str]:
    return [subscriber.email for subscriber in chain(*export.batches())]


def fill(waitlist: Waitlist, count: int, start: int = 0) -> None:
    signups = [Signup(EmailAddress.parse(f"{nth}@example.org")) for nth in range(start, start + count)]
    with writing():
        Subscriber.join_all(Waitlist.by_public_id(waitlist.public_id), signups, ACTOR)


def test_the_order_is_that_of_joining_wherever_people_stand(context: None) -> None:
    waitlist, other = make_waitlist(referral_skip=100), make_waitlist()
    first = make_subscriber(waitlist, "first@example.org")
    make_subscriber(other, "other@example.org")
    second = make_subscriber(waitlist, "second@example.org")
    make_subscriber(waitlist, "third@example.org", referred_by=second.referral_code)

    rows = list(chain(*export_of(waitlist).batches()))

    assert [row.email for row in rows] == ["first@example.org", "second@example.org", "third@example.org"]
    assert [row.join_number for row in rows] == [1, 2, 3]
    assert [row.referral_count for row in rows] == [0, 1, 0]
    assert (rows[0].id, rows[0].referral_code, rows[0].joined_at) == (first.id, first.referral_code, first.joined_at)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_batches_leave_nobody_out_and_name_nobody_twice(context: None, count: int) -> None:
    waitlist = make_waitlist()
    if count:
        fill(waitlist, count)

    assert emails(export_of(waitlist)) == [f"{nth}@example.org" for nth in range(count)]
    assert export_of(waitlist).total == count


def test_an_export_goes_on_behind_a_subscriber(context: None) -> None:
    waitlist = make_waitlist()
    fill(waitlist, 7)
    ids = [row.id for row in chain(*export_of(waitlist).batches())]

    for nth, id_ in enumerate(ids):
        rest = export_of(waitlist, id_)
        assert emails(rest) == [f"{later}@example.org" for later in range(nth + 1, 7)]
        assert rest.total == 6 - nth


def test_nobody_else_is_a_place_to_go_on_from(context: None) -> None:
    waitlist = make_waitlist()
    assert SubscriberExport.of(waitlist, make_subscriber(waitlist).id)
    assert SubscriberExport.of(waitlist, make_subscriber().id) is None
    assert SubscriberExport.of(waitlist, 2**63 - 1) is None


def test_the_line_may_move_and_grow_meanwhile(context: None) -> None:
    waitlist = make_waitlist(referral_skip=100)
    fill(waitlist, 7)
    code = next(chain(*export_of(waitlist).batches())).referral_code
    last = list(chain(*export_of(waitlist).batches()))[-1]
    export = export_of(waitlist)
    batches = export.batches()
    seen = [row.email for row in next(batches)]

    make_subscriber(waitlist, "late@example.org", referred_by=last.referral_code)
    make_subscriber(waitlist, "later@example.org", referred_by=code)
    seen += [row.email for row in chain(*batches)]

    assert seen == [f"{nth}@example.org" for nth in range(7)]
    assert len(seen) == export.total
    assert emails(export_of(waitlist, last.id)) == ["late@example.org", "later@example.org"]


def test_codes_are_hidden_while_referrals_are_off(context: None) -> None:
    waitlist = make_waitlist()
    fill(waitlist, 2)
    assert all(row.referral_code for row in chain(*export_of(waitlist).batches()))
    with writing():
        here = Waitlist.by_public_id(waitlist.public_id)
        here.change_settings(name=here.name, referral_skip=5, has_referrals=False, actor=ACTOR)

    assert [row.referral_code for row in chain(*export_of(waitlist).batches())] == ["", ""]


def test_nothing_is_asked_before_it_is_wanted_and_no_connection_held_in_between(app: Flask) -> None:
    waitlist = make_waitlist()
    with app.app_context():
        fill(waitlist, 7)
        db.session.remove()
        with recorded(app) as queries:
            batches = export_of(waitlist).batches()
            assert len(queries) == 1
            next(batches)
            assert len(queries) == 2
            assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            assert len(list(chain(*batches))) == 4
            assert len(queries) == 5  # the last one finds nothing


def test_an_export_takes_no_more_memory_for_a_longer_line(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber_export, "BATCH", 200)
    waitlist = make_waitlist()

    def peak() -> int:
        tracemalloc.start()
        for _ in export_of(waitlist).batches():
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    fill(waitlist, 400)
    peak()  # what is compiled and cached once does not count
    short = peak()
    fill(waitlist, 1_600, start=400)
    assert peak() < short * 1.5
