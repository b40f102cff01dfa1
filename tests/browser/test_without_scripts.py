"""The same job in a browser that runs no scripts: every dialog is a page of its own."""

import re

import pytest
from playwright.sync_api import Page, expect

from models import ApiKey, Organisation, Plan
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, call, fill_in, fill_in_and_sign_in, row, token_in
from tests.factories import count, make_organisation, make_user, make_waitlist, set_plan

pytestmark = on_sqlite


@pytest.fixture
def organisation() -> Organisation:
    """The organisation of the story."""
    return make_organisation("Fernhill")


@pytest.fixture
def page(app: object, organisation: Organisation, page_without_scripts: Page) -> Page:
    """A page of a signed-in admin whose browser runs no scripts."""
    fill_in_and_sign_in(page_without_scripts, make_user(organisation, name="Maya Lindqvist").email)
    return page_without_scripts


def test_a_key_is_created_used_and_revoked_without_scripts(
    page: Page, address: str, organisation: Organisation
) -> None:
    waitlist = make_waitlist(organisation)
    page.get_by_role("link", name="API keys").click()
    button(page, "Create key").click()
    expect(page).to_have_url(re.compile("/api-keys/new$"))
    fill_in(page, "crm-sync")
    button(page, "Create").click()
    expect(page.get_by_text("Tick at least one permission.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("crm-sync")
    fill_in(page, "crm-sync", "Read subscribers", "Create subscribers")
    button(page, "Create").click()

    token = token_in(page.get_by_role("main"))
    expect(button(page, "Copy token")).to_be_hidden()
    expect(page.get_by_text(token)).to_be_in_viewport()
    button(page, "Done").click()
    expect(page).to_have_url(re.compile("/api-keys$"))
    assert token not in page.content()
    assert call(address, waitlist.public_id, token) == 200
    assert call(address, waitlist.public_id, token, "Lin@example.org") == 201

    button(page, "Revoke crm-sync").click()
    expect(page.get_by_role("main")).to_contain_text("Any service still using this key will start receiving 401.")
    button(page, "Revoke key").click()
    expect(page.get_by_role("status")).to_have_text("Revoked “crm-sync”. Requests with it now get 401.")
    assert call(address, waitlist.public_id, token) == 401

    page.get_by_role("link", name="Activity").click()
    lines = page.locator(".qk-log tbody tr:not(.qk-day)")
    for place, words in enumerate((("api_key.revoked", "Maya"), ("subscriber.created", "API key"))):
        for word in words:
            expect(lines.nth(place)).to_contain_text(word)


def test_a_reload_of_the_reveal_shows_no_token_and_mints_no_second_key(page: Page) -> None:
    page.goto("/api-keys/new")
    fill_in(page, "crm-sync", "Read subscribers")
    button(page, "Create").click()
    token = token_in(page.get_by_role("main"))

    page.reload()

    expect(page.get_by_role("status")).to_contain_text("This form was already used.")
    assert token not in page.content()
    assert count(ApiKey) == 1


def test_a_lapsed_plan_is_explained_and_keys_can_be_revoked(page: Page, organisation: Organisation) -> None:
    page.goto("/api-keys/new")
    fill_in(page, "crm-sync", "Read subscribers")
    button(page, "Create").click()
    set_plan(organisation, Plan.FREE)

    button(page, "Done").click()
    expect(page.get_by_text("1 key is paused, because Fernhill is on the Free plan.")).to_be_visible()
    expect(button(page, "Create key")).to_have_count(0)
    button(page, "Revoke crm-sync").click()
    button(page, "Revoke key").click()

    expect(row(page, "crm-sync")).to_have_count(0)


def test_waitlists_filters_and_signing_out_need_no_scripts(page: Page) -> None:
    page.goto("/waitlists")
    page.get_by_role("link", name="Create waitlist").click()
    page.get_by_label("Name").fill("Spring launch")
    button(page, "Create").click()
    expect(page.get_by_role("heading", name="Spring launch")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_text("Archive…").click()
    button(page, "Archive waitlist").click()
    expect(page.get_by_text("This waitlist is archived.")).to_be_visible()

    page.get_by_role("link", name="Activity").click()
    page.get_by_label("Action").select_option("waitlist.archived")
    button(page, "Filter").click()
    expect(page.locator(".qk-what")).to_have_text(["waitlist.archived"])

    page.get_by_text("Maya", exact=True).click()
    button(page, "Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
