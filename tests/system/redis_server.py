"""A Redis of the tests' own, where redis-server is installed."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.system.server import HOST, free_port


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """The address of an empty Redis that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    options = {
        "port": port,
        "bind": HOST,
        "dir": folder,
        "save": "",
        "appendonly": "no",
        "logfile": folder / "redis.log",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    process = subprocess.Popen([program, *arguments])
    try:
        wait_for(f"redis://{HOST}:{port}/0")
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.kill()
        process.wait(10)


def wait_for(url: str, seconds: float = 20) -> None:
    """Wait until it answers; raises RedisError."""
    deadline = time.monotonic() + seconds
    client = Redis.from_url(url)
    while True:
        try:
            client.ping()
        except RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            client.close()
            return
