"""Forms of signing in and of one's own account."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

from models.user import PASSWORD_MAX, PASSWORD_MIN


def _without_blanks(text: str | None) -> str | None:
    return text.strip() if text else text


class LoginForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """E-mail and password."""

    email = EmailField("E-mail", [InputRequired("Type your e-mail address.")], filters=[_without_blanks])
    password = PasswordField("Password", validators=[InputRequired("Type your password.")])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A change of one's own password."""

    current_password = PasswordField("Current password", validators=[InputRequired("Type your current password.")])
    new_password = PasswordField(
        "New password",
        validators=[
            InputRequired("Type a new password."),
            Length(min=PASSWORD_MIN, message=f"Use {PASSWORD_MIN} characters or more."),
            Length(max=PASSWORD_MAX, message=f"Use {PASSWORD_MAX:,} characters or fewer."),
        ],
    )
