"""Which waitlists there are for a key."""

from collections.abc import Callable

import pytest
from flask import Flask

from models import Waitlist, db, writing
from tests.api_client import (
    make_caller,
    nothing_written,
    problem,
    subscribers_path,
)
from tests.factories import (
    ACTOR,
    in_context,
    make_subscriber,
    make_waitlist,
)
from tests.queries import recorded


@in_context
def change(waitlist: Waitlist, verb: Callable[[Waitlist], object]) -> None:
    """Do something to a waitlist as the console would."""
    with writing():
        verb(db.session.get_one(Waitlist, waitlist.id))


def archive(waitlist: Waitlist) -> None:
    change(waitlist, lambda here: here.archive(ACTOR))


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
