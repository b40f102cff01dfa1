"""The arithmetic of the order-statistics index."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import db, line, writing
from models.line_count import SHIFTS, Chunk, LineCount, apply, changes
from tests.factories import make_subscriber, make_waitlist
from tests.queries import recorded

KEYS = st.lists(st.integers(-(2**40), 2**40), max_size=20)


@given(came=KEYS, went=KEYS)
def test_every_level_counts_every_key_once(came: list[int], went: list[int]) -> None:
    deltas = changes(came, went)

    for shift in SHIFTS:
        assert sum(delta for chunk, delta in deltas.items() if chunk.shift == shift) == len(came) - len(went)
    assert changes(came, came) == {}
    assert 0 not in deltas.values()


def test_negative_keys_fall_into_chunks_below_nought() -> None:
    assert set(changes([-1])) == {Chunk(shift, -1) for shift in SHIFTS}
    assert set(changes([0])) == {Chunk(shift, 0) for shift in SHIFTS}


def test_nothing_to_add_asks_the_database_nothing(app: Flask) -> None:
    waitlist = make_waitlist()

    with recorded(app) as statements, app.app_context(), writing():
        apply(waitlist.id, {})
        assert statements == []
        apply(waitlist.id, changes([5]))
        assert len(statements) == 1


@pytest.mark.usefixtures("context")
def test_a_chunk_that_empties_loses_its_row() -> None:
    waitlist = make_waitlist()
    with writing():
        apply(waitlist.id, changes([5, 700]))
    assert (
        db.session.scalar(select(func.count()).select_from(LineCount)) == len(SHIFTS) + 1
    )  # apart on the last level alone

    with writing():
        apply(waitlist.id, changes([], [700]))

    assert dict(db.session.execute(select(LineCount.shift, LineCount.count)).all()) == dict.fromkeys(SHIFTS, 1)


@pytest.mark.usefixtures("context")
def test_a_referrer_who_leaves_the_line_behind_leaves_no_empty_chunk() -> None:
    waitlist = make_waitlist(referral_skip=100)
    ada = make_subscriber(waitlist, "ada@example.org")
    for nth in range(40):
        make_subscriber(waitlist, f"friend{nth}@example.org", referred_by=ada.referral_code)

    assert db.session.scalar(select(func.count()).where(LineCount.count == 0)) == 0
    entry = line.find(waitlist, "ada@example.org")
    assert entry is not None
    assert entry.position == 1
