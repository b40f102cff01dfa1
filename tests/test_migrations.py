"""The way up and down between the versions of the database, with people in line."""

from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from models import Waitlist, db, line, line_check
from models.line_count import SHIFTS, LineCount
from tests.factories import make_subscriber, make_waitlist


def test_the_line_is_the_same_after_every_step_down_and_up(app: Flask) -> None:
    waitlist = make_waitlist(referral_skip=7)
    first = make_subscriber(waitlist, "0@example.org")
    for nth in range(1, 30):
        make_subscriber(waitlist, f"{nth}@example.org", referred_by=first.referral_code if nth % 3 else None)
    with app.app_context():
        expected = _emails(waitlist)

        downgrade(revision="0001")
        assert set(_counted_in()) == {20, 15, 10, 5}
        upgrade()

        assert set(_counted_in()) == set(SHIFTS)
        assert list(line_check.differences(waitlist)) == []
        assert _emails(waitlist) == expected


def test_all_the_way_down_leaves_nothing_and_all_the_way_up_serves_again(app: Flask) -> None:
    with app.app_context():
        before = set(inspect(db.engine).get_table_names())

        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
        upgrade()

        assert set(inspect(db.engine).get_table_names()) == before
    waitlist = make_waitlist()
    make_subscriber(waitlist, "ada@example.org")
    with app.app_context():
        assert _emails(waitlist) == ["ada@example.org"]


def _emails(waitlist: Waitlist) -> list[str]:
    return [entry.email for entry in line.page(waitlist, offset=0, limit=100).entries]


def _counted_in() -> list[int]:
    try:
        return list(db.session.scalars(select(LineCount.shift)))
    finally:
        db.session.rollback()
