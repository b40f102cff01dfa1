"""What a person does in the console, step by step."""

import json
import re
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Locator, Page, expect

from models import User
from tests.console import hidden_fields
from tests.factories import PASSWORD

TOKEN = re.compile(r"qu_live_[0-9A-Za-z]{36}")


def sign_in(page: Page, user: User) -> None:
    """Sign in by the requests that the form would send: quicker where signing in is not the story."""
    hidden = hidden_fields(page.request.get("/login").text())
    answer = page.request.post("/login", form={**hidden, "email": user.email, "password": PASSWORD})
    assert answer.url.endswith("/waitlists")


def fill_in_and_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in form and arrive."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    button(page, "Sign in").click()
    expect(page).to_have_url(re.compile("/waitlists$"))


def button(place: Page | Locator, words: str) -> Locator:
    """The button with exactly these words."""
    return place.get_by_role("button", name=words, exact=True)


def opened(page: Page, title: str) -> Locator:
    """The dialog with this title, once it has opened and has put the focus into itself."""
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog.locator(":focus")).to_have_count(1)
    return dialog


def open_create(page: Page) -> Locator:
    """From anywhere: the dialog that asks for a new key."""
    page.goto("/api-keys")
    button(page, "Create key").click()
    return opened(page, "Create key")


def fill_in(form: Page | Locator, name: str, *permissions: str) -> None:
    """A name, and the ticks at these permissions."""
    form.get_by_label("Name").fill(name)
    for permission in permissions:
        form.get_by_label(permission).check()


def create_key(page: Page, name: str = "crm-sync") -> Locator:
    """Create a key with every permission; gives the dialog that shows its token."""
    dialog = open_create(page)
    fill_in(dialog, name, "Read subscribers", "Create subscribers")
    button(dialog, "Create").click()
    return opened(page, "Key created")


def token_in(place: Locator) -> str:
    """The one token that is shown, once it is: a page that still waits for a style sheet may hide it for a moment."""
    shown = place.get_by_text(TOKEN).filter(visible=True)
    expect(shown).to_have_count(1)
    token = TOKEN.search(shown.inner_text())
    assert token is not None
    return token[0]


def row(page: Page, name: str) -> Locator:
    """The row of the key with this name."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def copied(dialog: Locator) -> None:
    """Copy the token with the button."""
    button(dialog, "Copy token").click()
    expect(button(dialog, "Copied")).to_be_visible()


def clipboard(page: Page) -> str:
    """What a paste would give."""
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def call(address: str, waitlist_id: str, token: str, email: str = "") -> int:
    """The status of a real request with the token: to create a subscriber, or without an address to list them."""
    url = f"{address}/v1/api/waitlists/{waitlist_id}/subscribers"
    body = json.dumps({"email": email}).encode() if email else None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(url, body, headers), timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
