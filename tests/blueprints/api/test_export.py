"""The export as a stream over HTTP."""

import csv
import io
from typing import Any

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models import Plan, Scope, Waitlist, db, subscriber_export, writing
from tests.api_client import (
    Caller,
    assert_api_headers,
    make_caller,
    nothing_written,
    problem,
    refused,
    wrong_fields,
)
from tests.factories import ACTOR, in_context, make_subscriber, make_waitlist, set_plan


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber_export, "BATCH", 2)


def export(caller: Caller, query: str = "", **kwargs: Any) -> TestResponse:
    return caller.api.get(f"{caller.path}/export{query}", **kwargs)


def lines(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [orjson.loads(line) for line in response.data.splitlines()]


def with_five(app: Flask) -> Caller:
    caller = make_caller(app)
    for nth in range(5):
        make_subscriber(caller.waitlist, f"{nth}@example.org")
    return caller


@in_context
def archive(waitlist: Waitlist) -> None:
    with writing():
        db.session.get_one(Waitlist, waitlist.id).archive(ACTOR)


def test_everybody_is_a_line_in_the_order_of_joining(app: Flask) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ])
    ada = make_subscriber(caller.waitlist, "Ada@example.org")
    bob = make_subscriber(caller.waitlist, "bob@example.org")
    make_subscriber(caller.waitlist, "eve@example.org", referred_by=bob.referral_code)

    with nothing_written():
        response = export(caller)

    assert_api_headers(response)
    assert response.content_type == "application/jsonl"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{caller.waitlist.public_id}.jsonl"'
    assert response.headers["X-Total-Count"] == "3"
    assert response.headers["RateLimit"].startswith('"per-key";r=599;')
    assert lines(response)[0] == {
        "id": str(ada.id),
        "email": "Ada@example.org",
        "joined_at": ada.joined_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "join_number": 1,
        "referral_code": ada.referral_code,
        "referral_count": 0,
    }
    assert [line["join_number"] for line in lines(response)] == [1, 2, 3]
    assert [line["referral_count"] for line in lines(response)] == [0, 1, 0]


def test_csv_has_the_same_columns_and_calculates_nothing(app: Flask) -> None:
    caller = make_caller(app)
    for email in ("Ada@example.org", "=cmd@example.org", "+tag@example.org"):
        make_subscriber(caller.waitlist, email)

    response = export(caller, "?format=csv")

    assert response.content_type == "text/csv; charset=utf-8; header=present"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].endswith('.csv"')
    assert response.data.count(b"\r\n") == 4
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["email"] for row in rows] == ["Ada@example.org", "'=cmd@example.org", "'+tag@example.org"]
    for row, line in zip(rows, lines(export(caller, "?format=jsonl")), strict=True):
        assert row == {name: str(value) for name, value in line.items()} | {"email": row["email"]}


def test_an_empty_waitlist_is_an_empty_file(app: Flask) -> None:
    caller = make_caller(app)

    assert export(caller).data == b""
    assert export(caller, "?format=csv").data == b"id,email,joined_at,join_number,referral_code,referral_count\r\n"
    assert export(caller).headers["X-Total-Count"] == "0"


def test_an_export_that_broke_off_goes_on_behind_the_last_line(app: Flask) -> None:
    caller = with_five(app)
    whole = lines(export(caller))

    for nth, line in enumerate(whole):
        rest = export(caller, f"?after={line['id']}")
        assert lines(rest) == whole[nth + 1 :]
        assert rest.headers["X-Total-Count"] == str(4 - nth)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=", "after"),
        ("?after=0", "after"),
        ("?after=01", "after"),
        ("?after=-1", "after"),
        ("?after=1e3", "after"),
        ("?after=%D9%A1", "after"),
        ("?after=9223372036854775807", "after"),
        ("?after=9223372036854775808", "after"),
        ("?after=1&after=2", "after"),
        ("?format=xml", "format"),
        ("?format=", "format"),
        ("?format=CSV", "format"),
        ("?page=1", "page"),
        ("?after=%FF", "query"),
    ],
)
def test_wrong_parameters_are_named(app: Flask, query: str, field: str) -> None:
    caller = with_five(app)
    assert len(lines(export(caller))) == 5

    with nothing_written():
        assert wrong_fields(export(caller, query)) == [field]


def test_a_subscriber_of_another_waitlist_is_no_place_to_go_on_from(app: Flask) -> None:
    caller = with_five(app)
    own, foreign = make_subscriber(caller.waitlist), make_subscriber()
    neighbour = make_subscriber(make_waitlist(caller.organisation))

    assert lines(export(caller, f"?after={own.id}")) == []
    for stranger in (foreign, neighbour):
        assert wrong_fields(export(caller, f"?after={stranger.id}")) == ["after"]


def test_only_the_organisations_open_waitlists_are_exported(app: Flask) -> None:
    caller, foreign = with_five(app), make_subscriber()
    archived = make_waitlist(caller.organisation)
    archive(archived)
    assert len(lines(export(caller))) == 5

    for path in (f"/v1/api/waitlists/{archived.public_id}", "/v1/api/waitlists/wl_nonsense"):
        problem(caller.api.get(f"{path}/subscribers/export?after=x"), 404, "not_found")
    strangers = make_caller(app)
    problem(strangers.api.get(f"{caller.path}/export?after={foreign.id}"), 404, "not_found")


def test_the_export_needs_the_scope_to_read_and_the_plan(app: Flask) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_WRITE])
    reader = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ])
    assert export(reader).status_code == 200

    set_plan(reader.organisation, Plan.FREE)
    with refused():
        assert problem(export(caller), 403, "insufficient_scope")["required_scope"] == "subscribers:read"
        problem(export(reader), 403, "feature_not_allowed")
        problem(caller.api.post(f"{caller.path}/export", {}), 405, "method_not_allowed")


def test_head_tells_the_headers_alone_and_keeps_no_room(app: Flask) -> None:
    caller = with_five(app)

    for _ in range(5):
        response = caller.api.send("HEAD", f"{caller.path}/export")
        assert (response.status_code, response.data) == (200, b"")
        assert response.headers["X-Total-Count"] == "5"
