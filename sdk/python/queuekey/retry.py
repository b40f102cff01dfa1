"""When to try again, and after how long."""

import logging
import random
import time
from dataclasses import dataclass

from queuekey.errors import QueuekeyError

log = logging.getLogger("queuekey")


@dataclass(frozen=True)
class Retry:
    """How often and for how long a call is tried.

    Every call may be repeated: creating somebody who is there already changes nothing. The pauses double from
    `first_pause` to `longest_pause` (seconds), each of them by chance between nothing and all of it, on top of
    what Retry-After asks for. `Retry(attempts=1)` tries once.
    """

    attempts: int = 5
    seconds: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 8.0

    def begin(self) -> "Tries":
        """The tries of one call, whose time begins now."""
        return Tries(self)


DEFAULT = Retry()


class Tries:
    """The tries of one call."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._failures = 0
        self._ends_at = time.monotonic() + retry.seconds

    @property
    def seconds_left(self) -> float:
        """How long the call may still take."""
        return max(self._ends_at - time.monotonic(), 0.0)

    def pause_after(self, failure: QueuekeyError) -> float:
        """Seconds to wait before the next try. Raises the failure when there is to be none."""
        self._failures += 1
        pause = (failure.retry_after or 0.0) + self._chance()
        if not failure.is_temporary or self._failures >= self._retry.attempts or pause >= self.seconds_left:
            raise failure
        log.info("%s Trying again in %.1f s.", failure, pause)
        return pause

    def _chance(self) -> float:
        longest = min(self._retry.first_pause * 2 ** (self._failures - 1), self._retry.longest_pause)
        return random.uniform(0, longest)  # noqa: S311  # a pause is no secret
