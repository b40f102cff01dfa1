"""How many streams run at once: each of them keeps a thread of its worker busy for as long as its reader likes."""

from collections import Counter
from threading import RLock
from weakref import finalize

from flask import Response, g

from blueprints import limits, server
from blueprints.api.problems import RATE_LIMITED, UNAVAILABLE, Problem

PER_ORGANISATION = 2
ALTOGETHER = server.THREADS // 2  # the other half is left for calls that end by themselves
RETRY_AFTER_SECONDS = 5

_running: Counter[int] = Counter()
_lock = RLock()  # a response that is forgotten gives its room back wherever that happens


def count_stream(response: Response, organisation_id: int) -> None:
    """Count the response as a stream of this process until it is closed, by its end or by its reader's going.

    Raises Problem: rate_limited where the organisation has its streams already, unavailable where all
    of them together are too many.
    """
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    with _lock:
        if _running[organisation_id] >= PER_ORGANISATION:
            allowance: limits.Allowance | None = g.get("allowance")
            said = f"{PER_ORGANISATION} exports of this organisation are running here already."
            raise Problem(RATE_LIMITED, said, (allowance.headers() if allowance else {}) | retry)
        if _running.total() >= ALTOGETHER:
            raise Problem(UNAVAILABLE, "Too many exports are running.", retry)
        _running[organisation_id] += 1
    response.call_on_close(finalize(response, _give_back, organisation_id))


def _give_back(organisation_id: int) -> None:
    with _lock:
        _running[organisation_id] -= 1
        if not _running[organisation_id]:
            del _running[organisation_id]
