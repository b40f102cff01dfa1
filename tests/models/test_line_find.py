"""The place of one subscriber, asked for by address."""

import pytest

from models import line
from tests.factories import make_subscriber, make_waitlist

pytestmark = pytest.mark.usefixtures("context")


def test_a_subscriber_is_found_with_their_place_and_nobody_else_is() -> None:
    waitlist, other = make_waitlist(), make_waitlist()
    make_subscriber(waitlist, "Ada@example.org")
    grace = make_subscriber(waitlist, "Grace@example.org")
    make_subscriber(other, "eve@example.org")

    found = line.find(waitlist, "grace@example.org")

    assert found is not None
    assert (found.id, found.email, found.position) == (grace.id, "Grace@example.org", 2)
    assert line.get(waitlist, "grace@example.org") == found
    for elsewhere in ("eve@example.org", "nobody@example.org"):
        assert line.find(waitlist, elsewhere) is None
        with pytest.raises(LookupError, match=waitlist.public_id):
            line.get(waitlist, elsewhere)


def test_several_are_found_at_once_by_their_addresses() -> None:
    waitlist = make_waitlist()
    for name in ("Ada", "Grace", "Alan"):
        make_subscriber(waitlist, f"{name}@example.org")
    make_subscriber(make_waitlist(), "eve@example.org")
    wanted = ["alan@example.org", "ada@example.org", "eve@example.org"]

    found = line.find_all(waitlist, wanted)

    assert found == {address: line.find(waitlist, address) for address in wanted[:2]}
    assert line.find_all(waitlist, []) == {}


@pytest.mark.parametrize("q", ["", "grace"])
def test_a_waitlist_that_is_not_theirs_has_no_page(q: str) -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist, "grace@example.org")
    own = line.live_page(waitlist.organisation_id, waitlist.public_id, offset=0, limit=5, q=q)
    assert own is not None
    assert own.total == 1

    assert line.live_page(waitlist.organisation_id + 1, waitlist.public_id, offset=0, limit=5, q=q) is None
    assert line.live_page(waitlist.organisation_id, "wl_000000000000", offset=0, limit=5, q=q) is None
