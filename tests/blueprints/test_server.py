"""The shipped server's command line; tests/system runs it."""

import gc
import socket
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import click
import pytest

from blueprints.server import arguments, require_free, settle


def test_what_keeps_the_server_alive_is_asked_for() -> None:
    command = arguments("127.0.0.1", 5000, 4)

    for flag in ("--respawn-failed-workers", "--workers-kill-timeout", "--no-ws", "--factory"):
        assert flag in command
    for flag, value in (("--workers", "4"), ("--port", "5000"), ("--http", "1"), ("--interface", "wsgi")):
        assert command[command.index(flag) + 1] == value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_taken_port_is_told_and_a_free_one_is_left_free(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"PORT: {host} port {port} is not to be had: "):
            require_free(host, port)

    require_free(host, port)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(click.ClickException, match=r"192\.0\.2\.1 port 5000 is not to be had"):
        require_free("192.0.2.1", 5000)


def test_a_worker_spares_the_collector_what_the_start_has_built() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
        assert worker.submit(_frozen_objects).result() > 1000
    settle()
    assert gc.get_freeze_count() == 0  # this is no worker


def _frozen_objects() -> int:
    settle()
    return gc.get_freeze_count()
