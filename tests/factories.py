"""Rows for tests, made by the models' own verbs: plain functions that return detached objects."""

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask
from sqlalchemy import func, select

from models import (
    ActivityEvent,
    Actor,
    ApiKey,
    EmailAddress,
    Organisation,
    Plan,
    Role,
    Scope,
    Subscriber,
    User,
    Waitlist,
    db,
    writing,
)
from models.base import Base

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Base)

PASSWORD = "correct horse battery"
ACTOR = Actor.system("tests")
BOTH = (Scope.SUBSCRIBERS_READ, Scope.SUBSCRIBERS_WRITE)

_numbers = itertools.count(1)
_apps: list[Flask] = []


@contextmanager
def using(app: Flask) -> Iterator[None]:
    """Let the factories work on this application's database."""
    _apps.append(app)
    try:
        yield
    finally:
        _apps.pop()


def in_context(function: Callable[P, T]) -> Callable[P, T]:
    """Run in an application context of its own, as a request would."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with _apps[-1].app_context():
            return function(*args, **kwargs)

    return wrapped


@in_context
def make_organisation(name: str = "", plan: Plan = Plan.PRO) -> Organisation:
    with writing():
        return Organisation.create(name or f"Organisation {next(_numbers)}", plan, ACTOR)


@in_context
def make_user(
    organisation: Organisation | None = None,
    email: str = "",
    role: Role = Role.ADMIN,
    password: str = PASSWORD,
    name: str = "",
) -> User:
    organisation = organisation or make_organisation()
    email = email or f"user{next(_numbers)}@example.org"
    with writing():
        user = User.create(organisation, email, role, password, ACTOR, name=name)
    return db.session.scalars(select(User).where(User.id == user.id)).one()


@in_context
def make_waitlist(
    organisation: Organisation | None = None,
    name: str = "Spring launch",
    referral_skip: int = 5,
    has_referrals: bool = True,
) -> Waitlist:
    organisation = organisation or make_organisation()
    with writing():
        return Waitlist.create(organisation, name, ACTOR, referral_skip=referral_skip, has_referrals=has_referrals)


@in_context
def make_subscriber(waitlist: Waitlist | None = None, email: str = "", referred_by: str | None = None) -> Subscriber:
    waitlist = waitlist or make_waitlist()
    email = email or f"subscriber{next(_numbers)}@example.org"
    with writing():
        here = Waitlist.by_public_id(waitlist.public_id)
        entry = Subscriber.join(here, EmailAddress.parse(email), ACTOR, referred_by=referred_by)
    return db.session.get_one(Subscriber, entry.id)


@in_context
def make_api_key(
    organisation: Organisation | None = None,
    name: str = "crm-sync",
    scopes: Collection[Scope] = BOTH,
    actor: Actor = ACTOR,
) -> tuple[ApiKey, str]:
    """Mint a key: the record and its token."""
    organisation = organisation or make_organisation()
    with writing():
        return ApiKey.mint(organisation, name, scopes, actor, limit=50)


@in_context
def deactivate(user: User) -> None:
    with writing():
        db.session.get_one(User, user.id).deactivate(ACTOR)


@in_context
def revoke(key: ApiKey) -> None:
    with writing():
        db.session.get_one(ApiKey, key.id).revoke(ACTOR)


@in_context
def set_plan(organisation: Organisation, plan: Plan) -> None:
    with writing():
        db.session.get_one(Organisation, organisation.id).set_plan(plan, ACTOR)


@in_context
def all_rows(model: type[M]) -> list[M]:
    """Every row of a table, in the order of their ids."""
    return list(db.session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]


@in_context
def count(model: type[Base]) -> int:
    """How many rows a table has."""
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def events(action: str = "") -> list[ActivityEvent]:
    """The activity events, oldest first; of one action if it is given."""
    return [event for event in all_rows(ActivityEvent) if action in {"", event.action}]
