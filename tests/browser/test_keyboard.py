"""The console without a mouse."""

import re

from playwright.sync_api import Locator, Page, expect

from models import ApiKey
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, clipboard, opened, sign_in, token_in
from tests.factories import all_rows, make_api_key, make_organisation, make_user

pytestmark = on_sqlite

TABS = 40


def test_a_key_is_created_copied_and_revoked_by_keyboard_alone(page: Page) -> None:
    organisation = make_organisation()
    make_api_key(organisation, "Old importer")
    sign_in(page, make_user(organisation))
    page.goto("/api-keys")

    tab_to(page, button(page, "Create key"))
    page.keyboard.press("Space")
    dialog = opened(page, "Create key")
    page.keyboard.type("crm-sync")
    tab_to(page, dialog.get_by_label("Create subscribers"))
    page.keyboard.press("Space")
    tab_to(page, button(dialog, "Create"))
    page.keyboard.press("Enter")

    dialog = opened(page, "Key created")
    token = token_in(dialog)
    page.keyboard.press("Enter")
    expect(button(dialog, "Copied")).to_be_focused()
    assert clipboard(page) == token
    tab_to(page, button(dialog, "Done"))
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("/api-keys$"))
    assert [key.access_summary for key in all_rows(ApiKey)] == ["Full access", "Create-only"]

    tab_to(page, button(page, "Revoke Old importer"))
    page.keyboard.press("Enter")
    dialog = opened(page, "Revoke this key?")
    tab_to(page, button(dialog, "Revoke key"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Revoked “Old importer”.")


def test_the_focus_stays_in_a_dialog_and_returns_to_what_opened_it(page: Page) -> None:
    organisation = make_organisation()
    make_api_key(organisation, "crm-sync")
    sign_in(page, make_user(organisation))
    page.goto("/api-keys")

    for opener, title in (("Create key", "Create key"), ("Revoke crm-sync", "Revoke this key?")):
        button(page, opener).press("Enter")
        dialog = opened(page, title)
        for way in ("Tab", "Shift+Tab"):
            for _ in range(12):  # past the last one comes the browser's own bar, and then the first one again
                page.keyboard.press(way)
                expect(page.locator("header :focus, main :focus, .qk-skip:focus")).to_have_count(0)
            expect(dialog.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(button(page, opener)).to_be_focused()


def test_the_first_tab_leads_past_the_navigation(page: Page) -> None:
    sign_in(page, make_user())
    page.goto("/waitlists")

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Create waitlist"), at_most=1)


def test_the_account_menu_opens_and_closes_by_keyboard(page: Page) -> None:
    sign_in(page, make_user(name="Maya Lindqvist"))
    page.goto("/waitlists")

    tab_to(page, page.locator(".qk-menu summary"))
    page.keyboard.press("Enter")
    tab_to(page, button(page, "Sign out"))
    page.keyboard.press("Escape")

    expect(button(page, "Sign out")).to_be_hidden()
    expect(page.locator(".qk-menu summary")).to_be_focused()


def tab_to(page: Page, wanted: Locator, at_most: int = TABS) -> None:
    """Press Tab until it is focused, as somebody does who cannot point at it."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")
