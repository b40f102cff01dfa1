"""Signing in and out in the browser."""

import re

from playwright.sync_api import Page, expect

from models import Role
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, fill_in_and_sign_in, sign_in
from tests.factories import PASSWORD, make_user

pytestmark = on_sqlite


def test_a_visitor_signs_in_arrives_where_they_wanted_to_go_and_signs_out(page: Page) -> None:
    user = make_user(email="maya@fernhill.example", name="Maya Lindqvist")

    page.goto("/api-keys")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/api-keys$"))

    page.get_by_text("Maya", exact=True).click()
    expect(page.get_by_text("maya@fernhill.example · admin")).to_be_visible()
    button(page, "Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/login"))


def test_a_wrong_password_keeps_the_address_and_asks_for_the_password_again(page: Page) -> None:
    user = make_user()
    page.goto("/login")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill("not the password")
    button(page, "Sign in").click()

    expect(page.get_by_text("That e-mail and password do not match.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(user.email)
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    page.goto("/waitlists")
    expect(page).to_have_url(re.compile("/login"))

    fill_in_and_sign_in(page, user.email)


def test_a_member_sees_neither_keys_nor_log_and_is_told_so_kindly(page: Page) -> None:
    sign_in(page, make_user(role=Role.MEMBER))

    page.goto("/waitlists")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link")).to_have_text(["Waitlists", "Plan", "Docs"])
    page.goto("/api-keys")

    expect(page.get_by_text("Ask an admin of your organisation.")).to_be_visible()
