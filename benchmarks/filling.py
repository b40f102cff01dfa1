"""Lines of a given length, filled through the product's own verbs and kept in the cache folder."""

import hashlib
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event

from app import create_app
from benchmarks.databases import Store
from benchmarks.people import addresses, referrers
from models import Actor, ApiKey, EmailAddress, Organisation, Plan, Scope, Signup, Subscriber, Waitlist, db, transact

ROOT = Path(__file__).parent.parent
BATCH = 5000
ACTOR = Actor.system("benchmarks")
SECRET_KEY = "a secret for the benchmarks alone, long enough"
# What the stored form depends on: when one of these changes, the lines are filled anew.
FORM = ("migrations/versions/*.py", "models/line_count.py", "benchmarks/people.py")


class Line(NamedTuple):
    """A filled line: the database it is in, and what a caller needs to know."""

    database: str
    size: int
    waitlist: str
    token: str


def open_app(url: str) -> Flask:
    """The product on this database, with the limits on and out of reach."""
    return create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "RATELIMIT_TEAM": 10_000_000})


def filled(store: Store, size: int, cache: Path) -> Line:
    """The line of this length, from the cache or filled now. Whoever writes to it works on a copy."""
    name = f"line_{_form()}_{size}"
    facts = cache / f"{store.engine}-{name}.json"
    if not (facts.exists() and store.has(name)):
        draft = f"{name}_draft"
        store.create(draft)
        waitlist, token = _fill(store, draft, size)
        store.drop(name)
        store.rename(draft, name)
        facts.write_text(json.dumps({"waitlist": waitlist, "token": token}))
    return Line(name, size, **json.loads(facts.read_text()))


def _form() -> str:
    """A short name for the stored form."""
    files = [file for pattern in FORM for file in sorted(ROOT.glob(pattern))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _fill(store: Store, database: str, size: int) -> tuple[str, str]:
    app = open_app(store.url(database))
    began = time.perf_counter()
    with app.app_context():
        if store.engine == "sqlite":  # for the fill alone: nobody waits for these commits
            event.listen(db.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        store.hurry(database)
        upgrade()
        waitlist, token = transact(_found)
        for joined in _join_all(waitlist, size):
            click.echo(f"\rFilling {store.engine}: {joined:,} of {size:,}", nl=False, err=True)
        db.session.remove()
        db.engine.dispose()
    store.settle(database)
    click.echo(f" in {time.perf_counter() - began:,.0f} s", err=True)
    return waitlist, token


def _found() -> tuple[str, str]:
    organisation = Organisation.create("Benchmarks", Plan.TEAM, ACTOR)
    waitlist = Waitlist.create(organisation, "The line", ACTOR)
    _, token = ApiKey.mint(organisation, "load", list(Scope), ACTOR, limit=50)
    return waitlist.public_id, token


def _join_all(public_id: str, size: int) -> Iterator[int]:
    """Join everybody in batches; yields how many have."""
    random, codes, joined = Random(7), list[str](), 0
    people = addresses(size)
    while batch := list(islice(people, BATCH)):
        named = referrers(random, codes, len(batch))
        signups = [Signup(address(email), code) for email, code in zip(batch, named, strict=True)]

        def join(signups: list[Signup] = signups) -> list[str]:
            entries = Subscriber.join_all(Waitlist.by_public_id(public_id), signups, ACTOR)
            return [entry.referral_code for entry in entries]

        codes += transact(join)
        joined += len(batch)
        yield joined


def address(email: str) -> EmailAddress:
    """One of our own addresses, which need no checking."""
    return EmailAddress(shown=email, identity=email.lower(), search=email.lower())
