"""Chromium, and the console on a real port for it to open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Page, sync_playwright
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from tests.browser.watch import Watch

DEBIAN = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",  # it refuses to run as root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP queuekey.test 127.0.0.1",  # a host that is no secure context over http
)
PLAIN_HOST = "queuekey.test"
PATIENCE_MS = 15_000

# For what does not depend on the engine.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")

OpenPage: TypeAlias = Callable[..., Page]


class SilentHandler(WSGIRequestHandler):
    """Keeps connections open as a real server does, and writes no access log."""

    protocol_version = "HTTP/1.1"
    timeout = 5  # seconds until it gives up a connection that nobody uses

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class PatientServer(ThreadedWSGIServer):
    """When it closes it waits for what still writes after its response."""

    daemon_threads = False


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests: Debian's, or else the one that Playwright brings."""
    with sync_playwright() as playwright:
        try:
            path = DEBIAN if DEBIAN.exists() else None
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            if "Executable doesn't exist" not in error.message:
                raise
            pytest.skip("There is no Chromium: apt-get install chromium, or playwright install chromium.")
        yield browser
        browser.close()


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve an application, if need be on a free port, for the length of a `with` block; gives its address."""
    server = PatientServer("127.0.0.1", port, app, SilentHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the console answers."""
    with serving(app) as address:
        yield address


@pytest.fixture
def watch() -> Watch:
    """What the browser complains about during the test."""
    return Watch()


@pytest.fixture
def open_page(chromium: Browser, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages, each in a context of its own; at the end none of them has complained of anything."""
    contexts = []

    def open_one(base_url: str, **options: Any) -> Page:
        context = chromium.new_context(base_url=base_url, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        watch.look_at(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert watch.complaints() == []


@pytest.fixture
def page(address: str, open_page: OpenPage) -> Page:
    """An empty page of a visitor who may use the clipboard."""
    return open_page(address, permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def page_without_scripts(address: str, open_page: OpenPage) -> Page:
    """An empty page of a visitor whose browser runs no scripts."""
    return open_page(address, java_script_enabled=False)
