"""The watch itself: what it would miss, no other test here could see."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import on_sqlite
from tests.browser.watch import Watch

pytestmark = on_sqlite

# What goes wrong, as a script that ends when it has gone wrong.
TROUBLE = {
    "an error in a script": "new Promise(done => setTimeout(() => { setTimeout(done); throw new Error('lost'); }))",
    "an inline script": "document.body.append(Object.assign(document.createElement('script'), { text: '1' }))",
    "an inline style": "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')",
    "another site's picture": "show('http://127.0.0.1:9/x')",
    "a missing file": "show('/static/no-such.svg')",
    "a dialog": "alert('boo')",
}
SHOW = "const show = src => new Promise(done => Object.assign(new Image(), { onerror: done, onload: done, src }));"


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_is_seen(chromium: Browser, address: str, trouble: str) -> None:
    watch = Watch()
    with chromium.new_context(base_url=address) as context:
        watch.look_at(context)
        page = context.new_page()
        page.goto("/login")
        page.goto("/no-such-page")
        assert watch.complaints() == []

        page.evaluate(f"() => {{ {SHOW} return {trouble} }}")
        page.goto("/login")
        assert watch.complaints() != []
