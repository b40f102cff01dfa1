"""The one time that a token is shown: how it is copied, and that nobody leaves without it by mistake."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Locator, Page, expect

from models import ApiKey
from tests.browser.conftest import PLAIN_HOST, OpenPage, on_sqlite, serving
from tests.browser.steps import (
    button,
    clipboard,
    copied,
    create_key,
    fill_in_and_sign_in,
    open_create,
    row,
    sign_in,
    token_in,
)
from tests.browser.watch import Watch
from tests.factories import count, make_user
from tests.system.server import free_port
from tests.whole_console import running

pytestmark = on_sqlite

LIST = re.compile("/api-keys$")
ASK = "You have not copied the token yet."
BY_HAND = "Press Ctrl+C or ⌘C to copy."
WAYS_OUT: dict[str, Callable[[Page, Locator], None]] = {
    "Esc": lambda page, _: page.keyboard.press("Escape"),
    "×": lambda _, dialog: button(dialog, "Close").click(),
    "Done": lambda _, dialog: button(dialog, "Done").click(),
    "beside": lambda page, _: page.mouse.click(5, 5),
}


@pytest.fixture
def dialog(page: Page) -> Locator:
    """The dialog with a new key's token, not copied yet."""
    sign_in(page, make_user())
    return create_key(page)


def test_every_way_out_asks_until_the_token_is_copied(page: Page, dialog: Locator) -> None:
    for leave in WAYS_OUT.values():
        button(dialog, "Done").focus()
        leave(page, dialog)
        expect(dialog.get_by_role("alert")).to_contain_text(ASK)
        expect(button(dialog, "Copy token")).to_be_focused()
        token_in(dialog)

    copied(dialog)
    expect(dialog.get_by_text(ASK)).to_be_hidden()
    button(dialog, "Done").click()
    expect(page).to_have_url(LIST)


@pytest.mark.parametrize("way_out", ["Esc", "×", "Done"])
def test_nothing_is_asked_once_the_token_is_copied(page: Page, dialog: Locator, way_out: str) -> None:
    token = token_in(dialog)
    copied(dialog)
    assert clipboard(page) == token

    WAYS_OUT[way_out](page, dialog)

    expect(page).to_have_url(LIST)
    assert token not in page.content()


def test_only_leaving_without_the_token_leaves_uncopied(page: Page, dialog: Locator) -> None:
    token = token_in(dialog)
    button(dialog, "Done").click()
    button(dialog, "Leave without the token").click()

    expect(page).to_have_url(LIST)
    assert token not in page.content()


def test_closing_the_tab_asks_until_the_token_is_copied(page: Page, dialog: Locator, watch: Watch) -> None:
    watch.may_leave = False
    dialog.get_by_text("This token is shown only once.").click()  # browsers ask nobody who has not touched the page
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    token_in(dialog)

    copied(dialog)
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert watch.questions == 1


def test_copying_the_token_by_hand_counts_as_a_copy(page: Page, dialog: Locator) -> None:
    token = token_in(dialog)
    dialog.get_by_text("Keep it on your server").click(click_count=3)
    page.keyboard.press("Control+c")
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("alert")).to_contain_text(ASK)

    dialog.get_by_text(token).click(click_count=3)
    page.keyboard.press("Control+c")
    expect(dialog.get_by_text(ASK)).to_be_hidden()
    assert clipboard(page) == token
    page.keyboard.press("Escape")
    expect(page).to_have_url(LIST)


def test_copying_the_call_does_not_count_as_copying_the_token(page: Page, dialog: Locator) -> None:
    button(dialog, "Copy").click()
    expect(button(dialog, "Copied")).to_be_visible()
    assert "$QUEUEKEY_TOKEN" in clipboard(page)

    button(dialog, "Done").click()

    expect(dialog.get_by_role("alert")).to_contain_text(ASK)


def test_a_refused_clipboard_leaves_the_token_selected_to_be_copied_by_hand(
    page: Page, address: str, chromium: Browser
) -> None:
    refuse_clipboard(chromium, page, address)
    sign_in(page, make_user())
    dialog = create_key(page)

    button(dialog, "Copy token").click()

    expect(dialog.get_by_text(BY_HAND)).to_be_visible()
    assert page.evaluate("getSelection().toString()") == token_in(dialog)
    button(dialog, "Done").click()
    expect(dialog.get_by_role("alert")).to_contain_text(ASK)


def test_without_a_clipboard_on_plain_http_the_token_is_copied_by_hand(
    app: Flask, open_page: OpenPage, watch: Watch
) -> None:
    watch.expected = "Cross-Origin-Opener-Policy header has been ignored"  # plain http is not worth that policy
    port = free_port()
    public_url = f"http://{PLAIN_HOST}:{port}"
    with running(app, PUBLIC_URL=public_url) as plain, serving(plain, port):
        page = open_page(public_url)
        fill_in_and_sign_in(page, make_user().email)
        dialog = create_key(page)
        token = token_in(dialog)
        assert page.evaluate("[isSecureContext, typeof navigator.clipboard]") == [False, "undefined"]

        button(dialog, "Copy token").click()
        expect(dialog.get_by_text(BY_HAND)).to_be_visible()
        page.keyboard.press("Control+c")
        expect(button(dialog, "Copied")).to_be_visible()
        button(dialog, "Done").click()
        expect(page).to_have_url(LIST)

        field = open_create(page).get_by_label("Name")
        field.press("Control+v")
        expect(field).to_have_value(token)
        page.context.close()


def test_a_reload_shows_no_token_and_mints_no_second_key(page: Page, dialog: Locator, watch: Watch) -> None:
    token = token_in(dialog)
    watch.may_leave = True

    page.reload()  # sends the form again, as a browser does once one has said yes

    expect(page).to_have_url(LIST)
    expect(page.get_by_role("status")).to_have_text(
        "This form was already used. If you have no copy of the token, revoke the key and create a new one."
    )
    expect(row(page, "crm-sync")).to_have_count(1)
    assert token not in page.content()
    assert count(ApiKey) == 1


def test_back_and_forward_show_no_token(page: Page, dialog: Locator, watch: Watch) -> None:
    watch.expected = "net::ERR_CACHE_MISS"  # going back to what a form answered, browsers ask before they send it again
    token = token_in(dialog)
    copied(dialog)
    page.goto("/waitlists")
    for move in (page.go_back, page.go_back, page.go_forward, page.go_forward):
        with suppress(Error):
            move()
        expect(page.locator("body")).not_to_contain_text(token)

    dialog = create_key(page, "analytics-warehouse")
    token = token_in(dialog)
    copied(dialog)
    button(dialog, "Done").click()
    expect(page).to_have_url(LIST)
    for move in (page.go_back, page.go_forward):
        move()
        expect(page.locator("body")).not_to_contain_text(token)
    assert count(ApiKey) == 2


def test_the_token_is_off_the_page_when_the_page_is_left(page: Page, dialog: Locator) -> None:
    token = token_in(dialog)
    copied(dialog)
    page.evaluate("addEventListener('pagehide', () => sessionStorage.setItem('left', document.body.textContent))")
    page.goto("/waitlists")

    left = page.evaluate("sessionStorage.getItem('left')")

    assert "This token is shown only once." in left
    assert token not in left


def test_a_page_that_comes_back_out_of_the_browsers_memory_goes_to_the_list(page: Page, dialog: Locator) -> None:
    token = token_in(dialog)
    copied(dialog)

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    expect(page).to_have_url(LIST)
    assert token not in page.content()


@pytest.mark.parametrize("script", ["bootstrap.min.js", "queuekey.js", "reveal.js"])
def test_a_script_that_fails_to_load_hides_no_token(page: Page, watch: Watch, script: str) -> None:
    watch.expected = "net::ERR_FAILED"
    page.route(f"**/{script}", lambda route: route.abort())
    sign_in(page, make_user())
    page.goto("/api-keys/new")
    page.get_by_label("Name").fill("crm-sync")
    page.get_by_label("Read subscribers").check()

    button(page, "Create").click()

    expect(page.locator("#token")).to_be_in_viewport()
    token_in(page.locator("#reveal"))


def refuse_clipboard(chromium: Browser, page: Page, address: str) -> None:
    """As if the person had said no, or an administrator had."""
    target = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]
    page.context.clear_permissions()
    refusal = {"permission": {"name": "clipboard-write"}, "setting": "denied", "origin": address}
    refusal["browserContextId"] = target["browserContextId"]
    chromium.new_browser_cdp_session().send("Browser.setPermission", refusal)
