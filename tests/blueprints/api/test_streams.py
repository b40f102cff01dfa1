"""How many streams one process answers at once."""

import gc
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from blueprints.api import streams
from blueprints.api.problems import Problem
from blueprints.api.streams import ALTOGETHER, PER_ORGANISATION, count_stream
from tests.api_client import make_caller, nothing_written, problem
from tests.factories import make_subscriber


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context("/v1/api/fresh"):
        yield
    gc.collect()
    assert not streams._running


def stream(organisation_id: int) -> Response:
    response = Response()
    count_stream(response, organisation_id)
    return response


def test_an_organisation_has_its_streams_and_no_more() -> None:
    running = [stream(1) for _ in range(PER_ORGANISATION)]

    with pytest.raises(Problem, match="rate_limited") as refusal:
        stream(1)
    assert int(refusal.value.headers["Retry-After"]) > 0
    running.append(stream(2))

    running[0].close()
    running[0].close()
    running.append(stream(1))
    with pytest.raises(Problem, match="rate_limited"):
        stream(1)


def test_all_organisations_together_leave_threads_for_other_calls() -> None:
    running = [stream(organisation_id) for organisation_id in range(ALTOGETHER)]

    with pytest.raises(Problem, match="unavailable"):
        stream(ALTOGETHER)
    running.pop().close()
    assert stream(ALTOGETHER)


def test_a_response_that_is_forgotten_gives_its_room_back() -> None:
    for _ in range(PER_ORGANISATION + 1):
        stream(1)
        gc.collect()


def test_readers_who_take_their_time_are_counted_and_those_who_go_are_not(app: Flask) -> None:
    caller = make_caller(app)
    make_subscriber(caller.waitlist)
    path = f"{caller.path}/export"
    open_ones = [caller.api.get(path, buffered=False) for _ in range(PER_ORGANISATION)]

    with nothing_written():
        response = caller.api.get(path)
    problem(response, 429, "rate_limited")
    assert response.headers["RateLimit-Policy"] == '"per-key";q=600;w=60'
    assert response.headers["Retry-After"] == "5"
    assert caller.api.get(caller.path).status_code == 200

    open_ones.pop().close()
    assert caller.api.get(path).status_code == 200
    open_ones.pop().close()
