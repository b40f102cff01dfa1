"""Both clients, in front of the real application on a real port, with or without faults on the way."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from models import token
from tests.api_client import Caller, make_caller
from tests.browser.conftest import serving
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer, faulty


@pytest.fixture(params=["sync", "async"])
def either(request: pytest.FixtureRequest) -> Iterator[Either]:
    """Each kind of client."""
    either = Either(request.param)
    yield either
    either.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where Queuekey answers."""
    with serving(app) as address:
        yield address


@pytest.fixture
def caller(app: Flask) -> Caller:
    """A key with both scopes and a waitlist."""
    return make_caller(app)


@pytest.fixture
def sdk(either: Either, address: str, caller: Caller) -> Any:
    """A client of the caller's key."""
    return either.client(caller.token, address)


@pytest.fixture
def live() -> str:
    """A token that might be live."""
    return token.generate()


@pytest.fixture
def faults(address: str) -> Iterator[FaultyServer]:
    """Queuekey, behind a server that plays faults."""
    with faulty(address) as server:
        yield server


@pytest.fixture
def alone() -> Iterator[FaultyServer]:
    """A server that plays Queuekey, with nothing behind it."""
    with faulty() as server:
        yield server


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the clients would have waited, each time: they do not wait, but their clock goes on."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("queuekey.client.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr("queuekey.async_client.anyio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr("queuekey.retry.time", SimpleNamespace(monotonic=lambda: sum(waited)))
    return waited
