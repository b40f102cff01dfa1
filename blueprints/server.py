"""The shipped server: granian with the flags that Queuekey needs, on every machine the same."""

import gc
import os
import signal
import socket
import sys
from multiprocessing import parent_process

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from blueprints.command_line import Command

THREADS = 16  # that work at once in a worker; each may hold one database connection
WAITING_THREADS = 112  # that wait for slow bodies meanwhile (blueprints/slow_bodies.py)
CONNECTIONS = 512  # per worker, most of them idle; the usual limit of 1,024 open files has room for their databases


def init_app(_app: Flask) -> None:
    """Leave Ctrl-C to granian's parent process, which tells its workers to stop.

    A terminal sends it to all of them, and a worker that is told twice at once can block in its handler
    until it is killed.
    """
    if parent_process() is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def settle() -> None:
    """In a worker, spare the garbage collector what the start has built: it lasts as long as the worker."""
    if parent_process() is not None:
        gc.collect()
        gc.freeze()


def arguments(host: str, port: int, workers: int) -> list[str]:
    """The command line of granian for this application."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "app:create_app"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--http", "1", "--no-ws"),  # nothing here speaks HTTP/2 or WebSocket
        *("--blocking-threads", str(THREADS + WAITING_THREADS), "--backpressure", str(CONNECTIONS)),
        *("--respawn-failed-workers", "--respawn-interval", "0.2"),  # or one dead worker ends the server
        *("--workers-kill-timeout", "10"),  # or one unfinished body holds up a stop for good
        *("--no-access-log", "--log-level", "error"),  # blueprints/web.py writes one line per request
    ]


@click.command("serve", cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: PORT, or 5000]")
@with_appcontext
def serve(host: str, port: int | None) -> None:
    """Serve with WEB_CONCURRENCY worker processes."""
    workers = current_app.config["WEB_CONCURRENCY"]
    port = port or int(current_app.config["PORT"])
    require_free(host, port)
    shown = f"[{host}]" if ":" in host else host
    count = "1 worker" if workers == 1 else f"{workers} workers"
    click.echo(f"Listening on http://{shown}:{port} with {count}. Ctrl-C stops it.")
    command = arguments(host, port, workers)
    os.chdir(current_app.root_path)
    os.execv(command[0], command)  # noqa: S606  # its own process group and signals, no shell


def require_free(host: str, port: int) -> None:
    """Raises ClickException where the server could not listen.

    granian's workers share their port (SO_REUSEPORT), so two servers on one port would split the
    requests between them without a word.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        reason = f"{error.strerror or error}".lower()
        raise click.ClickException(f"PORT: {host} port {port} is not to be had: {reason}.") from None


commands = (serve,)
