"""The progress of an export: which lines have come, and where to go on when the stream breaks off."""

import json
from collections.abc import Iterator

import httpx

from queuekey import calls
from queuekey.answers import ExportedSubscriber
from queuekey.calls import Call
from queuekey.errors import ConnectionFailed, QueuekeyError
from queuekey.problems import problem_in, unexpected
from queuekey.reading import Mismatch, read
from queuekey.retry import Retry

TOTAL = "X-Total-Count"
MEDIA_TYPE = "application/jsonl"


class Export:
    """One export, over as many streams as it takes; its tries are counted anew whenever somebody came."""

    def __init__(self, waitlist: str, after: str | None, retry: Retry) -> None:
        self._waitlist = waitlist
        self._after = after
        self._retry = retry
        self.tries = retry.begin()
        self._missing: int | None = None  # how many are still to come in this stream
        self._rest = b""
        self._has_moved = False

    def call(self) -> Call[None]:
        """The call that goes on behind the last subscriber who came."""
        return calls.export(self._waitlist, self._after)

    def begin(self, response: httpx.Response) -> QueuekeyError | None:
        """Look at a stream's head: what is wrong with it, if anything is."""
        if not response.is_success:
            return problem_in(response)
        if not response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return unexpected(response, "The answer is no export.")
        total = response.headers.get(TOTAL, "")
        self._missing = int(total) if total.isascii() and total.isdigit() else None
        self._rest = b""
        return None

    def take(self, part: bytes) -> Iterator[ExportedSubscriber]:
        """The subscribers whose lines are whole with this part of the stream."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            subscriber = _subscriber(line)
            self._after, self._has_moved = subscriber.id, True
            if self._missing is not None:
                self._missing -= 1
            yield subscriber

    def end(self) -> QueuekeyError | None:
        """What is wrong at a stream's end, if anything is: servers and proxies end broken streams as if whole."""
        if self._rest or (self._missing or 0) > 0:
            return ConnectionFailed("The export broke off.")
        return None

    def pause_after(self, failure: QueuekeyError) -> float:
        """Seconds to wait before going on. Raises the failure when there is to be no further try."""
        if self._has_moved:
            self.tries, self._has_moved = self._retry.begin(), False
        return self.tries.pause_after(failure)


def _subscriber(line: bytes) -> ExportedSubscriber:
    try:
        return read(ExportedSubscriber, json.loads(line))
    except (Mismatch, ValueError, RecursionError):
        pass
    raise ConnectionFailed("A line of the export cannot be read.")
