"""Query parameters of a call that takes none."""

import pytest
from flask import Flask

from tests.api_client import ApiClient, make_caller, nothing_written, problem, wrong_fields

SIGNUP = {"email": "ada@example.org"}


@pytest.mark.parametrize("query", ["page=1", "x", "email=a%40example.org", "x=1&x=2", "%00=1", "=1", "%FF=1"])
def test_a_sign_up_takes_no_parameters(app: Flask, query: str) -> None:
    caller = make_caller(app)
    unknown = "/v1/api/waitlists/wl_000000000000/subscribers"

    with nothing_written():
        assert len(wrong_fields(caller.api.post(f"{caller.path}?{query}", SIGNUP))) == 1
        problem(caller.api.post(f"{unknown}?{query}", SIGNUP), 404, "not_found")
        problem(ApiClient(app, None).post(f"{caller.path}?{query}", SIGNUP), 401, "missing_token")

    assert caller.api.post(caller.path, SIGNUP).status_code == 201
