"""Sign in, sign out, change one's password."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from blueprints import limits, web
from blueprints.auth.decorators import anyone, current_actor, member_required, signed_in
from blueprints.auth.forms import LoginForm, PasswordForm
from models import User, writing

blueprint = Blueprint("auth", __name__)

NO_MATCH = "That e-mail and password do not match."
TOO_FAST = "Too many tries. Wait a minute, then try again."


@blueprint.get("/login")
@anyone
def login() -> ResponseReturnValue:
    """The sign-in form; somebody who is signed in goes on at once."""
    if current_user.is_authenticated:
        return redirect(_next_page())
    return render_template("auth/login.html", form=LoginForm())


@blueprint.post("/login")
@anyone
def sign_in() -> ResponseReturnValue:
    """Sign in, at most so many tries a minute for an account from one address."""
    form = LoginForm()
    if not form.validate():
        return render_template("auth/login.html", form=form), 422
    email, password = form.email.data or "", form.password.data or ""
    tries = limits.count_login(User.account_of(email), request.remote_addr or "")
    if tries is not None and tries.is_exceeded:
        form.password.errors = [TOO_FAST]
        return render_template("auth/login.html", form=form), 429, tries.headers()
    user = User.authenticate(email, password)
    if user is None:
        form.password.errors = [NO_MATCH]
        return render_template("auth/login.html", form=form), 422
    session.clear()  # nothing that somebody planted before sign-in outlives it
    login_user(user)
    return redirect(_next_page())


@blueprint.post("/logout")
@member_required
def logout() -> ResponseReturnValue:
    """End the user's sessions on the server, so that no copy of the cookie works any more."""
    with writing():
        signed_in().end_sessions()
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


@blueprint.get("/account")
@member_required
def account() -> ResponseReturnValue:
    """One's own account."""
    return render_template("auth/account.html", form=PasswordForm())


@blueprint.post("/account")
@member_required
def change_password() -> ResponseReturnValue:
    """Change one's password: all other sessions end, this one goes on."""
    form = PasswordForm()
    user = signed_in()
    if form.validate() and not user.has_password(form.current_password.data or ""):
        form.current_password.errors = ["That is not your current password."]
    if form.errors:
        return render_template("auth/account.html", form=form), 422
    with writing():
        user.change_password(form.new_password.data or "", current_actor())
    login_user(user)
    flash("Password changed. You are signed out everywhere else.", "ok")
    return redirect(url_for("auth.account"))


def _next_page() -> str:
    target = request.args.get("next", "")
    return target if web.is_local_path(target) else url_for("waitlists.index")
