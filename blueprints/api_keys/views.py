"""The API keys page: list, create with the one-time reveal, revoke."""

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.api_keys import snippet
from blueprints.api_keys.forms import ApiKeyForm
from blueprints.auth.decorators import admin_required, changing, current_actor, plan_required, signed_in
from models import ApiKey, Feature, FormAlreadyUsed, KeyLimitReached

blueprint = Blueprint("api_keys", __name__)

FORM_USED = "This form was already used. If you have no copy of the token, revoke the key and create a new one."
# Text, for werkzeug's converter answers a POST to a number that it refuses by 405, and one of 5,000 digits by 500.
KEY = "/api-keys/<api_key_id>"
ID_DIGITS_MAX = 18  # no longer than an id that both engines can look for


@blueprint.get("/api-keys")
@admin_required
def index() -> ResponseReturnValue:
    """The organisation's keys; on a plan without them, how many are paused and why."""
    return render_template("api_keys/index.html", form=ApiKeyForm(), **_list())


@blueprint.get("/api-keys/new")
@admin_required
@plan_required(Feature.API_KEYS)
def new() -> ResponseReturnValue:
    """The form on a page of its own."""
    return _form_page(ApiKeyForm(), 200)


@blueprint.post("/api-keys/new")
@admin_required
@plan_required(Feature.API_KEYS)
def create() -> ResponseReturnValue:
    """Mint a key and show its token, this once, in the answer itself."""
    form = ApiKeyForm()
    if not form.validate():
        return _form_page(form, 422)
    try:
        return _minted(form), 201
    except FormAlreadyUsed:
        flash(FORM_USED, "warn")
        return redirect(url_for(".index"), 303)
    except KeyLimitReached as reached:
        form.form_errors.append(str(reached))
        return _form_page(form, 409)


@blueprint.get(f"{KEY}/revoke")
@admin_required
def confirm_revoke(api_key_id: str) -> ResponseReturnValue:
    """Ask before a key is revoked."""
    key = _own_key(api_key_id)
    if key.revoked_at is not None:
        return _back_to_list(key, is_news=False)
    return render_template("api_keys/revoke.html", key=key, organisation=signed_in().organisation)


@blueprint.post(f"{KEY}/revoke")
@admin_required
def revoke(api_key_id: str) -> ResponseReturnValue:
    """Revoke a key at once and for good, on a lapsed plan too."""
    key = _own_key(api_key_id)
    with changing():
        is_news = key.revoke(current_actor())
    return _back_to_list(key, is_news=is_news)


def _list() -> dict[str, Any]:
    """What the list of keys is made from."""
    organisation = signed_in().organisation
    return {
        "organisation": organisation,
        "keys": ApiKey.all_of(organisation),
        "limit": current_app.config["API_KEY_LIMIT"],
        "is_paused": not organisation.allows(Feature.API_KEYS),
    }


def _form_page(form: ApiKeyForm, status: int) -> ResponseReturnValue:
    return render_template("api_keys/new.html", form=form, organisation=signed_in().organisation), status


def _minted(form: ApiKeyForm) -> str:
    """Mint the key that the form asks for and render its reveal.

    The page is ready before the commit: there must be no key whose token nobody saw.
    """
    organisation = signed_in().organisation
    with changing():
        key, token = ApiKey.mint(
            organisation,
            form.name.data or "",
            form.scopes.data or [],
            current_actor(),
            limit=current_app.config["API_KEY_LIMIT"],
            form_value=form.form_value.data,
        )
        call = snippet.first_call(key, organisation)
        return render_template("api_keys/reveal.html", key=key, token=token, snippet=call, **_list())


def _own_key(api_key_id: str) -> ApiKey:
    """The organisation's key; another organisation's is not found, as one that never was."""
    is_number = api_key_id.isascii() and api_key_id.isdigit() and len(api_key_id) <= ID_DIGITS_MAX
    key = ApiKey.of(signed_in().organisation, int(api_key_id)) if is_number else None
    return key if key is not None else abort(404)


def _back_to_list(key: ApiKey, *, is_news: bool) -> ResponseReturnValue:
    if is_news:
        flash(f"Revoked “{key.name}”. Requests with it now get 401.", "ok")
    else:
        flash(f"“{key.name}” was revoked already. Nothing has changed.", "info")
    return redirect(url_for(".index"), 303)
