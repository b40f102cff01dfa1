"""Listing and creating subscribers."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models import ActivityEvent, Scope, Subscriber, Waitlist, db, writing
from tests.api_client import (
    ApiClient,
    Caller,
    assert_api_headers,
    body,
    make_caller,
    nothing_written,
    problem,
    subscribers_path,
    wrong_fields,
)
from tests.factories import (
    ACTOR,
    all_rows,
    count,
    events,
    in_context,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_waitlist,
)
from tests.queries import recorded

ITEM = {"id", "email", "joined_at", "position", "referral_code", "referral_count"}
CODE = re.compile("[23456789ABCDEFGHJKLMNPQRSTUVWXYZ]{6}")


def join(caller: Caller, email: str, **fields: Any) -> TestResponse:
    return caller.api.post(caller.path, {"email": email, **fields})


def listed(caller: Caller, query: str = "") -> list[str]:
    """The e-mails of a page."""
    return [item["email"] for item in body(caller.api.get(f"{caller.path}?{query}"))["items"]]


@in_context
def change(waitlist: Waitlist, verb: Callable[[Waitlist], object]) -> None:
    """Do something to a waitlist as the console would."""
    with writing():
        verb(db.session.get_one(Waitlist, waitlist.id))


def archive(waitlist: Waitlist) -> None:
    change(waitlist, lambda here: here.archive(ACTOR))


def switch_referrals(waitlist: Waitlist, has_referrals: bool) -> None:
    change(
        waitlist,
        lambda here: here.change_settings(
            name=here.name, referral_skip=here.referral_skip, has_referrals=has_referrals, actor=ACTOR
        ),
    )


# Listing.


def test_an_empty_line_is_an_empty_page(app: Flask) -> None:
    caller = make_caller(app)

    response = caller.api.get(caller.path)

    assert body(response) == {"items": [], "total": 0, "page": 1, "limit": 25}
    assert response.content_type == "application/json"
    assert_api_headers(response)


def test_an_item_has_exactly_the_listed_fields(app: Flask) -> None:
    caller = make_caller(app)
    began = datetime.now(UTC).replace(microsecond=0)
    created = body(join(caller, "Ada@example.org"))

    (item,) = body(caller.api.get(caller.path))["items"]

    assert item == created
    assert item.keys() == ITEM
    assert isinstance(item["id"], str)
    assert item["id"].isdecimal()
    assert (item["email"], item["position"], item["referral_count"]) == ("Ada@example.org", 1, 0)
    assert CODE.fullmatch(item["referral_code"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["joined_at"])
    assert began <= datetime.fromisoformat(item["joined_at"]) <= began + timedelta(minutes=1)


def test_one_referral_with_skip_two_moves_number_six_to_exactly_place_four(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, referral_skip=2)
    _, token = make_api_key(organisation)
    caller = Caller(ApiClient(app, token), subscribers_path(waitlist), organisation, waitlist, *make_api_key())
    sixth = [body(join(caller, f"{letter}@example.org")) for letter in "abcdef"][-1]
    assert sixth["position"] == 6

    referred = body(join(caller, "g@example.org", referred_by=sixth["referral_code"]))

    items = body(caller.api.get(caller.path))["items"]
    assert "".join(item["email"][0] for item in items) == "abcfdeg"
    assert [item["position"] for item in items] == [1, 2, 3, 4, 5, 6, 7]
    assert items[3] == sixth | {"position": 4, "referral_count": 1}
    assert referred["position"] == 7
    assert referred["referral_count"] == 0


def test_pages_cut_the_line_and_a_page_past_the_end_is_empty(app: Flask) -> None:
    caller = make_caller(app)
    emails = [f"{letter}@example.org" for letter in "abcdefg"]
    for email in emails:
        make_subscriber(caller.waitlist, email)

    for limit in (1, 2, 3, 7, 200):
        pages = [listed(caller, f"page={page}&limit={limit}") for page in range(1, 9)]
        assert [email for page in pages for email in page] == emails
        assert all(len(page) <= limit for page in pages)
    for page in (8, 1000, 2147483647):
        past = body(caller.api.get(f"{caller.path}?page={page}&limit=1"))
        assert past == {"items": [], "total": 7, "page": page, "limit": 1}


def test_every_page_past_the_end_of_an_empty_line_is_empty(app: Flask) -> None:
    caller = make_caller(app)

    for page in (2, 9, 2147483647):
        assert body(caller.api.get(f"{caller.path}?page={page}")) == {
            "items": [],
            "total": 0,
            "page": page,
            "limit": 25,
        }


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ada", ["Ada@example.org"]),
        ("ADA", ["Ada@example.org"]),
        ("@", ["Ada@example.org", "100%@example.org", "a_b@example.org", "ÉVA@bücher.example.org"]),
        ("%", ["100%@example.org"]),
        ("0%@", ["100%@example.org"]),
        ("_", ["a_b@example.org"]),
        ("a_b", ["a_b@example.org"]),
        ("a%b", []),
        ("\\", []),
        ("é", ["ÉVA@bücher.example.org"]),
        ("Éva", ["ÉVA@bücher.example.org"]),
        ("BÜCHER", ["ÉVA@bücher.example.org"]),
        ("xn--", []),
        ("' OR 1=1--", []),
        ("/", []),
        ("[a]", []),
        ("*", []),
        ("a" * 254, []),
        ("EXAMPLE.ORG", ["Ada@example.org", "100%@example.org", "a_b@example.org", "ÉVA@bücher.example.org"]),
    ],
)
def test_q_is_a_literal_part_of_the_address_whatever_the_case(app: Flask, q: str, found: list[str]) -> None:
    caller = make_caller(app)
    for email in ("Ada@example.org", "100%@example.org", "a_b@example.org", "ÉVA@bücher.example.org"):
        make_subscriber(caller.waitlist, email)
    make_subscriber(make_waitlist(caller.organisation), "ada@elsewhere.example.org")

    page = body(caller.api.get(caller.path, query_string={"q": q}))

    assert [item["email"] for item in page["items"]] == found
    assert page["total"] == len(found)


def test_positions_are_those_in_the_whole_line_while_searching(app: Flask) -> None:
    caller = make_caller(app)
    for email in ("a@example.org", "b@example.com", "c@example.org", "d@example.com"):
        make_subscriber(caller.waitlist, email)

    page = body(caller.api.get(f"{caller.path}?q=.com&limit=1&page=2"))

    assert [(item["email"], item["position"]) for item in page["items"]] == [("d@example.com", 4)]
    assert page["total"] == 2


def test_head_is_get_without_a_body(app: Flask) -> None:
    caller = make_caller(app)
    make_subscriber(caller.waitlist)
    get, head = caller.api.get(caller.path), caller.api.send("HEAD", caller.path)

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["Link"] == get.headers["Link"]
    refused = caller.api.send("HEAD", caller.path, headers={"Authorization": ""})
    assert (refused.status_code, refused.data) == (401, b"")


def test_a_list_costs_a_handful_of_queries_however_long_it_is(app: Flask) -> None:
    caller = make_caller(app)
    caller.api.get(caller.path)
    costs = []
    for _ in range(3):
        for _ in range(4):
            make_subscriber(caller.waitlist)
        with recorded(app) as queries:
            assert caller.api.get(caller.path).status_code == 200
        costs.append(len(queries))

    assert costs == [costs[0]] * 3
    assert costs[0] <= 4
    assert not any("email_identity" in query for query in queries)  # columns, not entities


# Which waitlists there are for a key.


@pytest.mark.parametrize(
    "waitlist_id",
    ["wl_", "nonsense", "1", "wl_00000000000", "wl_0000000000000", "wl_00000000000%00", "WL_000000000000", "wl_٠" * 12],
)
def test_a_malformed_id_is_not_found_without_a_query(app: Flask, waitlist_id: str) -> None:
    caller = make_caller(app)
    caller.api.get(caller.path)
    path = f"/v1/api/waitlists/{waitlist_id}/subscribers"

    with recorded(app) as queries, nothing_written():
        problem(caller.api.get(path), 404, "not_found")
        problem(caller.api.post(path, {"email": "ada@example.org"}), 404, "not_found")

    assert not any("waitlists" in query for query in queries)
    with recorded(app) as queries:
        problem(caller.api.get("/v1/api/waitlists/wl_000000000000/subscribers"), 404, "not_found")
    assert any("waitlists" in query for query in queries)


def test_unknown_archived_and_foreign_waitlists_get_one_and_the_same_answer(app: Flask) -> None:
    caller = make_caller(app)
    foreign, archived = make_waitlist(), make_waitlist(caller.organisation)
    archive(archived)
    paths = [*map(subscribers_path, (foreign, archived)), "/v1/api/waitlists/wl_000000000000/subscribers"]

    with nothing_written():
        responses = [caller.api.get(path) for path in paths]
        responses += [caller.api.post(path, {"email": "ada@example.org"}) for path in paths]

    documents = [problem(response, 404, "not_found") | {"request_id": ""} for response in responses]
    assert all(document == documents[0] for document in documents)
    assert caller.api.get(caller.path).status_code == 200
    change(archived, lambda here: here.restore(ACTOR))
    assert caller.api.get(subscribers_path(archived)).status_code == 200


@pytest.mark.parametrize("path", ["{}/", "{}//", "{};x=1", "{}/.", "{}%2f", "{}/../subscribers", "/.{}", "{}\0"])
def test_odd_spellings_of_a_path_never_give_data(app: Flask, path: str) -> None:
    caller = make_caller(app)
    make_subscriber(caller.waitlist)

    response = caller.api.get("/", environ_overrides={"PATH_INFO": path.format(caller.path)})
    shouted = caller.api.get(caller.path.replace("/v1/api", "/V1/API"))

    assert (response.status_code, shouted.status_code) == (404, 404)
    assert "example.org" not in response.text + shouted.text
    assert "example.org" in caller.api.get(caller.path).text


# Creating.


def test_a_sign_up_is_created_with_one_event_of_the_key(app: Flask) -> None:
    caller = make_caller(app)
    headers = {"User-Agent": "curl/8"}

    response = caller.api.post(caller.path, {"email": "Ada@example.org"}, headers=headers)

    assert response.status_code == 201
    assert response.content_type == "application/json"
    assert_api_headers(response)
    (event,) = events("subscriber.created")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("api_key", caller.key.id, caller.key.name)
    assert event.actor_prefix == caller.key.prefix
    assert (event.target_type, event.target_id) == ("subscriber", body(response)["id"])
    assert event.target_label == "Ada@example.org"
    assert (event.ip, event.user_agent) == ("127.0.0.1", "curl/8")
    assert event.request_id == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "again",
    ["ada@example.org", "ADA@EXAMPLE.ORG", "Ada@example.org"],
)
@pytest.mark.parametrize("extra", [{}, {"referred_by": None}, {"referred_by": "ZZZZZZ"}, {"referred_by": ""}])
def test_a_known_address_is_answered_as_it_stands_and_nothing_is_written(
    app: Flask, again: str, extra: dict[str, Any]
) -> None:
    caller = make_caller(app)
    first = join(caller, "Ada@example.org")
    make_subscriber(caller.waitlist)

    with nothing_written():
        response = join(caller, again, **extra)

    assert (first.status_code, response.status_code) == (201, 200)
    assert body(response) == body(first)


def test_a_known_address_credits_nobody(app: Flask) -> None:
    caller = make_caller(app)
    referrer = body(join(caller, "a@example.org"))
    join(caller, "b@example.org", referred_by=referrer["referral_code"])

    for _ in range(2):
        assert join(caller, "b@example.org", referred_by=referrer["referral_code"]).status_code == 200

    assert body(caller.api.get(caller.path))["items"][0]["referral_count"] == 1


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("a@bücher.example.org", "a@xn--bcher-kva.example.org", 200),
        ("a@xn--bcher-kva.example.org", "A@BÜCHER.example.org", 200),
        ("é@example.org", "e\u0301@example.org", 200),
        ("É@example.org", "e\u0301@example.org", 200),
        ("a@apple.com", "a@аpple.com", 201),  # a Cyrillic letter
        ("a@example.org", "a+1@example.org", 201),
    ],
)
def test_an_address_is_known_by_its_identity_and_shown_as_it_first_came(
    app: Flask, first: str, second: str, status: int
) -> None:
    caller = make_caller(app)
    join(caller, first)

    response = join(caller, second)

    assert response.status_code == status
    assert body(response)["email"] == (first if status == 200 else second)


@pytest.mark.parametrize(
    "email", ["a" * 65 + "@example.org", "a@b@example.org", "a@example.org\r\nBcc: b@x.org", "Ada <a@example.org>", " "]
)
def test_an_address_that_is_none_is_refused_in_words(app: Flask, email: str) -> None:
    caller = make_caller(app)

    with nothing_written():
        response = join(caller, email)

    assert wrong_fields(response) == ["email"]
    assert "Value error" not in response.text
    assert join(caller, "a" * 64 + "@example.org").status_code == 201


def test_the_longest_address_fits_both_databases(app: Flask) -> None:
    caller = make_caller(app)
    longest = "İ" * 32 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 57 + ".org"
    assert len(longest.encode()) == 254

    assert join(caller, longest).status_code == 201
    assert listed(caller, "q=bbb") == [longest]


def test_a_code_of_nobody_here_is_refused(app: Flask) -> None:
    caller = make_caller(app)
    mine = body(join(caller, "a@example.org"))["referral_code"]
    elsewhere = make_subscriber(make_waitlist(caller.organisation)).referral_code

    with nothing_written():
        for code in ("ZZZZZZ", "", mine.lower() if mine.lower() != mine else "x", f" {mine}", "x" * 5000, elsewhere):
            assert wrong_fields(join(caller, "b@example.org", referred_by=code)) == ["referred_by"]

    assert join(caller, "b@example.org", referred_by=mine).status_code == 201


def test_while_referrals_are_off_there_are_no_codes_and_no_credit(app: Flask) -> None:
    caller = make_caller(app)
    early = body(join(caller, "early@example.org"))
    switch_referrals(caller.waitlist, False)

    for code in (early["referral_code"], "ZZZZZZ"):
        response = join(caller, f"{code}@example.org", referred_by=code)
        assert response.status_code == 201
        assert body(response)["referral_code"] == ""
    items = body(caller.api.get(caller.path))["items"]
    assert [item["referral_code"] for item in items] == ["", "", ""]
    assert [item["referral_count"] for item in items] == [0, 0, 0]

    switch_referrals(caller.waitlist, True)
    items = body(caller.api.get(caller.path))["items"]
    assert [item["referral_code"] for item in items] == [early["referral_code"], "", ""]
    assert body(join(caller, "late@example.org", referred_by=early["referral_code"]))["referral_code"] != ""
    assert body(caller.api.get(caller.path))["items"][0]["referral_count"] == 1


def test_one_address_is_on_as_many_waitlists_and_organisations_as_it_likes(app: Flask) -> None:
    mine, other = make_caller(app), make_caller(app)
    second = subscribers_path(make_waitlist(mine.organisation))

    assert join(mine, "ada@example.org").status_code == 201
    assert join(other, "ada@example.org").status_code == 201
    assert mine.api.post(second, {"email": "ada@example.org"}).status_code == 201
    assert len(events("subscriber.created")) == 3
    assert {event.organisation_id for event in events("subscriber.created")} == {
        mine.organisation.id,
        other.organisation.id,
    }


def test_one_address_sent_by_many_at_once_joins_once(app: Flask) -> None:
    caller = make_caller(app)
    spellings = ["ada@example.org", "Ada@example.org", "ADA@EXAMPLE.ORG", "adA@Example.Org"] * 3

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda email: join(caller, email), spellings))

    assert sorted(response.status_code for response in responses) == [200] * 11 + [201]
    assert len({body(response)["id"] for response in responses}) == 1
    assert (count(Subscriber), len(events("subscriber.created"))) == (1, 1)


def test_many_addresses_sent_at_once_all_join_in_places_of_their_own(app: Flask) -> None:
    caller = make_caller(app)

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda n: join(caller, f"{n}@example.org"), range(16)))

    assert [response.status_code for response in responses] == [201] * 16
    assert sorted(body(response)["position"] for response in responses) == list(range(1, 17))
    assert len(events("subscriber.created")) == 16


def test_reading_leaves_no_event(app: Flask) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ])
    make_subscriber(caller.waitlist)
    before = [event.id for event in all_rows(ActivityEvent)]

    for query in ("", "q=x", "page=2"):
        assert caller.api.get(f"{caller.path}?{query}").status_code == 200

    assert [event.id for event in all_rows(ActivityEvent)] == before


def test_markup_in_what_a_client_sends_comes_back_as_it_was(app: Flask) -> None:
    caller = make_caller(app)
    agent = '"><img src=x onerror=alert(1)>{{7*7}}'
    email = "{{7*7}}'+`x`@example.org"

    response = caller.api.post(caller.path, {"email": email}, headers={"User-Agent": agent})

    assert body(response)["email"] == email
    (event,) = events("subscriber.created")
    assert (event.user_agent, event.target_label) == (agent, email)


def test_a_user_agent_of_any_length_and_letters_is_no_obstacle(app: Flask) -> None:
    caller = make_caller(app)

    for nth, agent in enumerate(["x" * 5000, "é\x01\x1b[31m", ""]):
        response = caller.api.post(caller.path, {"email": f"{nth}@example.org"}, headers={"User-Agent": agent})
        assert response.status_code == 201
