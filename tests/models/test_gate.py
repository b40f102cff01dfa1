"""Whoever ends a key's right to change waits for the changes under way, and nobody passes them by."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from models import ApiKey, ResolvedKey, writing
from tests import overlap
from tests.factories import in_context, make_api_key, make_organisation
from tests.overlap import await_until, waiting_for_locks

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@in_context
def hold(key: ApiKey) -> ResolvedKey | None:
    """Hold the key in a transaction that ends at once."""
    with writing():
        return ApiKey.hold(key.id)


@contextmanager
def held(key: ApiKey) -> Iterator[None]:
    """A change by the key that is under way as long as the `with` block."""
    holding, done = threading.Event(), threading.Event()

    @in_context
    def change() -> None:
        with writing():
            assert ApiKey.hold(key.id) is not None
            holding.set()
            assert done.wait(overlap.WAIT_SECONDS)

    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(change)
        try:
            assert holding.wait(overlap.WAIT_SECONDS)
            yield
        finally:
            done.set()
        under_way.result()


def is_waiting(future: "Future[Any]", number: int) -> bool:
    """Whether so many wait for a lock before the future has come to an end."""
    await_until(lambda: future.done() or waiting_for_locks() == number)
    return not future.done()


@on_postgresql
@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("end", [overlap.revoke, overlap.downgrade])
def test_a_change_that_comes_after_an_end_does_not_pass_it_by(end: Callable[[ApiKey], overlap.Seen]) -> None:
    key, _ = make_api_key()
    with ThreadPoolExecutor(2) as threads:
        with held(key):
            ending = threads.submit(end, key)
            assert is_waiting(ending, 1)
            late = threads.submit(hold, key)
            assert is_waiting(late, 2)
        ending.result()
        found = late.result()

    assert found is None or not found.plan.is_paid


@on_postgresql
@pytest.mark.usefixtures("app")
def test_changes_do_not_wait_for_each_other_nor_for_other_organisations() -> None:
    organisation = make_organisation()
    (one, _), (other, _), (elsewhere, _) = make_api_key(organisation), make_api_key(organisation), make_api_key()
    with held(one):
        assert hold(one) is not None
        assert hold(other) is not None
        assert overlap.revoke(elsewhere) == frozenset()
