"""The line of an archived waitlist: closed to the customer API, open to whoever looks after it."""

import pytest
from flask import Flask

from models import Waitlist, line, transact
from tests.factories import ACTOR, in_context, make_organisation, make_subscriber, make_waitlist


@in_context
def archive(waitlist: Waitlist) -> None:
    """Archive it."""
    transact(lambda: Waitlist.by_public_id(waitlist.public_id).archive(ACTOR))


@pytest.mark.parametrize("offset", [0, 1, 9])
@pytest.mark.parametrize("q", ["", "ada"])
def test_an_archived_line_can_be_read_but_not_through_the_api(app: Flask, offset: int, q: str) -> None:
    waitlist = make_waitlist()
    for name in ("ada", "adam"):
        make_subscriber(waitlist, f"{name}@example.org")
    with app.app_context():
        here = (waitlist.organisation_id, waitlist.public_id)
        live = line.live_page(*here, offset=offset, limit=5, q=q)
        archive(waitlist)

        assert line.page(waitlist, offset=offset, limit=5, q=q) == live
        assert live is not None
        assert (len(live.entries), live.total) == (max(0, 2 - offset), 2)
        assert line.live_page(*here, offset=offset, limit=5, q=q) is None


@pytest.mark.parametrize("q", ["", "ada"])
def test_a_waitlist_that_is_not_there_has_an_empty_line(app: Flask, q: str) -> None:
    nowhere = Waitlist(organisation_id=make_organisation().id, public_id="wl_abcdefghjkmn")
    with app.app_context():
        assert line.page(nowhere, offset=0, limit=5, q=q) == line.Page([], 0)
        assert line.live_page(nowhere.organisation_id, nowhere.public_id, offset=0, limit=5, q=q) is None
