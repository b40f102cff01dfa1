"""A migration that counts a line of a million anew: how long it takes, and that the line is the same afterwards."""

import time
from random import Random

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from models import EmailAddress, Signup, Subscriber, Waitlist, line, line_check, transact
from tests.factories import ACTOR, make_waitlist
from tests.soak.report import figure, trials

PEOPLE = 1_000_000
BATCH = 5_000
PAGES = 50


@pytest.mark.by_hand  # a million events are not joined with their rows within a test
def test_a_line_of_a_million_is_the_same_after_its_counts_were_made_anew(app: Flask) -> None:
    waitlist, people, chance = make_waitlist(), trials(PEOPLE, BATCH), Random(7)
    with app.app_context():
        code: str | None = None
        for first in range(0, people, BATCH):
            emails = (EmailAddress.parse(f"person{nth}@example.org") for nth in range(first, first + BATCH))
            signups = [Signup(email, code if nth % 3 == 0 else None) for nth, email in enumerate(emails)]
            code = transact(lambda: _join(waitlist.public_id, signups))  # noqa: B023  # run before the next
        offsets = [0, people - 25, *(chance.randrange(people) for _ in range(PAGES))]
        expected = [line.page(waitlist, offset=offset, limit=25) for offset in offsets]

        downgrade(revision="0001")
        began = time.perf_counter()
        upgrade()
        seconds = time.perf_counter() - began

        assert [line.page(waitlist, offset=offset, limit=25) for offset in offsets] == expected
        assert line_check.differences(waitlist) == []
        assert all(page.total == people for page in expected)
    engine = str(app.config["DATABASE_URL"]).partition(":")[0]
    figure(f"T164: seconds to migrate a line from the oldest version, {engine}", round(seconds, 1), people)


def _join(public_id: str, signups: list[Signup]) -> str:
    """Join everybody; a referral code of one of them."""
    return Subscriber.join_all(Waitlist.by_public_id(public_id), signups, ACTOR)[0].referral_code
