"""A person with a browser without scripts, in front of the shipped server."""

from collections.abc import Mapping
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.console import hidden_fields
from tests.factories import PASSWORD
from tests.system.server import HOST, Reply, Server

Fields = Mapping[str, str | list[str]]
FORM_TYPE = "application/x-www-form-urlencoded"


class Browser:
    """Keeps cookies; every request has a connection of its own, so that all workers get some."""

    def __init__(self, server: Server, address: str = HOST) -> None:
        self.cookies: dict[str, str] = {}
        self._server = server
        self._address = address

    def send(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request and keep the cookies of its answer."""
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = HTTPConnection(HOST, self._server.port, timeout=30, source_address=(self._address, 0))
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return reply

    def get(self, path: str) -> Reply:
        """Open a page."""
        return self.send("GET", path)

    def post(self, path: str, fields: Fields, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a form with exactly these fields."""
        return self.send("POST", path, urlencode(fields, doseq=True), {"Content-Type": FORM_TYPE} | dict(headers or {}))

    def fill_in(self, path: str, fields: Fields, page: str = "", headers: Mapping[str, str] | None = None) -> Reply:
        """Open the page with the form (by default at the same address), fill it in and send it."""
        return self.post(path, self.hidden(page or path) | dict(fields), headers)

    def hidden(self, page: str) -> dict[str, str | list[str]]:
        """The hidden fields of a page."""
        return dict(hidden_fields(self.get(page).body.decode()))

    def sign_in(self, email: str, password: str = PASSWORD, headers: Mapping[str, str] | None = None) -> Reply:
        """Fill in the sign-in form and send it."""
        return self.fill_in("/login", {"email": email, "password": password}, headers=headers)

    def another_with_its_cookies(self) -> "Browser":
        """Somebody who has copied the cookies as they are now."""
        copy = Browser(self._server, self._address)
        copy.cookies = dict(self.cookies)
        return copy
