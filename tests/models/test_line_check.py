"""Whether the line's index agrees with its rows, and its repair."""

import pytest
from flask import Flask
from sqlalchemy import text

from models import Waitlist, db, line_check, writing
from tests.factories import make_subscriber, make_waitlist

DAMAGES = {
    "total": "UPDATE waitlists SET subscribers_count = subscribers_count + 1",
    "referred": "UPDATE waitlists SET referred_count = 7",
    "next join number": "UPDATE waitlists SET next_join_number = 1",
    "chunk 0 of 2^8 line keys": "UPDATE line_counts SET count = count - 1 WHERE shift = 8",
    "chunk 0 of 2^12 line keys": "DELETE FROM line_counts WHERE shift = 12",
    "chunk 99 of 2^8 line keys": "INSERT INTO line_counts (waitlist_id, shift, chunk, count)"
    " SELECT id, 8, 99, 0 FROM waitlists",
}


def make_line() -> Waitlist:
    waitlist = make_waitlist(referral_skip=1)
    first = make_subscriber(waitlist, "ada@example.org")
    make_subscriber(waitlist, "grace@example.org", referred_by=first.referral_code)
    return waitlist


@pytest.mark.usefixtures("context")
def test_an_untouched_line_has_no_differences() -> None:
    assert line_check.differences(make_line()) == []


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("what", DAMAGES)
def test_each_wrong_number_is_found_and_repaired(what: str) -> None:
    waitlist = make_line()
    with writing():
        db.session.execute(text(DAMAGES[what]))

    assert [difference.what for difference in line_check.differences(waitlist)] == [what]

    waitlist = Waitlist.by_public_id(waitlist.public_id)
    assert [difference.what for difference in line_check.repair(waitlist)] == [what]
    assert line_check.differences(waitlist) == []


def test_a_row_missing_in_sqlites_search_index_is_put_back(app: Flask) -> None:
    with app.app_context():
        waitlist = make_line()
        if db.engine.dialect.name != "sqlite":
            assert line_check.differences(waitlist) == []  # PostgreSQL keeps its own index
            return
        with writing():
            db.session.execute(text("INSERT INTO subscriber_search (subscriber_search) VALUES ('delete-all')"))
        waitlist = Waitlist.by_public_id(waitlist.public_id)
        assert [difference.what for difference in line_check.repair(waitlist)] == ["rows in the search index"]
        assert line_check.differences(waitlist) == []
