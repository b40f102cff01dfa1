"""A browser without scripts: a test client that fills in forms as a person would."""

import re
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import User
from tests.factories import PASSWORD


class BufferedClient(FlaskClient):
    """Reads every response to its end, so that what runs after a response has run."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request."""
        kwargs.setdefault("buffered", True)
        return super().open(*args, **kwargs)


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden inputs of a page, by name; of several with one name the last."""
    inputs = re.findall(r'<input[^>]*type="hidden"[^>]*>', html)
    return {_attribute(tag, "name"): _attribute(tag, "value") for tag in inputs}


def submit(client: FlaskClient, url: str, data: dict[str, Any] | None = None, page: str = "") -> TestResponse:
    """Open the page with the form (by default at the same address), fill it in and send it."""
    fields = hidden_fields(client.get(page or url).text)
    return client.post(url, data=fields | (data or {}))


def sign_in(app: Flask, user: User, password: str = PASSWORD) -> FlaskClient:
    """A client with the user's session."""
    client = app.test_client()
    response = submit(client, "/login", {"email": user.email, "password": password})
    assert response.status_code == 302, response.text
    return client


def try_to_sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **kwargs: Any) -> TestResponse:
    """Fill in the sign-in form and send it."""
    fields = hidden_fields(client.get("/login").text)
    return client.post("/login", data=fields | {"email": email, "password": password}, **kwargs)


def is_signed_in(client: FlaskClient) -> bool:
    """Whether the client's session is somebody's."""
    return client.get("/account").status_code == 200


def session_cookie(client: FlaskClient) -> str:
    """The value of the client's session cookie."""
    cookie = client.get_cookie("queuekey")
    assert cookie is not None
    return cookie.value


def page_with_cookie(app: Flask, value: str) -> TestResponse:
    """Open a page with this session cookie and nothing else: a client with a jar would drop the header."""
    return app.test_client(use_cookies=False).get("/account", headers={"Cookie": f"queuekey={value}"})


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""
