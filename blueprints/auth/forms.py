"""Forms of signing in and of one's own account."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired, Length

from models.user import PASSWORD_MAX, PASSWORD_MIN


class LoginForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """E-mail and password."""

    email = EmailField("E-mail", validators=[DataRequired("Type your e-mail address.")])
    password = PasswordField("Password", validators=[DataRequired("Type your password.")])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A change of one's own password."""

    current_password = PasswordField("Current password", validators=[DataRequired("Type your current password.")])
    new_password = PasswordField(
        "New password",
        validators=[
            DataRequired("Type a new password."),
            Length(PASSWORD_MIN, PASSWORD_MAX, f"Use {PASSWORD_MIN} characters or more."),
        ],
    )
