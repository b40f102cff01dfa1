"""Query parameters and bodies, field by field."""

from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.api.problems import VALIDATION_FAILED, Problem
from blueprints.api.schemas import LIMIT_MAX, PAGE_MAX, ListQuery, Signup
from tests.api_client import make_caller, nothing_written, wrong_fields


def wrong(query: str | bytes) -> list[str]:
    """The fields that a query string is refused for."""
    with pytest.raises(Problem) as raised:
        ListQuery.from_query_string(query if isinstance(query, bytes) else query.encode())
    assert raised.value.type is VALIDATION_FAILED
    errors = raised.value.extra["errors"]
    assert all(error.keys() == {"field", "message"} and error["message"] for error in errors)
    return [error["field"] for error in errors]


def test_parameters_have_their_defaults_and_their_bounds() -> None:
    query = ListQuery.from_query_string(b"")
    assert (query.page, query.limit, query.q, query.offset) == (1, 25, "", 0)

    query = ListQuery.from_query_string(b"page=2147483647&limit=200&q=" + b"a" * 254)
    assert (query.page, query.limit, query.q) == (PAGE_MAX, LIMIT_MAX, "a" * 254)
    assert query.offset == (2**31 - 2) * 200


NO_NUMBERS = [
    *("", "0", "-1", "+1", "01", "1.0", "1e3", "abc", "1_0", "%201", "1%20", "1%0A", "0x1", "١", "１", "²"),
    *("true", "null", "2147483648", "4294967297", "9223372036854775808", "9" * 30, "9" * 5000, "1%00", "1,2"),
]


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("name", ["page", "limit"])
def test_other_numbers_are_wrong(name: str, value: str) -> None:
    assert wrong(f"{name}={value}") == [name]
    assert ListQuery.from_query_string(f"{name}=2".encode())


@given(st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_numbers_are_ascii_digits_without_a_leading_zero(value: str) -> None:
    from urllib.parse import quote_plus

    query = f"page={quote_plus(value, errors='ignore')}".encode()
    value = value.encode("utf-8", "ignore").decode()
    if value.isascii() and value.isdigit() and not value.startswith("0") and int(value) <= PAGE_MAX:
        assert ListQuery.from_query_string(query).page == int(value)
    else:
        assert wrong(query) == ["page"]


def test_a_limit_ends_at_200() -> None:
    assert wrong("limit=201") == ["limit"]
    assert ListQuery.from_query_string(b"limit=200").limit == 200


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("page=1&page=1", ["page"]),
        ("page=1&limit=2&page=3&limit=2", ["page", "limit"]),
        ("q=&q=", ["q"]),
        ("x=1&x=2", ["x"]),
        ("sort=email", ["sort"]),
        ("Page=1", ["Page"]),
        ("page[]=1", ["page[]"]),
        ("page=0&limit=0&x=", ["page", "limit", "x"]),
        ("access_token=x", ["access_token"]),
        ("page", ["page"]),
        ("=", ["query"]),
        ("q=%00", ["q"]),
        ("q=a%00b", ["q"]),
        ("q=" + "a" * 255, ["q"]),
        ("q=%ff", ["query"]),
        ("q=%ed%a0%80", ["query"]),
        (b"q=\xff", ["query"]),
        (b"\xff", ["query"]),
        ("page=1;limit=2", ["page"]),
    ],
)
def test_repeats_and_unknown_and_unreadable_parameters_are_wrong(query: str | bytes, fields: list[str]) -> None:
    assert wrong(query) == fields


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("page=0", "Use a whole number from 1, in digits without a sign or leading zero."),
        ("page=2147483648", "Use 2147483647 or less."),
        ("limit=201", "Use 200 or less."),
        ("q=" + "a" * 255, "Use 254 characters or fewer."),
        ("q=%00", "NUL is not part of an e-mail address."),
        ("x=1", "There is no such field."),
        ("page=1&page=2", "Send this parameter once."),
    ],
)
def test_what_is_wrong_is_said_in_words(query: str, message: str) -> None:
    with pytest.raises(Problem) as raised:
        ListQuery.from_query_string(query.encode())
    assert [error["message"] for error in raised.value.extra["errors"]] == [message]


def test_q_is_taken_as_it_is() -> None:
    assert ListQuery.from_query_string(b"q=a%2Bb+c%25_&&").q == "a+b c%_"
    assert ListQuery.from_query_string("q=é".encode()).q == "é"
    assert ListQuery.from_query_string(b"q=%C3%A9").q == "é"
    assert len(ListQuery.from_query_string(("q=" + "é" * 254).encode()).q) == 254


@given(st.binary(max_size=40) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "ignore")))
@settings(max_examples=300, deadline=None)
def test_any_query_string_is_read_or_refused(query: bytes) -> None:
    try:
        parsed = ListQuery.from_query_string(query)
    except Problem:
        assert wrong(query)
    else:
        assert parsed.page >= 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email"]),
        ({"email": None}, ["email"]),
        ({"email": 1}, ["email"]),
        ({"email": ["a@example.org"]}, ["email"]),
        ({"email": ""}, ["email"]),
        ({"email": "Ada <a@example.org>"}, ["email"]),
        ({"email": "a@example.org", "referred_by": 1}, ["referred_by"]),
        ({"email": "a@example.org", "referred_by": True}, ["referred_by"]),
        ({"email": "a@example.org", "referred_by": []}, ["referred_by"]),
        ({"email": "a@example.org", "position": 1}, ["position"]),
        ({"email": "a@example.org", "waitlist_id": "x", "org_id": 1, "id": 1}, ["waitlist_id", "org_id", "id"]),
        ({"Email": "a@example.org"}, ["email", "Email"]),
        ({"email": "nonsense", "x": 1, "referred_by": 1}, ["email", "referred_by", "x"]),
        ([], ["body"]),
        ([{"email": "a@example.org"}], ["body"]),
        ("a@example.org", ["body"]),
        (1, ["body"]),
        (True, ["body"]),
    ],
)
def test_a_wrong_sign_up_names_its_fields_and_writes_nothing(app: Flask, body: Any, fields: list[str]) -> None:
    caller = make_caller(app)

    with nothing_written():
        assert wrong_fields(caller.api.post(caller.path, body)) == fields

    assert caller.api.post(caller.path, {"email": "a@example.org", "referred_by": None}).status_code == 201


@given(st.dictionaries(st.sampled_from(["email", "referred_by", "x"]), st.none() | st.text(max_size=9) | st.integers()))
@settings(max_examples=100, deadline=None)
def test_any_object_is_a_sign_up_or_is_refused(value: dict[str, Any]) -> None:
    with suppress(Problem):  # and nothing else
        assert Signup.parse(value).email.shown == value["email"]
