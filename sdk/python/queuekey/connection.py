"""What both clients know of the server: its address, the token, how long to wait and how often to try."""

from typing import Any

import httpx

from queuekey.calls import JSON, Call
from queuekey.retry import Retry, Tries
from queuekey.settings import API_ROOT, Token, base_url
from queuekey.version import __version__

TIMEOUT_SECONDS = 30.0


class Connection:
    """Makes requests out of calls. Raises ConfigurationError where token or address cannot be right."""

    def __init__(self, token: Token, url: str | None, timeout: float, retry: Retry) -> None:
        self.url = ""
        self.retry = retry
        self._token = token
        self._timeout = timeout
        token.check()
        self.url = base_url(url)

    def request(self, call: Call[Any], tries: Tries) -> httpx.Request:
        """The request of a call; it waits no longer for the server than the call's tries have left."""
        seconds = min(self._timeout, tries.seconds_left)
        return httpx.Request(
            call.method,
            f"{self.url}{API_ROOT}{call.path}",
            content=call.body,
            headers={
                "Authorization": self._token.header(),
                "Accept": "application/json, application/jsonl, application/problem+json",
                "User-Agent": f"queuekey-python/{__version__}",
            }
            | (JSON if call.body is not None else {}),
            extensions={"timeout": httpx.Timeout(seconds).as_dict()},
        )

    def __repr__(self) -> str:
        """Address and prefix."""
        return f"{self.url} {self._token!r}"
