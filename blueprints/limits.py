"""Rate limits: fixed one-minute windows, shared through Redis where there is one; signing in, through the database."""

import time
from collections import Counter
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from typing import NamedTuple, cast

from flask import Flask, current_app
from flask.globals import app_ctx
from limits.storage import RedisStorage, Storage
from redis.exceptions import RedisError

from models import Feature, LoginTry, Plan, transact

WINDOW_SECONDS = 60
LOGIN_TRIES_PER_MINUTE = 10
REDIS_TIMEOUT_SECONDS = 0.05
REDIS_PAUSE_SECONDS = 2.0  # how long nobody asks a Redis that did not answer

clock = time.time  # what windows go by: the same on every host


class Allowance(NamedTuple):
    """What a limit has left after this try."""

    policy: str
    limit: int
    remaining: int
    reset_seconds: int
    is_exceeded: bool

    def headers(self) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), Retry-After when exceeded."""
        headers = {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset_seconds}',
        }
        if self.is_exceeded:
            headers["Retry-After"] = str(self.reset_seconds)
        return headers


class Counters:
    """Counts of the current minute: in Redis, or in this process while Redis is absent or away.

    In a process they are one dictionary, forgotten when the minute is over. limits' own storage for
    memory starts a thread every few milliseconds to forget one by one, which cost more than the request.
    """

    def __init__(self, redis_url: str) -> None:
        self._shared = self._connect(redis_url) if redis_url else None
        self._ask_again_at = 0.0
        self._here: Counter[str] = Counter()
        self._minute = 0
        self._lock = Lock()

    @staticmethod
    def _connect(redis_url: str) -> Storage:
        timeout = REDIS_TIMEOUT_SECONDS
        return RedisStorage(redis_url, key_prefix="queuekey", socket_timeout=timeout, socket_connect_timeout=timeout)

    def add_one(self, key: str, minute: int) -> int:
        """Count one try under `key` and return the count of that minute (counted from the epoch)."""
        if self._shared is not None and time.monotonic() >= self._ask_again_at:
            try:
                return self._shared.incr(f"{key}:{minute}", WINDOW_SECONDS)
            except RedisError:
                self._ask_again_at = time.monotonic() + REDIS_PAUSE_SECONDS
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._here.clear()
            self._here[key] += 1
            return self._here[key]


def init_app(app: Flask) -> None:
    """Give the application its counters."""
    app.extensions["queuekey.counters"] = Counters(app.config["REDIS_URL"])


def key_limit(plan: Plan) -> int:
    """Requests a minute that one key has on a plan, 0 where the plan has no API."""
    return cast(int, app_ctx.app.config.get(f"RATELIMIT_{plan.name}", 0))


def key_limits() -> dict[Plan, int]:
    """Requests a minute and key, of each plan that has the API."""
    return {plan: key_limit(plan) for plan in Plan if plan.allows(Feature.API_KEYS)}


def count_key_request(key_id: int, plan: Plan) -> Allowance | None:
    """Count a request of a live key; None where limits are off or the plan has none."""
    limit = key_limit(plan)
    return _count("per-key", f"key:{key_id}", limit) if limit else None


def count_failed_authentication(address: str) -> Allowance | None:
    """Count a refused token from an address; None where limits are off."""
    return _count("failed-authentication", f"fail:{_network(address)}", current_app.config["RATELIMIT_FAILED_AUTH"])


def count_login(account: str, address: str) -> Allowance | None:
    """Count a try to sign in to an account from an address, in a transaction of its own; None where limits are off.

    Unlike the others it looks back a minute from each try: no clock's minute lets twice as many through.
    """
    if not app_ctx.app.config["RATELIMIT_ENABLED"]:
        return None
    limit, at_ms = LOGIN_TRIES_PER_MINUTE, int(clock() * 1000)
    tries = transact(lambda: LoginTry.add(account, _network(address), at_ms, limit))
    reset_seconds = ceil((tries.first_ends_ms - at_ms) / 1000)
    return Allowance("login", limit, max(limit - tries.number, 0), reset_seconds, tries.number > limit)


def _count(policy: str, key: str, limit: int) -> Allowance | None:
    app = app_ctx.app
    if not app.config["RATELIMIT_ENABLED"]:
        return None
    minute, elapsed = divmod(int(clock()), WINDOW_SECONDS)
    counters: Counters = app.extensions["queuekey.counters"]
    count = counters.add_one(key, minute)
    return Allowance(policy, limit, max(limit - count, 0), WINDOW_SECONDS - elapsed, count > limit)


def _network(address: str) -> str:
    """The address, or for IPv6 its /64: one subscriber line has 2^64 of them to change between."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address
