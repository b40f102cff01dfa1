"""The API keys page of an organisation whose plan has lapsed."""

from playwright.sync_api import Page, expect

from models import ApiKey, Plan
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, call, opened, row, sign_in
from tests.factories import all_rows, make_api_key, make_organisation, make_user, make_waitlist, set_plan

pytestmark = on_sqlite


def test_a_lapsed_plan_pauses_keys_and_a_restored_one_resumes_them(page: Page, address: str) -> None:
    organisation = make_organisation("Fernhill")
    waitlist = make_waitlist(organisation)
    _, token = make_api_key(organisation, "crm-sync")
    _, revoked = make_api_key(organisation, "Old importer")
    navigation = page.get_by_role("navigation", name="Main")
    sign_in(page, make_user(organisation))
    page.goto("/waitlists")
    expect(navigation).to_contain_text("API keys")

    set_plan(organisation, Plan.FREE)
    page.goto("/api-keys")
    expect(page.get_by_text("2 keys are paused, because Fernhill is on the Free plan.")).to_be_visible()
    expect(page.get_by_role("heading", name="Paused keys")).to_be_visible()
    expect(navigation).not_to_contain_text("API keys")
    expect(button(page, "Create key")).to_have_count(0)
    assert call(address, waitlist.public_id, token) == 403

    button(page, "Revoke Old importer").click()
    button(opened(page, "Revoke this key?"), "Revoke key").click()
    expect(page.get_by_text("1 key is paused, because Fernhill is on the Free plan.")).to_be_visible()

    set_plan(organisation, Plan.PRO)
    page.reload()
    expect(page.get_by_text("paused")).to_have_count(0)
    expect(navigation).to_contain_text("API keys")
    expect(button(page, "Create key")).to_be_visible()
    expect(row(page, "Old importer")).to_have_count(0)
    assert call(address, waitlist.public_id, token) == 200
    assert call(address, waitlist.public_id, revoked) == 401
    assert [key.revoked_at is None for key in all_rows(ApiKey)] == [True, False]


def test_an_organisation_that_never_paid_is_told_what_keys_need(page: Page) -> None:
    sign_in(page, make_user(make_organisation("Fernhill", Plan.FREE)))

    page.goto("/api-keys")
    expect(page.get_by_role("heading", name="API keys need Pro or Team")).to_be_visible()
    expect(button(page, "Create key")).to_have_count(0)
    page.get_by_role("link", name="See plans").click()

    expect(page.get_by_role("row").filter(has_text="Current")).to_contain_text("Free")
