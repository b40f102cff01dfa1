"""Sign in, sign out, change one's password."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from blueprints import limits, web
from blueprints.auth import sessions
from blueprints.auth.decorators import anyone, changing, current_actor, member_required, signed_in
from blueprints.auth.forms import LoginForm, PasswordForm
from models import User

blueprint = Blueprint("auth", __name__)

NO_MATCH = "That e-mail and password do not match."
NOT_CURRENT = "That is not your current password."
TOO_FAST = "Too many tries. Wait a minute, then try again."


@blueprint.get("/login")
@anyone
def login() -> ResponseReturnValue:
    """The sign-in form; somebody who is signed in goes on at once."""
    if current_user.is_authenticated:
        return redirect(sessions.next_page())
    return render_template("auth/login.html", form=LoginForm())


@blueprint.post("/login")
@anyone
def sign_in() -> ResponseReturnValue:
    """Sign in, at most so many tries a minute for an account from one address."""
    form = LoginForm()
    if not form.validate():
        return _login_page(form, 422)
    email, password = form.email.data or "", form.password.data or ""
    tries = limits.count_login(User.account_of(email), web.client_address() or "")
    if tries is not None and tries.is_exceeded:
        form.password.errors = [TOO_FAST]
        return _login_page(form, 429, tries.headers())
    user = User.authenticate(email, password)
    if user is None:
        form.password.errors = [NO_MATCH]
        return _login_page(form, 422)
    sessions.begin(user)
    return redirect(sessions.next_page())


@blueprint.post("/logout")
@member_required
def logout() -> ResponseReturnValue:
    """End the user's sessions on the server, so that no copy of the cookie works any more."""
    with changing(alone=True):
        signed_in().end_sessions()
    sessions.leave()
    return redirect(url_for("auth.login"))


@blueprint.get("/account")
@member_required
def account() -> ResponseReturnValue:
    """One's own account."""
    return render_template("auth/account.html", form=PasswordForm())


@blueprint.post("/account")
@member_required
def change_password() -> ResponseReturnValue:
    """Change one's password: all other sessions end, this one goes on.

    Whoever found a browser signed in may guess no faster here than at the front door.
    """
    form, user = PasswordForm(), signed_in()
    if not form.validate():
        return _account_page(form, 422)
    tries = limits.count_login(User.account_of(user.email), web.client_address() or "")
    if tries is not None and tries.is_exceeded:
        form.current_password.errors = [TOO_FAST]
        return _account_page(form, 429, tries.headers())
    if not user.has_password(form.current_password.data or ""):
        form.current_password.errors = [NOT_CURRENT]
        return _account_page(form, 422)
    with changing(alone=True):
        user.change_password(form.new_password.data or "", current_actor())
    sessions.begin(user)
    flash("Password changed. You are signed out everywhere else.", "ok")
    return redirect(url_for("auth.account"))


def _login_page(form: LoginForm, status: int, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    return render_template("auth/login.html", form=form), status, headers or {}


def _account_page(form: PasswordForm, status: int, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    return render_template("auth/account.html", form=form), status, headers or {}
