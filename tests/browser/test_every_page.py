"""What holds for every page: names are text, nothing scrolls sideways, following links changes nothing."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urldefrag

from flask import Flask
from playwright.sync_api import Page, expect

from blueprints.docs.views import PAGES
from models import User
from tests.browser.conftest import on_sqlite
from tests.browser.steps import button, call, create_key, open_create, opened, sign_in
from tests.factories import make_api_key, make_organisation, make_user, make_waitlist, revoke
from tests.whole_console import everything, paths

pytestmark = on_sqlite

HOSTILE = '</script>"><img src=x onerror=alert(1)>{{7*7}}'
MADE_OF_IT = "img[src='x'], script:not([src])"  # what there would be if it were read as HTML
ENDLESS = "W" * 64
NOT_PAGES = {"/healthz", "/readyz", "/llms.txt", "/docs/authentication.md"}
WIDTHS = (320, 390, 800, 1280)


class World(NamedTuple):
    """The admin of an organisation that has one of everything, and the addresses of all its pages."""

    admin: User
    addresses: list[str]


def make_world(app: Flask, address: str, name: str) -> World:
    """Give everything the same name, and let a key of that name add a subscriber."""
    organisation = make_organisation(name)
    waitlist = make_waitlist(organisation, name)
    key, token = make_api_key(organisation, name)
    revoke(make_api_key(organisation, name)[0])
    assert call(address, waitlist.public_id, token, f"{'w' * 60}@{'w' * 60}.example") == 201
    ids = {"waitlist_id": waitlist.public_id, "api_key_id": key.id, "page": "authentication"}
    more = (
        *(f"/docs/{page}" for page in PAGES),
        "/no-such-page",
        *(f"/waitlists/{waitlist.public_id}?{query}" for query in ("q=w", f"q={quote(name)}", "page=9")),
        *(f"/activity?{query}" for query in (f"q={quote(name)}", "q=nothing+like+it", "from=2026-05-09&to=2026-05-01")),
    )
    return World(make_user(organisation, name=name), sorted({*paths(app, "GET", ids), *more} - NOT_PAGES))


def test_names_are_shown_as_they_are_and_nothing_in_them_runs(app: Flask, page: Page, address: str) -> None:
    world = make_world(app, address, HOSTILE)
    sign_in(page, world.admin)

    for path in world.addresses:
        page.goto(path)
        assert HOSTILE in page.locator("body").inner_text(), path
        assert page.locator(MADE_OF_IT).count() == 0, path

    page.goto("/api-keys")
    button(page, f"Revoke {HOSTILE}").click()
    expect(opened(page, "Revoke this key?")).to_contain_text(HOSTILE)
    expect(create_key(page, HOSTILE)).to_contain_text(HOSTILE)
    assert page.locator(MADE_OF_IT).count() == 0


def test_no_page_scrolls_sideways(app: Flask, page: Page, address: str) -> None:
    world = make_world(app, address, ENDLESS)
    sign_in(page, world.admin)

    for path in world.addresses:
        page.goto(path)
        assert too_wide(page) == [], path

    page.goto("/api-keys")
    page.get_by_role("button", name="Revoke").click()
    opened(page, "Revoke this key?")
    assert too_wide(page) == []
    open_create(page)
    assert too_wide(page) == []
    create_key(page, ENDLESS)
    assert too_wide(page) == []


def test_following_every_link_changes_nothing(app: Flask, page: Page, address: str) -> None:
    world = make_world(app, address, "Fernhill")
    sign_in(page, world.admin)
    before = everything()

    seen = set(crawled(page, address))

    assert everything() == before
    assert {f"{address}{path}" for path in world.addresses if "?" not in path} - seen == {
        f"{address}{path}"
        for path in ("/", "/login", "/no-such-page")  # which lead on, or nowhere
    }


def test_the_console_follows_the_systems_theme(page: Page) -> None:
    sign_in(page, make_user())
    page.goto("/waitlists")
    seen = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        seen[theme] = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")

    assert seen == {"light": "rgb(246, 248, 248)", "dark": "rgb(14, 19, 20)"}


def too_wide(page: Page) -> list[int]:
    """The widths of the window at which the page, or a dialog in it, is wider than that."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        sizes = page.evaluate(
            "[document.scrollingElement, ...document.querySelectorAll('.modal')].map(e => e.scrollWidth)"
        )
        found += [width] if max(sizes) > width else []
    return found


def crawled(page: Page, address: str) -> Iterator[str]:
    """Open every page that links lead to, from the start page on."""
    waiting, seen = [f"{address}/waitlists"], set()
    while waiting:
        url = waiting.pop()
        seen.add(url)
        response = page.goto(url)
        assert response is not None
        assert response.ok, url
        yield url
        found = page.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
        targets = {urldefrag(target).url for target in found if target.startswith(f"{address}/")}
        waiting += targets - seen - set(waiting)
