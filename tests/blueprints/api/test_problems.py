"""Problem documents: for every error, whole and absolute."""

import pytest
from flask import Flask

from blueprints.api import problems
from tests.api_client import ApiClient, body, make_caller, problem


def test_the_catalogue_is_that_of_the_contract() -> None:
    assert [(kind.status, kind.code) for kind in problems.CATALOGUE] == [
        (400, "invalid_request"),
        (401, "missing_token"),
        (401, "invalid_token"),
        (403, "feature_not_allowed"),
        (403, "insufficient_scope"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (413, "body_too_large"),
        (415, "unsupported_media_type"),
        (422, "validation_failed"),
        (429, "rate_limited"),
        (500, "internal_error"),
        (503, "unavailable"),
    ]
    assert all(kind.title and kind.when and kind.what_to_do for kind in problems.CATALOGUE)


def test_type_is_absolute_under_the_requests_host_or_the_public_url(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ApiClient(app, None)
    here = body(client.get("/v1/api/x", base_url="http://127.0.0.1:5017"))
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://queuekey.example")
    public = body(client.get("/v1/api/x", base_url="http://127.0.0.1:5017"))

    assert here["type"] == "http://127.0.0.1:5017/docs/errors#not_found"
    assert public["type"] == "https://queuekey.example/docs/errors#not_found"


def test_a_document_has_its_members_and_no_others(app: Flask) -> None:
    caller = make_caller(app)

    document = problem(caller.api.get("/v1/api/x"), 404, "not_found")
    assert document.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    document = problem(caller.api.get(f"{caller.path}?page=0"), 422, "validation_failed")
    assert document.keys() == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert document["errors"] == [
        {"field": "page", "message": "Use a whole number from 1, in digits without a sign or leading zero."}
    ]


def test_outside_the_api_errors_are_pages(app: Flask) -> None:
    for path in ("/nothing", "/v1/nothing", "/v1/apix"):
        response = app.test_client().get(path)
        assert response.status_code == 404
        assert response.mimetype == "text/html"
    problem(ApiClient(app, None).get("/v1/api/nothing"), 404, "not_found")


def test_every_request_has_an_id_of_its_own_which_no_client_chooses(app: Flask) -> None:
    caller = make_caller(app)
    headers = {"X-Request-Id": "mine"}

    ids = {caller.api.get(caller.path, headers=headers).headers["X-Request-Id"] for _ in range(3)}

    assert len(ids) == 3
    assert "mine" not in ids


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", 'localhost:1"; rel=x', "local host"])
def test_a_host_that_is_none_of_ours_is_refused_and_not_repeated(app: Flask, host: str) -> None:
    caller = make_caller(app)

    response = caller.api.get(caller.path, headers={"Host": host})

    document = problem(response, 400, "invalid_request")
    assert document["detail"].startswith("The Host header is not ours. ")
    assert host not in response.text + str(response.headers)
    assert caller.api.get(caller.path, headers={"Host": "localhost:5017"}).status_code == 200
