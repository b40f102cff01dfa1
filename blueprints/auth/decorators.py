"""Who may open a console view; the only module that sibling blueprints may import."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from flask import abort, g, redirect, request, session, url_for
from flask_login import current_user, login_required

from blueprints import web
from models import Actor, Feature, User, writing

View = TypeVar("View", bound=Callable[..., Any])


def member_required(view: View) -> View:
    """Let the view run for everybody of the organisation; an anonymous visitor is sent to sign in."""
    guarded = login_required(view)
    guarded.guard = "member"
    return guarded  # type: ignore[no-any-return]


def admin_required(view: View) -> View:
    """Let the view run for admins only: 403 for members, sign-in for anonymous visitors."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_admin:
            abort(403)
        return view(*args, **kwargs)

    protected = login_required(guarded)
    protected.guard = "admin"
    return protected  # type: ignore[no-any-return]


def plan_required(feature: Feature) -> Callable[[View], View]:
    """Let the view run where the organisation's plan has the feature; else raise FeatureNotAllowed."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            current_user.organisation.require(feature)
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def anyone(view: View) -> View:
    """Declare that a console view is open to everybody."""
    view.guard = "anyone"  # type: ignore[attr-defined]
    return view


def signed_in() -> User:
    """The user of this request's session, for views that a guard protects."""
    user: User = current_user._get_current_object()
    return user


def current_actor() -> Actor:
    """The signed-in user as the actor of what they change."""
    return signed_in().as_actor(web.client_address(), request.headers.get("User-Agent"), g.request_id)


@contextmanager
def changing(*, alone: bool = False) -> Iterator[None]:
    """The writing transaction of a change in the console: it commits only if the session has not ended meanwhile.

    The guards have looked before; between them and its turn to write somebody may have been shut out, and what they
    had under way must not come after that. Whoever ends sessions by the change itself holds the user `alone`.
    """
    with writing():
        if User.hold(session["_user_id"], alone=alone) is None:
            abort(redirect(url_for("auth.login")))
        yield
