"""A backend that calls the customer API with a token, and what it may rely on in every answer."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from flask import Flask
from werkzeug.test import TestResponse

from models import ActivityEvent, ApiKey, Organisation, Plan, Scope, Subscriber, Waitlist
from tests.described import assert_described
from tests.factories import BOTH, all_rows, count, make_api_key, make_organisation, make_waitlist


class ApiClient:
    """Sends requests with a token and without cookies; every answer must be one that the description has."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self._client = app.test_client(use_cookies=False)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        """Send any request; `headers` come on top of the token's."""
        response = self._client.open(path, method=method, headers=self._headers | (headers or {}), **kwargs)
        if kwargs.get("buffered", True):
            assert_described(self._client.application, method, path, response)
        return response

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Send a GET request."""
        return self.send("GET", path, **kwargs)

    def post(self, path: str, body: Any, **kwargs: Any) -> TestResponse:
        """Send a POST request with a JSON body."""
        return self.send("POST", path, json=body, **kwargs)


class Caller(NamedTuple):
    """A client with a key of its own, and a waitlist of the key's organisation to call about."""

    api: ApiClient
    path: str
    organisation: Organisation
    waitlist: Waitlist
    key: ApiKey
    token: str


def make_caller(app: Flask, scopes: Collection[Scope] = BOTH, plan: Plan = Plan.PRO) -> Caller:
    """A caller in a new organisation."""
    organisation = make_organisation(plan=plan)
    waitlist = make_waitlist(organisation)
    key, token = make_api_key(organisation, scopes=scopes)
    return Caller(ApiClient(app, token), subscribers_path(waitlist), organisation, waitlist, key, token)


def subscribers_path(waitlist: Waitlist) -> str:
    """The path of a waitlist's subscribers."""
    return f"/v1/api/waitlists/{waitlist.public_id}/subscribers"


def body(response: TestResponse) -> Any:
    """The parsed JSON of a response."""
    return response.get_json()


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, once it is found to be a whole one (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"].endswith(f"/docs/errors#{code}")
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert {"title", "detail"} <= document.keys()
    assert_api_headers(response)
    return document


def assert_api_headers(response: TestResponse) -> None:
    """What every response under the API's root carries."""
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Vary"] == "Authorization"
    assert "Set-Cookie" not in response.headers
    assert not any(name.startswith("Access-Control-") for name, _ in response.headers)


def wrong_fields(response: TestResponse) -> list[str]:
    """The fields that a 422 names."""
    return [error["field"] for error in problem(response, 422, "validation_failed")["errors"]]


@contextmanager
def nothing_written() -> Iterator[None]:
    """No subscriber and no event came to be in between."""
    before = count(Subscriber), count(ActivityEvent)
    yield
    assert (count(Subscriber), count(ActivityEvent)) == before


@contextmanager
def refused() -> Iterator[None]:
    """As `nothing_written`, and no key counts as used."""
    before = [key.last_used_at for key in all_rows(ApiKey)]
    with nothing_written():
        yield
    assert [key.last_used_at for key in all_rows(ApiKey)] == before
