"""The line on a waitlist's page: search, and 25 at a time."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Organisation, Role
from tests.console import sign_in
from tests.factories import make_organisation, make_subscriber, make_user, make_waitlist


def member_of(app: Flask, organisation: Organisation) -> FlaskClient:
    return sign_in(app, make_user(organisation, role=Role.MEMBER))


def shown_addresses(response: TestResponse) -> list[str]:
    return re.findall(r"<bdi>([^<]+@[^<]+)</bdi>", response.text)


def test_search_leaves_the_addresses_that_match_at_their_place_in_the_whole_line(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    for email in ("ada@example.org", "bob@example.com", "Ada@Example.com", "a%b@example.org"):
        make_subscriber(waitlist, email)
    client, page = member_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    found = client.get(f"{page}?q= ADA ")

    assert shown_addresses(found) == ["ada@example.org", "Ada@Example.com"]
    assert re.findall(r'class="qk-num qk-muted">(\d+)<', found.text) == ["1", "3"]
    assert 'name="q" value="ADA"' in found.text
    assert shown_addresses(client.get(f"{page}?q=%25")) == ["a%b@example.org"]
    assert shown_addresses(client.get(f"{page}?q=_")) == []
    assert "No e-mail matches" in client.get(f"{page}?q=nobody").text


def test_the_line_is_shown_25_at_a_time(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    for number in range(1, 28):
        make_subscriber(waitlist, f"s{number}@example.org")
    client, page = member_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    first, second = client.get(f"{page}?q=example"), client.get(f"{page}?q=example&page=2")

    assert shown_addresses(first) == [f"s{number}@example.org" for number in range(1, 26)]
    assert shown_addresses(second) == ["s26@example.org", "s27@example.org"]
    assert "1–25 of 27" in first.text
    assert "26–27 of 27" in second.text
    assert f'href="{page}?q=example&amp;page=2" rel="next"' in first.text
    assert 'rel="prev"' not in first.text
    assert f'href="{page}?q=example" rel="prev"' in second.text
    assert 'rel="next"' not in second.text


@pytest.mark.parametrize("page", ["0", "-1", "abc", "", "1e3", "1_0", "１", "%00", "9" * 30, "2147483648"])
def test_junk_for_a_page_number_is_never_a_fault(app: Flask, page: str) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist, "only@example.org")
    client, path = member_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    assert client.get(f"{path}?page={page}").status_code in ({400} if page == "%00" else {200})
    assert shown_addresses(client.get(f"{path}?page=1")) == ["only@example.org"]


def test_a_page_past_the_end_says_so(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist)

    response = member_of(app, organisation).get(f"/waitlists/{waitlist.public_id}?page=999999999")

    assert response.status_code == 200
    assert "This page is past the end" in response.text


def test_a_search_that_no_address_can_contain_finds_nothing(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist, "only@example.org")
    client, path = member_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    for junk in ("%00", "on%00ly", "%FF", "%ED%A0%80"):
        response = client.get(f"{path}?q={junk}")
        assert (response.status_code, shown_addresses(response)) == (200, [])
        assert "\0" not in response.text
    assert shown_addresses(client.get(f"{path}?q=only")) == ["only@example.org"]
