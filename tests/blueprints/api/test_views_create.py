"""Creating subscribers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models import Subscriber, Waitlist, db, writing
from tests.api_client import (
    Caller,
    assert_api_headers,
    body,
    make_caller,
    nothing_written,
    subscribers_path,
    wrong_fields,
)
from tests.factories import (
    ACTOR,
    count,
    events,
    in_context,
    make_subscriber,
    make_waitlist,
)


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


def switch_referrals(waitlist: Waitlist, has_referrals: bool) -> None:
    change(
        waitlist,
        lambda here: here.change_settings(
            name=here.name, referral_skip=here.referral_skip, has_referrals=has_referrals, actor=ACTOR
        ),
    )


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
