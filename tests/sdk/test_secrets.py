"""The token goes over the wire in one header, and nowhere else."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import queuekey
from models import token
from queuekey import ConfigurationError, InvalidRequest, InvalidToken, QueuekeyError, Retry
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer, Play, answered, cut_off, hung, reset
from tests.sdk.test_retry import WELL, problem

ONCE = Retry(attempts=1)
HERE = str(Path(__file__).parent)


def frames(error: BaseException | None) -> Iterator[traceback.FrameSummary]:
    """Every frame behind an error and behind what it came from, but the tests' own, with its local variables."""
    while error is not None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        yield from (frame for frame in shown.stack if not frame.filename.startswith(HERE))
        error = error.__cause__ or error.__context__


def everything_said(error: QueuekeyError) -> str:
    """All that a crash reporter would send."""
    locals_ = [f"{frame.filename}:{frame.lineno} {frame.locals}" for frame in frames(error)]
    assert any(queuekey.__file__.rpartition("/")[0] in line for line in locals_)
    return "\n".join([repr(error), str(error), repr(vars(error)), *locals_])


@pytest.mark.parametrize("fault", [reset, hung, answered(502), answered(200, b"junk"), answered(401, b"{}"), cut_off])
@pytest.mark.parametrize("method", ["whoami", "export", "create_many"])
def test_no_failure_shows_the_token(
    either: Either, live: str, alone: FaultyServer, fault: Play, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alone.plays = [fault]
    sdk = either.client(live, alone.url, timeout=0.3, retry=ONCE)
    rows: list[Any] = [["ada@example.org"]] if method == "create_many" else []
    arguments = [] if method == "whoami" else ["wl_a", *rows]

    with pytest.raises(QueuekeyError) as failed:
        either.get(getattr(sdk, method)(*arguments))

    assert live not in everything_said(failed.value)
    assert failed.value.__context__ is None
    assert alone.seen[0].headers["Authorization"] == f"Bearer {live}"
    assert caplog.messages
    assert live not in caplog.text


def test_no_refusal_and_no_retry_shows_the_token(
    either: Either, live: str, alone: FaultyServer, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alone.plays = [reset, answered(503), problem(401, "invalid_token")]

    with pytest.raises(InvalidToken) as refused:
        either.get(either.client(live, alone.url).whoami())

    assert live not in everything_said(refused.value)
    assert len([record for record in caplog.records if record.name == "queuekey"]) == 2
    assert live not in caplog.text


def test_a_proxy_that_repeats_the_token_does_not_bring_it_into_an_exception(
    either: Either, live: str, alone: FaultyServer
) -> None:
    echo = json.dumps({"type": "t", "title": "t", "status": 400, "detail": f"Bearer {live}", "code": "invalid_request"})
    alone.plays = [answered(400, echo.replace("}", ', "request_id": "r"}').encode())]

    with pytest.raises(InvalidRequest, match=r"Bearer \[token\]") as refused:
        either.get(either.client(live, alone.url, retry=ONCE).whoami())

    assert live not in everything_said(refused.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda live: (live[:-1], "https://queuekey.example"),
        lambda live: (f"{live[:-1]}é", "https://queuekey.example"),
        lambda live: (live, "http://queuekey.example"),
        lambda live: (live, "https://[queuekey"),
    ],
)
def test_no_complaint_about_settings_shows_the_token(either: Either, spoil: Callable[[str], tuple[str, str]]) -> None:
    live = token.generate()
    given, url = spoil(live)

    with pytest.raises(ConfigurationError) as refused:
        either.client(given, url)

    assert live[:-1] not in everything_said(refused.value)
    assert refused.value.__context__ is None


def test_no_representation_shows_the_token(either: Either, live: str) -> None:
    sdk = either.client(live, "https://queuekey.example")
    connection = sdk._connection

    shown = [sdk, vars(sdk), connection, vars(connection), connection._token, vars(sdk._http)]
    assert token.prefix(live) in repr(sdk)
    assert live not in "".join(map(repr, shown)) + str(sdk)


def test_the_token_follows_no_redirect(either: Either, live: str, alone: FaultyServer) -> None:
    alone.plays = [answered(307, b"", ("Location", f"{alone.url}/elsewhere")), WELL]

    with pytest.raises(QueuekeyError):
        either.get(either.client(live, alone.url).whoami())

    assert len(alone.seen) == 1
