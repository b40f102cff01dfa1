"""What clients of one server saw, call by call, and whether one order of events explains all of it.

Every call has the moments at which it was sent and at which its answer was there, by one clock that only goes
forward. Of two calls that did not overlap the model knows which was first, and allows one answer; of two that did it
allows either side.
"""

import json
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from threading import Condition
from typing import Any, NamedTuple

from models import Plan, Scope

START = float("-inf")
NEVER = float("inf")

Answer = tuple[int, str | None]  # a status, and the code of a problem
REVOKED: Answer = (401, "invalid_token")
LAPSED: Answer = (403, "feature_not_allowed")
NO_SCOPE: Answer = (403, "insufficient_scope")
NEEDED = {"list": Scope.SUBSCRIBERS_READ, "create": Scope.SUBSCRIBERS_WRITE}
NEW, KNOWN, LISTED = (201, None), (200, None), (200, None)


class Span(NamedTuple):
    """From when something may have been so until when it may have been so."""

    began: float
    ended: float


class Key(NamedTuple):
    """A key as its organisation's operator knows it."""

    id: int
    organisation: int
    token: str
    scopes: frozenset[Scope]


class Call(NamedTuple):
    """One request and its answer. `asked`: an address, or a page and its limit."""

    client: int
    name: str
    key: int
    asked: Any
    began: float
    ended: float
    status: int
    body: Any

    @property
    def answer(self) -> Answer:
        """What came back, as the model tells it."""
        return self.status, self.body.get("code")


class History:
    """Calls as they end, revocations, and changes of plan; appended to by many threads."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.keys: dict[int, Key] = {}
        self.revoked: dict[int, Span] = {}
        self.plans: dict[int, list[tuple[Plan, Span]]] = defaultdict(lambda: [(Plan.PRO, Span(START, START))])
        self._more = Condition()

    def add(self, *calls: Call) -> None:
        """Add the calls of one request."""
        with self._more:
            self.calls += calls
            self._more.notify_all()

    def await_calls(self, number: int, is_over: Callable[[], bool]) -> None:
        """Wait until so many calls have ended, or nobody makes any."""
        with self._more:
            self._more.wait_for(lambda: len(self.calls) >= number or is_over(), timeout=60)

    def wake(self) -> None:
        """Let those who wait look whether it is over."""
        with self._more:
            self._more.notify_all()

    def save(self, file: Path, seed: int) -> None:
        """Keep everything but the tokens, a line each."""
        lines: list[object] = [{"seed": seed}, {"revoked": self.revoked}, {"plans": self.plans}]
        lines += [
            {"key": key._replace(token="", scopes=frozenset())._asdict() | {"scopes": sorted(key.scopes)}}
            for key in self.keys.values()
        ]
        lines += [call._asdict() for call in self.calls]
        file.write_text("".join(json.dumps(line, default=sorted) + "\n" for line in lines))


class Timed:
    """The moments around a `with` block."""

    def __enter__(self) -> "Timed":
        """Look at the clock."""
        self.began, self.ended = time.monotonic(), NEVER
        return self

    def __exit__(self, *_: object) -> None:
        """Look again."""
        self.ended = time.monotonic()

    @property
    def span(self) -> Span:
        """From the one to the other."""
        return Span(self.began, self.ended)


class Model:
    """What an answer may be, by everything that was said to anybody."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.joined: dict[int, dict[str, Call]] = defaultdict(dict)  # by organisation and address
        self._creates: dict[tuple[int, str], list[Call]] = defaultdict(list)
        for call in history.calls:
            if call.name == "create":
                organisation = self.organisation(call)
                self._creates[organisation, call.asked].append(call)
                if call.answer == NEW:
                    self.joined[organisation].setdefault(call.asked, call)
        self._acknowledged = {of: sorted(call.ended for call in who.values()) for of, who in self.joined.items()}
        self._attempted = {of: sorted(call.began for call in who.values()) for of, who in self.joined.items()}

    def organisation(self, call: Call) -> int:
        """Whose key it was."""
        return self._history.keys[call.key].organisation

    def answers(self, call: Call) -> set[Answer]:
        """Every answer that some order of what overlapped allows."""
        revoked = self._history.revoked.get(call.key, Span(NEVER, NEVER))
        if revoked.ended < call.began:
            return {REVOKED}
        allowed = {REVOKED} if revoked.began < call.ended else set()
        has_scope = NEEDED[call.name] in self._history.keys[call.key].scopes
        for plan in self._plans(call):
            if plan is Plan.FREE:
                allowed.add(LAPSED)
            else:
                allowed |= self._successes(call) if has_scope else {NO_SCOPE}
        return allowed

    def _plans(self, call: Call) -> Iterator[Plan]:
        """The plans that may have been in force at some moment of the call."""
        changes = self._history.plans[self.organisation(call)]
        for (plan, since), (_, until) in zip(changes, [*changes[1:], (None, Span(NEVER, NEVER))], strict=True):
            if since.began < call.ended and until.ended > call.began:
                yield plan

    def _successes(self, call: Call) -> set[Answer]:
        if call.name == "list":
            return {LISTED}
        others = [one for one in self._creates[self.organisation(call), call.asked] if one is not call]
        joined = self.joined[self.organisation(call)].get(call.asked)
        allowed = set[Answer]()
        if joined is None or joined is call:
            if not any(one.answer == KNOWN and one.ended < call.began for one in others):
                allowed.add(NEW)
        elif joined.began < call.ended:
            allowed.add(KNOWN)
        return allowed

    def bounds(self, call: Call) -> tuple[int, int]:
        """How many must have been in line before the call ended, and how many can have been."""
        organisation = self.organisation(call)
        surely = bisect_left(self._acknowledged.get(organisation, []), call.began)
        perhaps = bisect_right(self._attempted.get(organisation, []), call.ended)
        return surely, perhaps


def wrong_answers(history: History) -> list[str]:
    """Every answer that no order explains, in words."""
    model = Model(history)
    told = [f"{call}: only {model.answers(call)}" for call in history.calls if call.answer not in model.answers(call)]
    organisations = {key.organisation for key in history.keys.values()}
    for organisation in organisations:
        calls = [call for call in history.calls if model.organisation(call) == organisation]
        told += _wrong_lists(model, [call for call in calls if call.name == "list" and call.answer == LISTED])
        told += _wrong_places(model, organisation, calls)
    return told


def _wrong_lists(model: Model, lists: list[Call]) -> Iterator[str]:
    """Pages that are too short or long, that name strangers, or that go back behind what was seen before."""
    by_end = sorted(lists, key=lambda call: call.ended)
    ends = [call.ended for call in by_end]
    highest = list(accumulate((call.body["total"] for call in by_end), max))
    for call in lists:
        surely, perhaps = model.bounds(call)
        total, (page, limit) = call.body["total"], call.asked
        if not surely <= total <= perhaps:
            yield f"{call}: a total between {surely} and {perhaps}"
        seen = bisect_left(ends, call.began)
        if seen and total < highest[seen - 1]:
            yield f"{call}: {highest[seen - 1]} had been seen before"
        offset = (page - 1) * limit
        places = [item["position"] for item in call.body["items"]]
        if places != list(range(offset + 1, min(offset + limit, max(total, offset)) + 1)):
            yield f"{call}: places {places}"
        for item in call.body["items"]:
            joined = model.joined[model.organisation(call)].get(item["email"])
            if joined is None or joined.began > call.ended:
                yield f"{call}: {item['email']} has not joined"


def _wrong_places(model: Model, organisation: int, calls: list[Call]) -> Iterator[str]:
    """Whoever has joined keeps place, id and address: without referrals nobody moves."""
    known: dict[int, tuple[str, str]] = {}
    for call in calls:
        shown = call.body["items"] if call.answer == LISTED and call.name == "list" else []
        if call.name == "create" and call.answer in {NEW, KNOWN}:
            shown = [call.body]
            if call.body["email"] != call.asked:
                yield f"{call}: another address"
        if call.name == "create" and call.answer == NEW:
            surely, perhaps = model.bounds(call)
            if not surely < call.body["position"] <= perhaps:
                yield f"{call}: a place between {surely + 1} and {perhaps}"
        for item in shown:
            here = (item["id"], item["email"])
            if known.setdefault(item["position"], here) != here:
                yield f"{call}: {here} stands where {known[item['position']]} stood"
    people = list(known.values())
    if len({id_ for id_, _ in people}) != len(people) or len({email for _, email in people}) != len(people):
        yield f"organisation {organisation}: somebody stands in two places"
