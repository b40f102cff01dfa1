"""The customer API has nothing to do with cookies; the console's sessions are as they were."""

from flask import Flask, session

from tests.api_client import assert_api_headers, make_caller
from tests.console import sign_in
from tests.factories import make_user


def test_a_session_is_kept_in_the_console_alone(app: Flask) -> None:
    with app.test_request_context("/login"):
        session["x"] = 1
        response = app.make_response("")
        app.session_interface.save_session(app, session, response)
        assert "Set-Cookie" in response.headers
    with app.test_request_context("/v1/api/waitlists"):
        session["x"] = 1
        response = app.make_response("")
        app.session_interface.save_session(app, session, response)
        assert "Set-Cookie" not in response.headers


def test_a_request_with_a_session_cookie_leaves_it_alone(app: Flask) -> None:
    caller = make_caller(app)
    browser = sign_in(app, make_user(caller.organisation))

    response = browser.get(caller.path, headers={"Authorization": f"Bearer {caller.token}"})

    assert response.status_code == 200
    assert_api_headers(response)
    assert browser.get("/account").status_code == 200


def test_a_broken_cookie_breaks_nothing(app: Flask) -> None:
    caller = make_caller(app)

    response = caller.api.get(caller.path, headers={"Cookie": "queuekey=garbage; =; \xff"})

    assert response.status_code == 200
    assert_api_headers(response)
