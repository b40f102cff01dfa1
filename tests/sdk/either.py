"""One way of using both clients, so that each test is about both."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from queuekey import AsyncQueuekey, Queuekey


class Either:
    """Makes clients of one kind, and gets their answers: iterators whole, as lists."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._thread = ThreadPoolExecutor(1)  # Playwright's own loop may run in this one
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []

    def client(self, token: str, url: str, **options: Any) -> Any:
        """A client that `close` closes."""
        client = (Queuekey if self.kind == "sync" else AsyncQueuekey)(token, url, **options)
        self._clients.append(client)
        return client

    def get(self, answer: Any) -> Any:
        """The answer of a method, awaited if need be."""
        if inspect.iscoroutine(answer):
            return self._awaited(answer)
        if isinstance(answer, AsyncIterator):
            return self._awaited(_collected(answer))
        return list(answer) if isinstance(answer, Iterator) else answer

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            self.get(client.close())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _awaited(self, answer: Coroutine[Any, Any, Any]) -> Any:
        return self._thread.submit(self._runner.run, answer).result()


async def _collected(answers: AsyncIterator[Any]) -> list[Any]:
    return [answer async for answer in answers]
