"""Filters and pages of the activity log."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.blueprints.activity.test_views import LOG, key_actor, lines, link, log, record
from tests.console import sign_in
from tests.factories import events, make_organisation, make_user


@pytest.mark.by_hand
def test_filters_narrow_the_log(app: Flask) -> None:
    admin = make_user(email="maya@fernhill.example", name="Maya")
    organisation = admin.organisation
    record(organisation, ["Ada@example.org"], key_actor())
    record(organisation, ["grace@example.net"], admin.as_actor("198.51.100.24", None, None))
    client = sign_in(app, admin)
    everything = log(client)

    assert len(everything) == 4
    for query, expected in (
        ({"actor": "api_key"}, ["Ada@example.org"]),
        ({"actor": "user"}, ["grace@example.net"]),
        ({"actor": "system"}, [" user.created ", " organisation.created "]),
        ({"action": "user.created"}, [" user.created "]),
        ({"q": "ADA@"}, ["Ada@example.org"]),
        ({"q": "qu_live_AbCd…"}, ["Ada@example.org"]),
        ({"q": " qu_live_AbCd "}, ["Ada@example.org"]),
        ({"q": "203.0.113"}, ["Ada@example.org"]),
        ({"q": "maya@fernhill", "actor": "user"}, ["grace@example.net"]),
        ({"q": "crm-sync", "actor": "api_key", "action": "subscriber.created"}, ["Ada@example.org"]),
        ({"from": "2020-01-01"}, ["grace@example.net", "Ada@example.org", "user.created", "organisation.created"]),
        ({"from": "2020-01-01", "to": "2020-01-01"}, []),
        ({"q": "", "actor": "", "action": "", "from": "", "to": ""}, [""] * 4),
        ({"q": "qu_live_AbCd", "actor": "user"}, []),
    ):
        found = log(client, **query)
        assert len(found) == len(expected), query
        assert all(words in line for words, line in zip(expected, found, strict=True)), query


def test_the_form_keeps_the_filters(app: Flask) -> None:
    query = {"q": 'a"b', "actor": "user", "action": "user.created", "from": "2026-05-03"}

    page = sign_in(app, make_user()).get(LOG, query_string=query).text

    assert 'value="a&#34;b"' in page
    assert '<option selected value="user">' in page
    assert '<option selected value="user.created">' in page
    assert 'value="2026-05-03"' in page


def test_today_has_a_heading_and_can_be_asked_for(app: Flask) -> None:
    admin = make_user()
    client = sign_in(app, admin)
    today = events()[0].at.date()

    headings = [line for line in lines(client.get(LOG)) if " · " in line]

    assert len(headings) in {1, 2}  # two when midnight has just passed
    assert re.fullmatch(rf"(Today|Yesterday) · \w+ {today.day} \w+ {today.year}", headings[-1])
    assert len(log(client, **{"from": today.isoformat()})) == 2
    assert log(client, to="2020-01-01") == []


@pytest.mark.by_hand
@pytest.mark.parametrize("q", ["%", "_", "\\", "' OR 1=1--", "%' OR '1'='1", '";DROP TABLE users;--', "*", "crm?sync"])
def test_the_search_takes_every_sign_literally(app: Flask, q: str) -> None:
    others = make_organisation("Others")
    admin = make_user(make_organisation("Ours"))
    record(others, [f"theirs {q}"])
    client = sign_in(app, admin)
    assert log(client, q=q) == []

    record(admin.organisation, [f"ours {q}"])

    (line,) = log(client, q=q)
    assert f"ours {q}" in line


def test_nothing_found_says_so_and_how_to_go_on(app: Flask) -> None:
    client = sign_in(app, make_user())

    page = client.get(LOG, query_string={"q": "nobody"})

    assert page.status_code == 200
    assert "Nothing matches these filters." in page.text
    assert '<a class="btn btn-quiet" href="/activity">Clear filters</a>' in page.text


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("actor=ghost", "actor", "Choose one from the list."),
        ("actor=USER", "actor", "Choose one from the list."),
        ("action=ship.sunk", "action", "Choose one from the list."),
        ("from=yesterday", "from", "Give a day like 2026-05-03."),
        ("from=2026-02-30", "from", "Give a day like 2026-05-03."),
        ("to=0001-01-01", "to", "Give a day like 2026-05-03."),
        ("to=9999-12-31", "to", "Give a day like 2026-05-03."),
        ("to=99999-12-31", "to", "Give a day like 2026-05-03."),
        ("from=2026-05-04&to=2026-05-03", "to", "This day is before the first one."),
        ("q=" + "x" * 255, "q", "Use 254 characters or fewer."),
        ("q=a%0Ab", "q", "Leave out control characters."),
        ("q=%00", "q", "Leave out control characters."),
    ],
)
def test_a_filter_that_cannot_be_used_is_told_beside_its_field(app: Flask, query: str, field: str, words: str) -> None:
    client = sign_in(app, make_user())

    page = client.get(f"{LOG}?{query}")

    assert page.status_code == 422
    assert f'id="{field}-error">{words}<' in page.text
    assert "<tbody" not in page.text
    assert len(log(client, q="x" * 254)) == 0
    assert len(log(client)) == 2


@pytest.mark.parametrize("name", ["q", "actor", "action", "from", "to", "before", "after"])
def test_no_value_breaks_the_page(app: Flask, name: str) -> None:
    make_organisation("Others")
    client = sign_in(app, make_user())

    for value in ("%00", "a%00b", "%ff", "%ed%a0%80", "9" * 5000, "-1", "1e3", "%F0%9F%94%91", "[]", "%D9%A1", "/"):
        page = client.get(f"{LOG}?{name}={value}")
        assert page.status_code in {200, 400, 404, 422}, value
        assert "Others" not in page.text

    assert client.get(LOG).status_code == 200


@pytest.mark.by_hand
def test_pages_of_fifty_lead_to_one_another_and_keep_the_filters(app: Flask) -> None:
    admin = make_user()
    for number in range(120):
        record(admin.organisation, [f"n{number}@example.org"], key_actor())
        record(admin.organisation, ["unwanted@example.org"])
    client = sign_in(app, admin)
    expected = [f"n{number}@example.org" for number in reversed(range(120))]

    def labels(response: TestResponse) -> list[str]:
        return re.findall(r"n\d+@example\.org", "\n".join(lines(response)))

    first = client.get(f"{LOG}?actor=api_key&q=Example&from=2020-01-01")
    second = client.get(link(first.text, "next"))
    third = client.get(link(second.text, "next"))

    assert [labels(page) for page in (first, second, third)] == [expected[:50], expected[50:100], expected[100:]]
    assert link(first.text, "prev") == link(third.text, "next") == ""
    assert labels(client.get(link(third.text, "prev"))) == expected[50:100]
    assert labels(client.get(link(second.text, "prev"))) == expected[:50]
    assert all("unwanted" not in page.text for page in (first, second, third))
    for part in ("actor=api_key", "q=Example", "from=2020-01-01"):
        assert part in link(second.text, "next")
        assert part in link(second.text, "prev")


@pytest.mark.by_hand
def test_another_organisations_cursor_leads_nowhere(app: Flask) -> None:
    admin, other = make_user(), make_user(make_organisation("Others"))
    record(admin.organisation, [f"{number}@example.org" for number in range(60)])
    record(other.organisation, [f"{number}@example.net" for number in range(60)])
    ours = link(sign_in(app, admin).get(LOG).text, "next")
    assert sign_in(app, admin).get(ours).status_code == 200

    client = sign_in(app, other)
    for query in (ours, ours.replace("before", "after"), f"{LOG}?before=999999", f"{LOG}?after=0"):
        page = client.get(query)
        assert page.status_code == 404
        assert "<tbody" not in page.text
    for cursor in ("9" * 19, "-1", "1.5", "", "x"):
        assert client.get(f"{LOG}?before={cursor}").status_code == 400
    assert "@example.net" in client.get(LOG).text
