"""Revoking a key in the browser."""

from playwright.sync_api import Page, expect

from models import ApiKey
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, call, opened, row, sign_in
from tests.factories import all_rows, events, make_api_key, make_organisation, make_user, make_waitlist

pytestmark = on_sqlite


def test_revoking_asks_first_and_then_the_next_request_is_refused(page: Page, address: str) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    old, token = make_api_key(organisation, "Old importer")
    _, other = make_api_key(organisation, "crm-sync")
    sign_in(page, make_user(organisation))
    assert call(address, waitlist.public_id, token) == 200

    page.goto("/api-keys")
    button(page, "Revoke Old importer").click()
    dialog = opened(page, "Revoke this key?")
    for words in ("Old importer", f"{old.prefix}…", "Any service still using this key will start receiving 401."):
        expect(dialog).to_contain_text(words)
    button(dialog, "Revoke key").click()

    expect(page.get_by_role("status")).to_have_text("Revoked “Old importer”. Requests with it now get 401.")
    expect(row(page, "Old importer")).to_have_count(0)
    assert call(address, waitlist.public_id, token) == 401
    assert call(address, waitlist.public_id, other) == 200
    assert len(events("api_key.revoked")) == 1


def test_keeping_the_key_changes_nothing(page: Page) -> None:
    organisation = make_organisation()
    make_api_key(organisation, "crm-sync")
    sign_in(page, make_user(organisation))
    page.goto("/api-keys")

    button(page, "Revoke crm-sync").click()
    dialog = opened(page, "Revoke this key?")
    expect(button(dialog, "Keep key")).to_be_focused()
    expect(dialog).to_contain_text("This key was never used.")
    button(dialog, "Keep key").click()

    expect(dialog).to_be_hidden()
    expect(row(page, "crm-sync")).to_be_visible()
    assert [key.revoked_at for key in all_rows(ApiKey)] == [None]
    assert events("api_key.revoked") == []


def test_each_row_asks_about_its_own_key(page: Page) -> None:
    organisation = make_organisation()
    names = ("crm-sync", "analytics-warehouse", "crm-sync")
    keys = [make_api_key(organisation, name)[0] for name in names]
    sign_in(page, make_user(organisation))
    page.goto("/api-keys")

    for place, key in enumerate(reversed(keys)):
        page.get_by_role("button", name="Revoke").nth(place).click()
        dialog = opened(page, "Revoke this key?")
        expect(dialog).to_contain_text(f"{key.prefix}…")
        expect(dialog.locator("[data-fill='name']")).to_have_text(key.name)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
