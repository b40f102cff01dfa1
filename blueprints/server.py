"""The shipped server: granian with the flags that Queuekey needs, on every machine the same."""

import os
import sys

import click
from flask import Flask, current_app

THREADS = 16  # per worker; each may hold one database connection


def init_app(app: Flask) -> None:
    """Add the `serve` command."""
    app.cli.add_command(serve)


def arguments(host: str, port: int, workers: int) -> list[str]:
    """The command line of granian for this application."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "app:create_app"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--http", "1", "--no-ws"),  # nothing here speaks HTTP/2 or WebSocket
        *("--blocking-threads", str(THREADS)),
        *("--respawn-failed-workers", "--respawn-interval", "0.2"),  # or one dead worker ends the server
        *("--workers-kill-timeout", "10"),  # or one unfinished body holds up a stop for good
        *("--no-access-log", "--log-level", "warning"),  # blueprints/web.py writes one line per request
    ]


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: PORT, or 5000]")
def serve(host: str, port: int | None) -> None:
    """Serve with WEB_CONCURRENCY worker processes."""
    config = current_app.config
    command = arguments(host, port or config["PORT"], config["WEB_CONCURRENCY"])
    os.chdir(current_app.root_path)
    os.execv(command[0], command)  # noqa: S606  # its own process group and signals, no shell
