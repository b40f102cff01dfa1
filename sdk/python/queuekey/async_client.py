"""The client for code that awaits: `Queuekey` again, with its sending and waiting made asynchronous."""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from types import TracebackType
from typing import TypeVar

import anyio
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


class AsyncQueuekey:
    """`Queuekey` for asyncio and trio, with the same methods; `async with` or `await close()` ends it.

    `list`, `pages` and `export` are asynchronous iterators: leave one before its end by `contextlib.aclosing`.
    """

    def __init__(
        self,
        token: str | Token | None = None,
        url: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retry: Retry = DEFAULT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        token = Token.of(token)  # from here on no frame has a variable with the token's text in it
        self._connection = Connection(token, url, timeout, retry)
        self._http = httpx.AsyncClient(transport=transport)

    async def whoami(self) -> Key:
        """The key that this client calls with, its organisation, plan and limits; every live key may ask."""
        return await self._answer(calls.whoami())

    async def page(self, waitlist: str, page: int = 1, *, limit: int = 25, q: str = "") -> Page:
        """One page of the line; `q`: only addresses that contain this. Needs subscribers:read."""
        return await self._answer(calls.page(waitlist, page, limit, q))

    async def pages(self, waitlist: str, *, limit: int = 200, q: str = "") -> AsyncIterator[Page]:
        """Page after page of the line. It can miss somebody who moves meanwhile: `export` cannot."""
        page = await self.page(waitlist, limit=limit, q=q)
        yield page
        while page.has_next:
            page = await self.page(waitlist, page.page + 1, limit=limit, q=q)
            yield page

    async def list(self, waitlist: str, *, limit: int = 200, q: str = "") -> AsyncIterator[Subscriber]:
        """Everybody in line order, fetched `limit` at a time."""
        async for page in self.pages(waitlist, limit=limit, q=q):
            for subscriber in page.items:
                yield subscriber

    async def export(self, waitlist: str, *, after: str | None = None) -> AsyncIterator[ExportedSubscriber]:
        """Everybody once, in the order of joining, streamed; goes on by itself when the connection breaks.

        `after`: only those who joined after the subscriber with this id. Needs subscribers:read.
        """
        export = Export(waitlist, after, self._connection.retry)
        while True:
            try:
                request = self._connection.request(export.call(), export.tries)
                async with aclosing(await self._http.send(request, stream=True)) as response:
                    if not response.is_success:
                        await response.aread()
                    failure = export.begin(response)
                    if failure is None:
                        async for part in response.aiter_bytes():
                            for subscriber in export.take(part):
                                yield subscriber
                        failure = export.end()
            except LOST as error:
                failure = lost(error)
            if failure is None:
                return
            await anyio.sleep(export.pause_after(failure))

    async def create(self, waitlist: str, email: str, *, referred_by: str | None = None) -> CreatedSubscriber:
        """Put somebody in line; who is there already stays as they are. Needs subscribers:write."""
        return await self._answer(calls.create(waitlist, NewSubscriber(email, referred_by)))

    async def create_many(self, waitlist: str, rows: Iterable[str | NewSubscriber]) -> ManyOutcome:
        """Put people in line, up to 1,000 of them in each call, with a result for each. Needs subscribers:write.

        Each batch lands whole or not at all; after an exception send the same rows again, which is safe.
        """
        return ManyOutcome(tuple([await self._answer(batch) for batch in calls.batches(waitlist, rows)]))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncQueuekey":
        """Close at the end of an `async with` block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    def __repr__(self) -> str:
        """Address and prefix, never the token."""
        return f"<AsyncQueuekey {vars(self).get('_connection')!r}>"  # None while it is being made

    async def _answer(self, call: Call[T]) -> T:
        tries = self._connection.retry.begin()
        while True:
            outcome: T | QueuekeyError
            try:
                outcome = call.outcome(await self._http.send(self._connection.request(call, tries)))
            except LOST as error:
                outcome = lost(error)
            if not isinstance(outcome, QueuekeyError):
                return outcome
            await anyio.sleep(tries.pause_after(outcome))
