"""No cookies: the customer API reads no session and sends none, so nothing of it varies by Cookie."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from blueprints import web


class ConsoleSessions(SecureCookieSessionInterface):
    """The console's signed cookie; under the API's root an empty session that nobody keeps."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the request's cookie."""
        return SecureCookieSession() if web.is_api() else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie if it has changed, and say that the response varies by it if it was read."""
        if not web.is_api():
            super().save_session(app, session, response)
