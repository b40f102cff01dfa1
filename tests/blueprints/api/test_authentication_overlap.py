"""Sign-ups that hold their key while it is revoked or their plan drops: neither overtakes the other."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
from flask import Flask

import models.turn
from blueprints.api import authentication
from models import db
from tests import overlap
from tests.api_client import Caller, make_caller
from tests.factories import make_api_key

RACES = 20


class Gate:
    """Stops sign-ups where they hold key and plan, which is just before their rows are written."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        with app.app_context():
            self._is_sqlite = db.engine.dialect.name == "sqlite"
        self._reached, self._go, self._refused = threading.Event(), threading.Event(), threading.Event()
        self._is_let_in = models.turn._is_let_in
        for module in ("views", "batch"):
            monkeypatch.setattr(f"blueprints.api.{module}.hold_caller", self._hold)
        monkeypatch.setattr(models.turn, "_is_let_in", self._ask)
        # As if each thread were a process: else they would queue before they come to the database.
        monkeypatch.setattr("models.base.writers_turn", lambda _engine: nullcontext())

    def race(self, post: Any, end: overlap.End, key: Any) -> tuple[int, overlap.Seen]:
        """The sign-up's status, and what the end saw that began in its midst."""
        for event in (self._reached, self._go, self._refused):
            event.clear()
        with ThreadPoolExecutor(2) as threads:
            posted = threads.submit(post)
            assert self._reached.wait(overlap.WAIT_SECONDS)
            ending = threads.submit(end, key)
            overlap.await_either(ending, self._is_somebody_waiting)
            self._go.set()
            return posted.result(), ending.result()

    def _hold(self) -> None:
        authentication.hold_caller()
        self._reached.set()
        assert self._go.wait(overlap.WAIT_SECONDS)

    def _ask(self, connection: Any, *, is_last_try: bool) -> bool:
        is_in = self._is_let_in(connection, is_last_try=is_last_try)
        if not is_in:
            self._refused.set()
        return is_in

    def _is_somebody_waiting(self) -> bool:
        return self._refused.is_set() if self._is_sqlite else overlap.waiting_for_locks() > 0


def sign_ups(caller: Caller) -> Iterator[tuple[Any, int, str]]:
    """Single sign-ups and batches by turns, each of somebody new: how to send it, its status, the address."""
    for number in range(RACES):
        email = f"s{number}@example.org"
        if number % 2:
            yield lambda api, email=email: api.post(caller.path, {"email": email}).status_code, 201, email
        else:
            body = {"subscribers": [{"email": email}]}
            yield lambda api, body=body: api.post(f"{caller.path}/batch", body).status_code, 200, email


@pytest.mark.parametrize("kind", list(overlap.ENDS))
def test_an_end_that_comes_while_a_sign_up_holds_its_key_commits_after_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    caller, (end, refusal) = make_caller(app), overlap.ENDS[kind]
    gate = Gate(app, monkeypatch)

    for post, status, email in sign_ups(caller):
        key, token = make_api_key(caller.organisation)
        api = type(caller.api)(app, token)

        outcome, seen = gate.race(lambda post=post, api=api: post(api), end, key)

        assert outcome == status
        assert email in overlap.in_line(caller.waitlist)
        assert overlap.made_by(key) == seen
        assert len(seen) == 1
        assert api.get(caller.path).status_code == refusal
        overlap.upgrade(key)
        overlap.revoke(key)
