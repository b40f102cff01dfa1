"""The console over 4 workers: sessions end on all of them, and what is sent at once happens once."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import ApiKey, Organisation, User, Waitlist
from tests.factories import PASSWORD, all_rows, deactivate, events, make_api_key, make_organisation, make_user
from tests.system.browser import Browser
from tests.system.server import Server

REPLAYS = 24
NEW_PASSWORD = "another battery staple"
NEW = "/api-keys/new"
TOKEN = re.compile(rb"qu_live_[0-9A-Za-z]{36}")


def change_password(browser: Browser, user: User) -> None:
    fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert browser.fill_in("/account", fields).status == 302
    assert browser.get("/account").status == 200  # the one that changed it goes on


def sign_out(browser: Browser, user: User) -> None:
    assert browser.fill_in("/logout", {}, page="/account").status == 302
    assert browser.get("/account").status == 302


def be_deactivated(browser: Browser, user: User) -> None:
    deactivate(user)
    assert browser.get("/account").status == 302


@pytest.mark.parametrize("end", [change_password, sign_out, be_deactivated])
def test_a_session_that_has_ended_is_over_on_every_worker(server: Server, end: Callable[[Browser, User], None]) -> None:
    user = make_user()
    browser, waitlists = Browser(server), len(all_rows(Waitlist))
    assert browser.sign_in(user.email).status == 302
    form = browser.hidden("/waitlists/new") | {"name": "Too late", "referral_skip": "5"}
    thief = browser.another_with_its_cookies()
    assert {thief.another_with_its_cookies().get("/account").status for _ in range(REPLAYS)} == {200}

    end(browser, user)

    assert {thief.another_with_its_cookies().get("/account").status for _ in range(REPLAYS)} == {302}
    for _ in range(REPLAYS):
        reply = thief.another_with_its_cookies().post("/waitlists/new", form)
        assert (reply.status, reply.headers["Location"]) == (302, "/login")
    assert len(all_rows(Waitlist)) == waitlists
    assert any(event.target_label == user.email for event in events("user.created"))


def minted(organisation: Organisation) -> list[ApiKey]:
    return [key for key in all_rows(ApiKey) if key.organisation_id == organisation.id]


def test_one_form_sent_often_at_once_mints_one_key_and_shows_one_token(server: Server) -> None:
    user = make_user()
    browser = Browser(server)
    browser.sign_in(user.email)
    form = browser.hidden(NEW) | {"name": "crm-sync", "scopes": "subscribers:read"}

    with ThreadPoolExecutor(16) as windows:
        replies = list(windows.map(lambda _: browser.another_with_its_cookies().post(NEW, form), range(16)))

    assert sorted(reply.status for reply in replies) == [201] + [303] * 15
    assert len({token for reply in replies for token in TOKEN.findall(reply.body)}) == 1
    assert len(minted(user.organisation)) == 1
    recorded = [event for event in events("api_key.created") if event.organisation_id == user.organisation_id]
    assert len(recorded) == 1


def test_fifty_creates_at_once_never_pass_the_limit_of_keys(server: Server) -> None:
    organisation = make_organisation()
    user = make_user(organisation)
    for _ in range(49):
        make_api_key(organisation)
    browser = Browser(server)
    browser.sign_in(user.email)
    forms = [browser.hidden(NEW) | {"name": "crm-sync", "scopes": "subscribers:read"} for _ in range(50)]

    with ThreadPoolExecutor(50) as windows:
        replies = list(windows.map(lambda form: browser.another_with_its_cookies().post(NEW, form), forms))

    assert sorted(reply.status for reply in replies) == [201] + [409] * 49
    assert len(minted(organisation)) == 50
    recorded = [event for event in events("api_key.created") if event.organisation_id == organisation.id]
    assert len(recorded) == 50
