"""What a caller must have for a view: every API view declares it, or the application does not start."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask
from flask.globals import app_ctx

from blueprints.api.problems import CHALLENGE, INSUFFICIENT_SCOPE, Problem
from models import Feature, ResolvedKey, Scope

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
ANY_LIVE_KEY = "any live key"


def scope_required(scope: Scope) -> Callable[[View], View]:
    """Let the view run only for keys with this scope; else raise Problem insufficient_scope (RFC 6750 §3.1)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller: ResolvedKey = app_ctx.g.caller
            if not caller.has_scope(scope):
                challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope.value}"'
                headers = {"WWW-Authenticate": challenge}
                raise Problem(INSUFFICIENT_SCOPE, headers=headers, required_scope=scope.value)
            app_ctx.g.is_key_used = True
            return view(*args, **kwargs)

        _declare(guarded, scope.value)
        return guarded  # type: ignore[return-value]

    return decorate


def any_live_key(view: View) -> View:
    """Let the view run for every live key of an allowed plan, whatever its scopes."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        app_ctx.g.is_key_used = True
        return view(*args, **kwargs)

    _declare(guarded, ANY_LIVE_KEY)
    return guarded  # type: ignore[return-value]


def public(view: View) -> View:
    """Let the view run for everybody: nobody is authenticated."""
    _declare(view, PUBLIC)
    return view


def feature_required(feature: Feature) -> Callable[[View], View]:
    """Let the view run only where the plan has the feature; else raise FeatureNotAllowed.

    Stands above the declared access: the plan is asked for before the scope.
    """

    def decorate(view: View) -> View:
        if getattr(view, "access", PUBLIC) == PUBLIC:
            raise RuntimeError(f"feature_required on {view.__name__} stands above no scope_required or any_live_key")

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller: ResolvedKey = app_ctx.g.caller
            caller.require(feature)
            return view(*args, **kwargs)

        guarded.feature = feature  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def is_public(view: object) -> bool:
    """Whether a view was declared public."""
    return getattr(view, "access", None) == PUBLIC


def require_declared_access(app: Flask) -> None:
    """Stop the start where an API view lets in callers that it did not name, or forgets the plan."""
    for endpoint, view in app.view_functions.items():
        if not endpoint.startswith("api."):
            continue
        if getattr(view, "access", None) is None:
            raise RuntimeError(f"{endpoint} declares neither scope_required, any_live_key nor public")
        if not is_public(view) and getattr(view, "feature", None) is None:
            raise RuntimeError(f"{endpoint} declares no feature_required")


def _declare(view: Any, access: str) -> None:
    if getattr(view, "access", None) is not None:
        raise RuntimeError(f"{view.__name__} declares its access twice")
    view.access = access
