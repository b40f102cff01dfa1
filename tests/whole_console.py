"""The console as a whole: every address in it, and every row behind it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from app import create_app
from models import LoginTry, Role, User, db
from tests.console import BufferedClient
from tests.factories import in_context, make_api_key, make_organisation, make_subscriber, make_user, make_waitlist

NOT_CONSOLE = ("api.", "static", "bootstrap.", "docs.static")


class Household(NamedTuple):
    """An organisation that has one of everything: its people, and the ids for its addresses."""

    admin: User
    member: User
    ids: Mapping[str, object]


def make_household() -> Household:
    """An organisation with people, a waitlist, a subscriber and a key."""
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist)
    key, _ = make_api_key(organisation)
    ids = {"waitlist_id": waitlist.public_id, "api_key_id": key.id, "page": "errors"}
    admin, member = make_user(organisation, name="Ada"), make_user(organisation, role=Role.MEMBER, name="Max")
    return Household(admin, member, ids)


def paths(app: Flask, method: str, ids: Mapping[str, object]) -> list[str]:
    """Every address of the console that takes the method, with these ids in it."""
    return sorted({_filled(rule, ids) for rule in _rules(app, method)})


def paths_with_ids(app: Flask, method: str, of: Mapping[str, object], value: str) -> list[str]:
    """The addresses that have an id in them, with `value` in the place of each."""
    ids = dict.fromkeys(of, value)
    found = {_filled(rule, ids) for rule in _rules(app, method) if rule.arguments}
    assert found
    return sorted(found)


@in_context
def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for the count of tries to sign in."""
    tables = [table for table in db.metadata.sorted_tables if table is not LoginTry.__table__]
    return {table.name: [tuple(row) for row in db.session.execute(select(table))] for table in tables}


@contextmanager
def running(app: Flask, **settings: Any) -> Iterator[Flask]:
    """Another application on the same database, with other settings."""
    same = {name: app.config[name] for name in ("DATABASE_URL", "SECRET_KEY")}
    other = create_app(same | {"TESTING": True} | settings)
    other.test_client_class = BufferedClient
    yield other
    with other.app_context():
        db.engine.dispose()


def _rules(app: Flask, method: str) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(NOT_CONSOLE)]
    return [rule for rule in rules if method in (rule.methods or ())]


def _filled(rule: Rule, ids: Mapping[str, object]) -> str:
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: str(ids[found[1]]), rule.rule)
