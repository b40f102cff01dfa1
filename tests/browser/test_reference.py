"""The reference at /docs/api in the browser."""

import pytest
from playwright.sync_api import Locator, Page, expect

from models import Scope
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button
from tests.browser.test_every_page import too_wide
from tests.factories import make_api_key, make_organisation, make_subscriber, make_waitlist

pytestmark = on_sqlite


def open_call(page: Page, endpoint: str) -> Locator:
    """The call with this name, opened."""
    call = page.locator(f"[id$={endpoint}]")
    call.locator(".opblock-summary-control").click()
    expect(button(call, "Try it out")).to_be_visible()
    return call


def test_a_reader_pastes_a_token_and_tries_a_call(page: Page) -> None:
    waitlist = make_waitlist(organisation := make_organisation())
    make_subscriber(waitlist, "ada@example.org")
    _, token = make_api_key(organisation, scopes=[Scope.SUBSCRIBERS_READ])
    page.goto("/docs/api")

    button(page, "Authorize").click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input").fill(token)
    button(dialog, "Apply credentials").click()
    button(dialog, "Close").click()
    call = open_call(page, "list_subscribers")
    button(call, "Try it out").click()
    call.get_by_placeholder("waitlist_id").fill(waitlist.public_id)
    button(call, "Execute").click()

    live = call.locator(".live-responses-table")
    expect(live).to_contain_text("200")
    expect(live).to_contain_text("ada@example.org")
    page.reload()
    page.locator(".opblock").first.wait_for()
    assert token not in page.content()
    assert token not in str(
        page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_the_systems_theme_and_fits_every_window(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto("/docs/api")
    call = open_call(page, "create_subscribers")

    ink = page.get_by_role("heading", name="API reference").evaluate("element => getComputedStyle(element).color")
    for part in (".opblock-summary-path", ".parameter__name", ".response-col_status"):
        assert call.locator(part).first.evaluate("element => getComputedStyle(element).color") == ink
    assert too_wide(page) == []


def test_without_scripts_the_calls_are_a_table(page_without_scripts: Page) -> None:
    page_without_scripts.goto("/docs/api")

    table = page_without_scripts.get_by_role("table", name="Calls")
    expect(table).to_contain_text("/v1/api/key")
    expect(table).to_contain_text("subscribers:write")
