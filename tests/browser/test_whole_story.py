"""The main job in the shipped product, on both engines: mint a key, use it, revoke it, read of it in the log."""

import re
from collections.abc import Iterator

import orjson
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import (
    button,
    call,
    clipboard,
    copied,
    create_key,
    fill_in_and_sign_in,
    opened,
    row,
    token_in,
)
from tests.databases import ENGINES
from tests.system.conftest import SETTINGS, Installation, make_empty_database
from tests.system.server import run_command, running


@pytest.fixture(params=ENGINES)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fresh installation as `make run` leaves it."""
    database = make_empty_database(request.param, "browser", tmp_path_factory)
    settings = SETTINGS | {"DATABASE_URL": database.url}
    bootstrapped = orjson.loads(run_command(settings, "bootstrap", "--json").stdout)
    with running(settings, tmp_path_factory.mktemp("server"), workers=2) as server:
        yield Installation(server, settings, bootstrapped)


def test_a_newcomer_mints_uses_and_revokes_a_key_and_reads_of_it_in_the_log(
    installation: Installation, open_page: OpenPage
) -> None:
    server, _, made = installation
    page = open_page(server.url, permissions=["clipboard-read", "clipboard-write"])
    fill_in_and_sign_in(page, made["email"], made["password"])

    dialog = create_key(page, "crm-sync")
    token = token_in(dialog)
    copied(dialog)
    assert clipboard(page) == token
    button(dialog, "Done").click()
    expect(page).to_have_url(re.compile("/api-keys$"))
    expect(row(page, "crm-sync")).to_contain_text("Full access")
    expect(row(page, "crm-sync")).to_contain_text(f"{token[:12]}…")

    assert call(server.url, made["waitlist"], token) == 200
    assert call(server.url, made["waitlist"], token, "Lin@example.org") == 201

    set_plan(installation, "free")
    assert call(server.url, made["waitlist"], token) == 403
    page.reload()
    expect(page.get_by_text("1 key is paused")).to_be_visible()
    set_plan(installation, "pro")
    assert call(server.url, made["waitlist"], token) == 200

    revoke(page, "crm-sync")
    assert {call(server.url, made["waitlist"], token) for _ in range(20)} == {401}

    read_of_it(page)
    assert token not in page.content() + server.log_text()


def read_of_it(page: Page) -> None:
    """Find every step of the story in the activity log, newest first."""
    page.get_by_role("link", name="Activity").click()
    expect(page.locator(".qk-what").nth(4)).to_be_visible()
    told = page.locator(".qk-log tbody tr:not(.qk-day)").all_inner_texts()
    actions = ("api_key.revoked", "plan.changed", "plan.changed", "subscriber.created", "api_key.created")
    actors = ("Robin Oak", "System", "System", "crm-sync", "Robin Oak")
    for line, action, actor in zip(told, actions, actors, strict=False):
        assert action in line
        assert actor in line
        assert ("API key" in line) is (actor == "crm-sync")
    assert "Lin@example.org" in told[3]


def set_plan(installation: Installation, plan: str) -> None:
    """Change the plan as whoever runs the installation does."""
    run_command(installation.settings, "organisations", "set-plan", installation.bootstrapped["organisation"], plan)


def revoke(page: Page, name: str) -> None:
    """Revoke a key, with the confirmation."""
    page.goto("/api-keys")
    button(page, f"Revoke {name}").click()
    button(opened(page, "Revoke this key?"), "Revoke key").click()
    expect(page.get_by_role("status")).to_have_text(f"Revoked “{name}”. Requests with it now get 401.")
