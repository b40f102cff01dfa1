"""A backend that calls the customer API with a token."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from models import Waitlist


class ApiClient:
    """Sends requests with a token and without cookies."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self._client = app.test_client(use_cookies=False)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        """Send any request; `headers` come on top of the token's."""
        return self._client.open(path, method=method, headers=self._headers | (headers or {}), **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Send a GET request."""
        return self.send("GET", path, **kwargs)

    def post(self, path: str, body: Any, **kwargs: Any) -> TestResponse:
        """Send a POST request with a JSON body."""
        return self.send("POST", path, json=body, **kwargs)


def subscribers_path(waitlist: Waitlist) -> str:
    """The path of a waitlist's subscribers."""
    return f"/v1/api/waitlists/{waitlist.public_id}/subscribers"


def body(response: TestResponse) -> Any:
    """The parsed JSON of a response."""
    return response.get_json()
