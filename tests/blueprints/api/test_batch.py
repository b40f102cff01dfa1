"""Many subscribers in one call."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from blueprints.api.body import BATCH_LIMIT_BYTES, BODY_LIMIT_BYTES
from blueprints.api.schemas import BATCH_MAX
from models import Plan, Scope, Subscriber
from tests.api_client import (
    Caller,
    assert_api_headers,
    body,
    make_caller,
    nothing_written,
    problem,
    refused,
    wrong_fields,
)
from tests.factories import (
    count,
    events,
    make_subscriber,
    make_waitlist,
    set_plan,
)
from tests.queries import recorded


def send(caller: Caller, *rows: Any) -> TestResponse:
    return caller.api.post(f"{caller.path}/batch", {"subscribers": rows})


def results(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = body(response)["results"]
    return found


def signup(email: str, referred_by: str | None = None) -> dict[str, Any]:
    return {"email": email} | ({} if referred_by is None else {"referred_by": referred_by})


OTHER_ROWS: list[Any] = [
    signup("no address"),
    signup("ADA@example.org"),
    signup("alan@example.org", "ZZZZZZ"),
    signup("alan@example.org"),
    {"email": "mary@example.org", "age": 5},
    7,
    {},
]


def test_each_row_is_told_what_became_of_it_in_the_order_sent(app: Flask) -> None:
    caller = make_caller(app)
    ada = make_subscriber(caller.waitlist, "Ada@example.org")
    before = len(events())

    response = send(caller, signup("grace@example.org", ada.referral_code), *OTHER_ROWS)

    assert_api_headers(response)
    answer = body(response)
    assert (answer["created"], answer["existing"], answer["invalid"]) == (2, 1, 5)
    found = results(response)
    statuses = ["created", "invalid", "existing", "invalid", "created", "invalid", "invalid", "invalid"]
    assert [result["status"] for result in found] == statuses
    wrong = [error["field"] for result in found for error in result.get("errors", [])]
    assert wrong == ["email", "referred_by", "age", "body", "email"]
    joined = [result["subscriber"] for result in found if "subscriber" in result]
    assert [(person["email"], person["position"]) for person in joined] == [
        ("grace@example.org", 2),
        ("Ada@example.org", 1),
        ("alan@example.org", 3),
    ]
    assert joined[1]["referral_count"] == 1
    created = events()[before:]
    assert [event.target_label for event in created] == ["grace@example.org", "alan@example.org"]
    assert {event.details["batch_id"] for event in created} == {answer["batch_id"]}
    assert {(event.actor_type, event.actor_name, event.action) for event in created} == {
        ("api_key", caller.key.name, "subscriber.created")
    }


def test_the_answers_are_those_of_the_single_call(app: Flask) -> None:
    caller = make_caller(app)

    found = results(send(caller, *(signup(f"{nth}@example.org") for nth in range(3))))

    listed = body(caller.api.get(caller.path))["items"]
    assert [result["subscriber"] for result in found] == listed
    again = body(caller.api.post(caller.path, signup("1@example.org")))
    assert again == listed[1]


def test_sending_a_batch_again_changes_nothing(app: Flask) -> None:
    caller = make_caller(app)
    rows = [signup("ada@example.org"), signup("grace@example.org"), signup("")]
    first = send(caller, *rows)

    with nothing_written():
        second = send(caller, *rows)

    assert [result["status"] for result in results(second)] == ["existing", "existing", "invalid"]
    assert [result.get("subscriber") for result in results(first)] == [
        result.get("subscriber") for result in results(second)
    ]
    assert body(first)["batch_id"] != body(second)["batch_id"]


def test_an_address_that_stands_twice_joins_once(app: Flask) -> None:
    caller = make_caller(app)

    found = results(send(caller, signup("Ada@example.org"), signup("ada@EXAMPLE.org", "ZZZZZZ")))

    assert [result["status"] for result in found] == ["created", "existing"]
    assert found[0]["subscriber"] == found[1]["subscriber"]
    assert count(Subscriber) == 1


def test_a_referrer_must_have_joined_before_the_call_and_is_credited_for_each(app: Flask) -> None:
    caller = make_caller(app)
    first, ada = make_subscriber(caller.waitlist), make_subscriber(caller.waitlist, "ada@example.org")
    stranger = make_subscriber()

    found = results(
        send(
            caller,
            *(signup(f"{nth}@example.org", ada.referral_code) for nth in range(3)),
            signup("x@example.org", stranger.referral_code),
            signup("ADA@example.org"),
        )
    )

    assert [result["status"] for result in found] == ["created"] * 3 + ["invalid", "existing"]
    assert found[3]["errors"][0]["field"] == "referred_by"
    assert (found[4]["subscriber"]["referral_count"], found[4]["subscriber"]["position"]) == (3, 1)
    (of_first,) = results(send(caller, signup(first.email)))
    assert of_first["subscriber"]["position"] == 2


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ([], "body"),
        ({}, "subscribers"),
        ({"subscribers": []}, "subscribers"),
        ({"subscribers": {}}, "subscribers"),
        ({"subscribers": None}, "subscribers"),
        ({"subscribers": [signup("ada@example.org")] * (BATCH_MAX + 1)}, "subscribers"),
        ({"subscribers": [signup("ada@example.org")], "dry_run": True}, "dry_run"),
    ],
)
def test_what_is_no_batch_is_refused_whole(app: Flask, sent: Any, field: str) -> None:
    caller = make_caller(app)

    with nothing_written():
        assert wrong_fields(caller.api.post(f"{caller.path}/batch", sent)) == [field]
    assert send(caller, signup("ada@example.org")).status_code == 200


def test_a_batch_without_a_usable_row_is_answered_and_nothing_is_written(app: Flask) -> None:
    caller = make_caller(app)

    with nothing_written():
        answer = body(send(caller, signup("x"), None))

    assert (answer["created"], answer["existing"], answer["invalid"]) == (0, 0, 2)


def test_as_many_rows_as_may_be_join_with_an_event_each(app: Flask) -> None:
    caller = make_caller(app)
    before = len(events())

    with recorded(app) as queries:
        found = results(send(caller, *(signup(f"{nth}@example.org") for nth in range(BATCH_MAX))))

    assert [result["subscriber"]["position"] for result in found] == list(range(1, BATCH_MAX + 1))
    assert len(events()) - before == BATCH_MAX
    assert len(queries) < 60
    again = results(send(caller, *(signup(f"{nth}@example.org") for nth in range(BATCH_MAX))))
    assert [result["subscriber"] for result in again] == [result["subscriber"] for result in found]


def test_this_call_alone_takes_a_larger_body(app: Flask) -> None:
    caller = make_caller(app)

    def padded(size: int) -> dict[str, Any]:
        content = b'{"subscribers": [{"email": "ada@example.org"}]}'
        return {"data": content.ljust(size), "headers": {"Content-Type": "application/json"}}

    with nothing_written():
        too_large = caller.api.send("POST", f"{caller.path}/batch", **padded(BATCH_LIMIT_BYTES + 1))
        assert "1024 KiB" in problem(too_large, 413, "body_too_large")["detail"]
        single = caller.api.send("POST", caller.path, **padded(BODY_LIMIT_BYTES + 1))
        assert "64 KiB" in problem(single, 413, "body_too_large")["detail"]
    assert caller.api.send("POST", f"{caller.path}/batch", **padded(BATCH_LIMIT_BYTES)).status_code == 200


def test_the_batch_needs_the_scope_to_write_the_plan_and_an_open_waitlist(app: Flask) -> None:
    reader, caller = (
        make_caller(app, scopes=[Scope.SUBSCRIBERS_READ]),
        make_caller(app, scopes=[Scope.SUBSCRIBERS_WRITE]),
    )
    foreign = make_waitlist()
    assert send(caller, signup("ada@example.org")).status_code == 200

    with nothing_written():
        document = problem(send(reader, signup("eve@example.org")), 403, "insufficient_scope")
        assert document["required_scope"] == "subscribers:write"
        path = f"/v1/api/waitlists/{foreign.public_id}/subscribers/batch"
        problem(caller.api.post(path, {"subscribers": [signup("eve@example.org")]}), 404, "not_found")
    set_plan(caller.organisation, Plan.FREE)
    with refused():
        problem(send(caller, signup("eve@example.org")), 403, "feature_not_allowed")
