"""The client for code that waits: every method returns when its answer is there."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from types import TracebackType
from typing import TypeVar

import httpx

from queuekey import calls
from queuekey.answers import CreatedSubscriber, ExportedSubscriber, Key, ManyOutcome, Page, Subscriber
from queuekey.calls import Call, NewSubscriber
from queuekey.connection import TIMEOUT_SECONDS, Connection
from queuekey.errors import QueuekeyError
from queuekey.export import Export
from queuekey.problems import LOST, lost
from queuekey.retry import DEFAULT, Retry
from queuekey.settings import Token

T = TypeVar("T")


class Queuekey:
    """The customer API of one Queuekey, with one key. May be shared by threads; `with` or `close()` ends it.

    `token` and `url` default to QUEUEKEY_TOKEN and QUEUEKEY_URL; `timeout`: seconds to wait for the server to
    connect, to take or to send something. Raises ConfigurationError at once where token or address cannot be
    right; the methods raise QueuekeyError's other children.
    """

    def __init__(
        self,
        token: str | Token | None = None,
        url: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retry: Retry = DEFAULT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        token = Token.of(token)  # from here on no frame has a variable with the token's text in it
        self._connection = Connection(token, url, timeout, retry)
        self._http = httpx.Client(transport=transport)

    def whoami(self) -> Key:
        """The key that this client calls with, its organisation, plan and limits; every live key may ask."""
        return self._answer(calls.whoami())

    def page(self, waitlist: str, page: int = 1, *, limit: int = 25, q: str = "") -> Page:
        """One page of the line; `q`: only addresses that contain this. Needs subscribers:read."""
        return self._answer(calls.page(waitlist, page, limit, q))

    def pages(self, waitlist: str, *, limit: int = 200, q: str = "") -> Iterator[Page]:
        """Page after page of the line. It can miss somebody who moves meanwhile: `export` cannot."""
        page = self.page(waitlist, limit=limit, q=q)
        yield page
        while page.has_next:
            page = self.page(waitlist, page.page + 1, limit=limit, q=q)
            yield page

    def list(self, waitlist: str, *, limit: int = 200, q: str = "") -> Iterator[Subscriber]:
        """Everybody in line order, fetched `limit` at a time."""
        for page in self.pages(waitlist, limit=limit, q=q):
            yield from page.items

    def export(self, waitlist: str, *, after: str | None = None) -> Iterator[ExportedSubscriber]:
        """Everybody once, in the order of joining, streamed; goes on by itself when the connection breaks.

        `after`: only those who joined after the subscriber with this id. Needs subscribers:read.
        """
        export = Export(waitlist, after, self._connection.retry)
        while True:
            try:
                request = self._connection.request(export.call(), export.tries)
                with closing(self._http.send(request, stream=True)) as response:
                    if not response.is_success:
                        response.read()
                    failure = export.begin(response)
                    if failure is None:
                        for part in response.iter_bytes():
                            yield from export.take(part)
                        failure = export.end()
            except LOST as error:
                failure = lost(error)
            if failure is None:
                return
            time.sleep(export.pause_after(failure))

    def create(self, waitlist: str, email: str, *, referred_by: str | None = None) -> CreatedSubscriber:
        """Put somebody in line; who is there already stays as they are. Needs subscribers:write."""
        return self._answer(calls.create(waitlist, NewSubscriber(email, referred_by)))

    def create_many(self, waitlist: str, rows: Iterable[str | NewSubscriber]) -> ManyOutcome:
        """Put people in line, up to 1,000 of them in each call, with a result for each. Needs subscribers:write.

        Each batch lands whole or not at all; after an exception send the same rows again, which is safe.
        """
        return ManyOutcome(tuple(self._answer(batch) for batch in calls.batches(waitlist, rows)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "Queuekey":
        """Close at the end of a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Address and prefix, never the token."""
        return f"<Queuekey {vars(self).get('_connection')!r}>"  # None while it is being made

    def _answer(self, call: Call[T]) -> T:
        tries = self._connection.retry.begin()
        while True:
            outcome: T | QueuekeyError
            try:
                outcome = call.outcome(self._http.send(self._connection.request(call, tries)))
            except LOST as error:
                outcome = lost(error)
            if not isinstance(outcome, QueuekeyError):
                return outcome
            time.sleep(tries.pause_after(outcome))
