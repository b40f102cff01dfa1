"""From a revealed token to the first answer in two pastes, in a real shell at a real terminal."""

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests import shell
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, clipboard, fill_in, open_create, opened, sign_in, token_in
from tests.factories import make_subscriber, make_user, make_waitlist

pytestmark = on_sqlite

READY = "ready> "
PATIENCE_SECONDS = 30
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")  # colours and movements of the cursor
TAKES_BRACKETS = re.compile(r"\x1b\[\?2004([hl])")  # by which a shell asks to be told what was pasted


class Terminal:
    """A terminal with a shell in it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = ""

    @property
    def screen(self) -> str:
        """Everything that has been shown."""
        return CONTROL.sub("", self._received)

    def paste(self, text: str) -> None:
        """Paste as terminals do, and press Enter."""
        if TAKES_BRACKETS.findall(self._received)[-1:] == ["h"]:
            text = f"\x1b[200~{text}\x1b[201~"
        os.write(self._descriptor, f"{text}\r".encode())

    def wait_for(self, words: str) -> None:
        """Wait until these words are shown."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if select.select([self._descriptor], [], [], 0.1)[0]:
                self._received += os.read(self._descriptor, 65536).decode(errors="replace")


@contextmanager
def terminal(folder: Path, bracketed_paste: str) -> Iterator[Terminal]:
    """An interactive bash that keeps a history, as after opening a terminal window."""
    variables = shell.environment(folder, PS1=READY, TERM="xterm", HISTFILE=str(folder / "history"))
    (folder / "inputrc").write_text(f"set enable-bracketed-paste {bracketed_paste}\n")
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "-i"], variables | {"INPUTRC": str(folder / "inputrc")})
    try:
        opened_one = Terminal(descriptor)
        opened_one.wait_for(READY)
        yield opened_one
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


@pytest.mark.parametrize("bracketed_paste", ["on", "off"])
@pytest.mark.parametrize(
    ("permissions", "email", "status"),
    [
        (("Read subscribers", "Create subscribers"), "lin@example.org", 200),
        (("Create subscribers",), "ada@example.org", 201),
    ],
)
def test_two_pastes_lead_from_the_reveal_to_an_answer_and_the_token_stays_unseen(
    app: Flask, page: Page, tmp_path: Path, permissions: tuple[str, ...], email: str, status: int, bracketed_paste: str
) -> None:
    user = make_user()
    waitlist = make_waitlist(user.organisation)
    make_subscriber(waitlist, "lin@example.org")
    sign_in(page, user)
    form = open_create(page)
    fill_in(form, "crm-sync", *permissions)
    button(form, "Create").click()
    dialog = opened(page, "Key created")
    token = token_in(dialog)

    with terminal(tmp_path / "home", bracketed_paste) as window:
        button(dialog, "Copy").click()
        expect(button(dialog, "Copied")).to_be_visible()
        window.paste(clipboard(page))
        window.wait_for("\nPaste the token:\n")
        button(dialog, "Copy token").click()
        expect(page.locator("#token-said")).to_have_text("Copied")
        window.paste(clipboard(page))
        window.wait_for(f"}}{status}{READY}")  # curl is set to say the status after the body
        assert f'"email":"{email}"' in window.screen

        window.paste("echo ${#QUEUEKEY_TOKEN} >~/length; history -a; echo do''ne")
        window.wait_for("\ndone\n")
        assert token not in window.screen
    assert (tmp_path / "home/length").read_text() == f"{len(token)}\n"
    history = (tmp_path / "home/history").read_text()
    assert "Paste the token:" in history
    assert token not in history

    button(dialog, "Done").click()
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
