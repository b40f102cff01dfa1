"""Signing in and out, and one's own account."""

from flask import Flask
from flask_login import LoginManager

from blueprints.auth.cli import users
from blueprints.auth.views import ask_to_sign_in, blueprint
from models import User

__all__ = ["blueprint", "commands", "init_app"]

commands = (users,)


def init_app(app: Flask) -> None:
    """Let Flask-Login find the user of a console session, as long as the server says it lasts."""
    login_manager = LoginManager(app)
    login_manager.unauthorized_handler(ask_to_sign_in)
    login_manager.session_protection = None  # it ends sessions when an address changes, as phones' do
    login_manager.user_loader(User.by_session)
