"""Rate limits: counting, windows, and what is told about them."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from blueprints import limits
from blueprints.limits import Allowance, Counters
from models import Plan

ADDRESS = "203.0.113.7"


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of its own for the test, on a socket."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine")
    socket = tmp_path / "redis.sock"
    arguments = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert any(b"eady to accept connections" in line for line in server.stdout)
        yield f"unix://{socket}"
    finally:
        server.kill()
        server.wait()


def test_headers_are_structured_fields() -> None:
    allowance = Allowance("per-key", limit=600, remaining=12, reset_seconds=7, is_exceeded=False)

    assert allowance.headers() == {"RateLimit-Policy": '"per-key";q=600;w=60', "RateLimit": '"per-key";r=12;t=7'}
    assert allowance._replace(is_exceeded=True).headers()["Retry-After"] == "7"


def test_a_window_lets_exactly_its_limit_through_and_the_next_begins_anew(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 3)

    def tries(at: float) -> list[Allowance]:
        monkeypatch.setattr(limits, "clock", lambda: at)
        counted = [limits.count_key_request(1, Plan.PRO) for _ in range(4)]
        return [allowance for allowance in counted if allowance is not None]

    assert [a.is_exceeded for a in tries(119.9)] == [False, False, False, True]
    assert [a.remaining for a in tries(120.0)] == [2, 1, 0, 0]
    assert [a.reset_seconds for a in tries(180.0)] == [60] * 4
    assert tries(239.99)[0].reset_seconds == 1


@pytest.mark.usefixtures("context")
def test_keys_and_addresses_are_counted_apart() -> None:
    for _ in range(3):
        last = limits.count_key_request(1, Plan.PRO)
    other = limits.count_key_request(2, Plan.PRO)
    failed = limits.count_failed_authentication(ADDRESS)

    assert last is not None
    assert other is not None
    assert failed is not None
    assert (last.remaining, other.remaining, failed.remaining) == (597, 599, 59)


def test_plans_have_their_settings_and_a_paused_key_has_no_limit_to_tell(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 7)
    monkeypatch.setitem(app.config, "RATELIMIT_TEAM", 9)

    assert [limits.key_limit(plan) for plan in Plan] == [0, 7, 9]
    assert limits.count_key_request(1, Plan.FREE) is None


def test_one_setting_turns_every_limit_off(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.count_login("ada", ADDRESS) is not None

    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", False)

    assert limits.count_key_request(1, Plan.PRO) is None
    assert limits.count_failed_authentication(ADDRESS) is None
    assert limits.count_login("ada", ADDRESS) is None


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("", "unix:", False),
    ],
)
@pytest.mark.usefixtures("context")
def test_an_ipv6_line_counts_as_one_address(one: str, other: str, are_one: bool) -> None:
    limits.count_failed_authentication(one)
    second = limits.count_failed_authentication(other)

    assert second is not None
    assert second.remaining == (58 if are_one else 59)


def test_threads_lose_no_count() -> None:
    counters = Counters("")
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda _: counters.add_one("k", 1), range(400)))

    assert sorted(counts) == list(range(1, 401))


def test_processes_share_their_counts_through_redis(redis_url: str) -> None:
    one, other = Counters(redis_url), Counters(redis_url)

    assert [one.add_one("k", 1), other.add_one("k", 1), one.add_one("k", 1)] == [1, 2, 3]
    assert other.add_one("another", 1) == 1


def test_a_redis_that_is_away_costs_a_moment_once_and_counting_goes_on_here() -> None:
    counters = Counters("redis://127.0.0.1:1/0")
    began = time.monotonic()

    assert [counters.add_one("k", 1) for _ in range(100)] == list(range(1, 101))
    assert time.monotonic() - began < 1


def test_a_redis_that_comes_back_is_asked_again(redis_url: str) -> None:
    away = Counters(redis_url)
    away._ask_again_at = time.monotonic() + 3600
    assert away.add_one("k", 1) == 1
    Counters(redis_url).add_one("k", 1)

    away._ask_again_at = 0
    assert away.add_one("k", 1) == 2
