"""Who a console session belongs to: from signing in until it ends on the server."""

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, login_user, logout_user

from blueprints import web
from models import User


def init_app(app: Flask) -> None:
    """Let Flask-Login find the user of a console session, as long as the server says it lasts."""
    login_manager = LoginManager(app)
    login_manager.session_protection = None  # it ends sessions when an address changes, as phones' do
    login_manager.user_loader(find)
    login_manager.unauthorized_handler(ask_to_sign_in)


def find(session_id: str) -> User | None:
    """The user of a session that has not ended; the request's log line names their organisation."""
    user = User.by_session(session_id)
    if user is not None:
        g.organisation_id = user.organisation_id
    return user


def begin(user: User) -> None:
    """Make this browser the user's: nothing that somebody planted in its session before outlives that."""
    session.clear()
    login_user(user)


def leave() -> None:
    """Take the user out of this browser's session."""
    logout_user()
    session.clear()


def ask_to_sign_in() -> ResponseReturnValue:
    """Where a guard sends an anonymous visitor: to the sign-in form, and from there back to the page they wanted."""
    if request.method != "GET":  # the form they sent is gone, and its address may be no page
        return redirect(url_for("auth.login"))
    return redirect(url_for("auth.login", next=request.full_path.removesuffix("?")))


def next_page() -> str:
    """Where to go on after signing in: to the page that was wanted, if it is one of this site."""
    target = request.args.get("next", "")
    return target if web.is_local_path(target) else url_for("waitlists.index")
