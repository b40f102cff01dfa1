"""The request log: one whole line for each request, and no request that fails for it."""

import os

import orjson
import pytest
from flask import Flask

from blueprints import request_log
from tests.api_client import ApiClient, make_caller


def test_a_line_names_the_request_the_route_and_the_key_by_its_prefix(
    app: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    caller = make_caller(app)

    response = caller.api.get(f"{caller.path}?q=ada@example.org")

    (line,) = capfd.readouterr().out.splitlines()
    told = orjson.loads(line)
    assert sorted(told) == ["id", "key", "method", "ms", "organisation", "route", "status", "time"]
    assert told["id"] == response.headers["X-Request-Id"]
    assert (told["method"], told["status"], told["key"]) == ("GET", 200, caller.key.prefix)
    assert told["route"] == "/v1/api/waitlists/<waitlist_id>/subscribers"
    assert told["organisation"] == caller.key.organisation_id
    assert told["ms"] > 0
    assert told["time"].endswith("Z")


def test_a_path_that_is_no_route_is_not_written_down(app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    ApiClient(app, None).get("/v1/api/a-secret-in-a-path?and=another")

    (line,) = capfd.readouterr().out.splitlines()
    assert orjson.loads(line)["route"] is None
    assert "secret" not in line


def test_a_log_that_takes_no_line_fails_no_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(request_log, "STANDARD_OUTPUT", writing)

    with pytest.raises(BrokenPipeError):
        os.write(writing, b"a line")
    assert caller.api.get(caller.path).status_code == 200
    os.close(writing)
