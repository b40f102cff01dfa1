"""Makes docs/screenshot.png, the picture in the README, from the running product: `make screenshot`."""

import logging
import tempfile
from datetime import timedelta
from pathlib import Path

from flask_migrate import upgrade
from playwright.sync_api import Page, ViewportSize, sync_playwright
from sqlalchemy import update

from app import create_app
from models import ApiKey, Scope, User, db, now, writing
from tests import factories
from tests.browser.conftest import DEBIAN, FLAGS, serving
from tests.browser.steps import sign_in
from tests.factories import BOTH, in_context, make_api_key, make_organisation, make_user, make_waitlist

PICTURE = Path(__file__).parent.parent.parent / "docs" / "screenshot.png"
SIZE: ViewportSize = {"width": 1280, "height": 600}
READ, CREATE = [Scope.SUBSCRIBERS_READ], [Scope.SUBSCRIBERS_WRITE]

# Name, scopes, days since it was created, minutes since it was used.
KEYS = (
    ("Production backend", BOTH, 111, 2),
    ("crm-sync", BOTH, 61, 26),
    ("Warehouse export (Looker, eu-west)", READ, 45, 26 * 60),
    ("Signup form, marketing site", CREATE, 11, 4 * 60),
    ("Staging smoke test", READ, 0, None),
)


def make_fernhill() -> User:
    """An organisation that has used its keys for a while; gives its admin."""
    organisation = make_organisation("Fernhill")
    make_waitlist(organisation)
    for name, scopes, days, minutes in KEYS:
        key, _ = make_api_key(organisation, name, scopes)
        age(key, days, minutes)
    return make_user(organisation, "maya@fernhill.example", name="Maya Lindqvist")


@in_context
def age(key: ApiKey, days: int, minutes: int | None) -> None:
    """Move a key's creation and its last use into the past."""
    used = None if minutes is None else now() - timedelta(minutes=minutes)
    created = now() - timedelta(days=days, minutes=9)
    with writing():
        db.session.execute(update(ApiKey).where(ApiKey.id == key.id).values(created_at=created, last_used_at=used))


def photograph(page: Page, admin: User) -> None:
    """Sign in, open the API keys page and keep what it looks like."""
    sign_in(page, admin)
    page.goto("/api-keys", wait_until="networkidle")
    page.screenshot(path=PICTURE)


def main() -> None:
    """Make the picture on a database of its own, and leave nothing but the picture."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            {"DATABASE_URL": f"sqlite:///{folder}/queuekey.db", "SECRET_KEY": "for one picture alone " * 2}
        )
        logging.disable(logging.INFO)
        with app.app_context():
            upgrade()
        with factories.using(app), serving(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=DEBIAN if DEBIAN.exists() else None, args=FLAGS)
            photograph(browser.new_page(base_url=address, viewport=SIZE, color_scheme="light"), make_fernhill())
            browser.close()
        with app.app_context():
            db.engine.dispose()


if __name__ == "__main__":
    main()
