"""Creating a key: the dialog, and what happens to a form that is wrong or sent twice."""

import re

from playwright.sync_api import Page, expect

from models import ApiKey
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, create_key, fill_in, open_create, opened, sign_in, token_in
from tests.factories import all_rows, count, make_user

pytestmark = on_sqlite


def test_the_dialog_opens_empty_every_time(page: Page) -> None:
    sign_in(page, make_user())
    dialog = open_create(page)
    fill_in(dialog, "half typed", "Read subscribers")
    button(dialog, "Cancel").click()
    expect(dialog).to_be_hidden()

    button(page, "Create key").click()
    again = opened(page, "Create key")

    expect(again.get_by_label("Name")).to_have_value("")
    expect(again.get_by_label("Name")).to_be_focused()
    expect(again.get_by_role("checkbox")).to_have_count(2)
    expect(again.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_the_dialog_says_what_each_permission_is_for(page: Page) -> None:
    sign_in(page, make_user())
    dialog = open_create(page)

    expect(dialog).to_contain_text("Shown in the activity log: crm-sync or analytics-warehouse beats key1.")
    for words in ("subscribers:read", "lets the key list subscribers, page by page"):
        expect(dialog.locator("label", has_text="Read subscribers")).to_contain_text(words)
    for words in ("subscribers:write", "lets the key submit signups from a server"):
        expect(dialog.locator("label", has_text="Create subscribers")).to_contain_text(words)
    dialog.get_by_role("link", name="Authentication → Scopes").click()
    expect(page).to_have_url(re.compile("/docs/authentication#scopes$"))
    expect(page.get_by_role("heading", name="Scopes")).to_be_in_viewport()


def test_a_wrong_form_keeps_what_was_typed_and_puts_the_focus_where_it_is_wrong(page: Page) -> None:
    sign_in(page, make_user())
    dialog = open_create(page)
    fill_in(dialog, "crm-sync")
    button(dialog, "Create").click()

    expect(page.get_by_text("Tick at least one permission.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("crm-sync")
    expect(page.get_by_label("Read subscribers")).to_be_focused()
    assert count(ApiKey) == 0

    fill_in(page, " ", "Read subscribers")
    button(page, "Create").click()
    expect(page.get_by_text("Give the key a name.")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Read subscribers")).to_be_checked()
    assert count(ApiKey) == 0

    fill_in(page, "analytics-warehouse")
    button(page, "Create").click()
    token_in(opened(page, "Key created"))
    assert [(key.name, key.access_summary) for key in all_rows(ApiKey)] == [("analytics-warehouse", "Read-only")]


def test_an_impatient_second_click_sends_nothing(page: Page) -> None:
    sign_in(page, make_user())
    dialog = open_create(page)
    fill_in(dialog, "crm-sync", "Read subscribers")

    were_stopped = button(dialog, "Create").evaluate(
        """button => {
            const stopped = []
            button.form.addEventListener('submit', (event) => {
                stopped.push(event.defaultPrevented)
                event.preventDefault()
            })
            button.click()
            button.click()
            return stopped
        }"""
    )

    assert were_stopped == [False, True]


def test_the_token_is_behind_the_dialog_in_the_list_with_its_prefix_alone(page: Page) -> None:
    sign_in(page, make_user())
    dialog = create_key(page)
    token = token_in(dialog)

    assert page.content().count(token) == 1
    expect(page.locator(".qk-keys")).to_contain_text(f"{token[:12]}…")
