"""The Link header."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.api.pages import link_header
from blueprints.api.schemas import LIMIT_MAX, PAGE_MAX, ListQuery
from tests.api_client import Caller, make_caller
from tests.factories import make_subscriber


def parsed(header: str) -> dict[str, str]:
    """The links by their relation (RFC 8288)."""
    links = [re.fullmatch(r'<([^<>" ]+)>; rel="(\w+)"', part) for part in header.split(", ")]
    assert all(links), header
    return {link[2]: link[1] for link in links if link}


def pages(header: str) -> dict[str, int]:
    """The page numbers by relation."""
    return {rel: int(parse_qs(urlsplit(address).query)["page"][0]) for rel, address in parsed(header).items()}


def followed(caller: Caller, rel: str, address: str) -> list[str]:
    """The e-mails on every page from an address on, link by link."""
    emails: list[str] = []
    while address:
        parts = urlsplit(address)
        response = caller.api.get(f"{parts.path}?{parts.query}")
        assert response.status_code == 200
        emails += [item["email"] for item in response.get_json()["items"]]
        address = parsed(response.headers["Link"]).get(rel, "")
    return emails


@pytest.mark.parametrize(
    ("query", "total", "expected"),
    [
        ("", 0, {"first": 1, "last": 1}),
        ("", 25, {"first": 1, "last": 1}),
        ("", 26, {"first": 1, "next": 2, "last": 2}),
        ("page=2", 26, {"first": 1, "prev": 1, "last": 2}),
        ("page=2", 60, {"first": 1, "prev": 1, "next": 3, "last": 3}),
        ("page=2", 0, {"first": 1, "prev": 1, "last": 1}),
        ("page=9", 60, {"first": 1, "prev": 3, "last": 3}),
        ("page=4", 60, {"first": 1, "prev": 3, "last": 3}),
        ("page=2147483647&limit=200", 1, {"first": 1, "prev": 1, "last": 1}),
        ("limit=1", 3, {"first": 1, "next": 2, "last": 3}),
    ],
)
def test_links_name_the_pages_there_are(app: Flask, query: str, total: int, expected: dict[str, int]) -> None:
    with app.test_request_context("/v1/api/waitlists/wl_x/subscribers"):
        assert pages(link_header(ListQuery.from_query_string(query.encode()), total)) == expected


@given(st.integers(1, PAGE_MAX), st.integers(1, LIMIT_MAX), st.integers(0, 10**9), st.text(max_size=254))
@settings(max_examples=100, deadline=None)
def test_any_page_has_links_that_can_be_asked_for(page: int, limit: int, total: int, q: str) -> None:
    query = ListQuery(page=page, limit=limit, q=q.encode("utf-8", "ignore").decode().replace("\0", ""))
    with Flask("fresh").test_request_context("/v1/api/waitlists/wl_x/subscribers") as context:
        context.app.config["PUBLIC_URL"] = "https://queuekey.example"
        header = link_header(query, total)

    assert {"first", "last"} <= pages(header).keys()
    for address in parsed(header).values():
        again = ListQuery.from_query_string(urlsplit(address).query.encode())
        assert (again.limit, again.q) == (query.limit, query.q)


def test_links_are_absolute_under_the_requests_host_or_the_public_url(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = make_caller(app)
    here = caller.api.get(caller.path, base_url="http://127.0.0.1:5017").headers["Link"]
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://queuekey.example")
    public = caller.api.get(caller.path, base_url="http://127.0.0.1:5017").headers["Link"]

    assert parsed(here)["first"] == f"http://127.0.0.1:5017{caller.path}?page=1"
    assert parsed(public)["first"] == f"https://queuekey.example{caller.path}?page=1"


def test_following_next_and_prev_meets_everybody_once(app: Flask) -> None:
    caller = make_caller(app)
    emails = [f"{letter}+é@example.org" for letter in "abcdefg"]
    for email in [*emails, "other@example.com"]:
        make_subscriber(caller.waitlist, email)
    begin = f"{caller.path}?limit=3&q=%2B%C3%A9%40example.org"
    last = parsed(caller.api.get(begin).headers["Link"])["last"]

    assert followed(caller, "next", begin) == emails
    assert sorted(followed(caller, "prev", last)) == emails
