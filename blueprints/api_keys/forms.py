"""The form that asks for a new key."""

import re
import secrets
from collections.abc import Iterator

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, StringField
from wtforms.validators import ValidationError

from models import RuleBroken, Scope
from models.api_key import checked_name, checked_scopes

FORM_CHANGED = "This form was not sent as it was shown. Look it over and send it again."
UNKNOWN_SCOPE = "Choose among the permissions shown here."
_FORM_VALUE = re.compile(r"[0-9A-Za-z_-]{22,64}", re.ASCII)


def fresh_form_value() -> str:
    """A random value by which a form that is sent twice is known: 192 bits."""
    return secrets.token_urlsafe(24)


class ScopesField(Field):
    """Tick boxes, one for each scope; iterating gives the scopes there are."""

    data: list[Scope] | None

    def __iter__(self) -> Iterator[Scope]:
        """Every scope, ticked or not."""
        return iter(Scope)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep the ticked scopes; a name that is no scope spoils the choice, whatever else is ticked."""
        self.data = [scope for scope in Scope if scope.value in valuelist]
        if set(valuelist) - set(self.data):
            raise ValueError(UNKNOWN_SCOPE)


class ApiKeyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A name, the permissions, and the random value that keeps a form from minting two keys."""

    name = StringField("Name")
    scopes = ScopesField("Permissions")
    form_value = HiddenField(default=fresh_form_value)

    def validate_name(self, field: StringField) -> None:
        """The model's rule, beside the field."""
        try:
            checked_name(field.data or "")
        except RuleBroken as broken:
            raise ValidationError(broken.message) from None

    def validate_scopes(self, field: ScopesField) -> None:
        """The model's rule, beside the field."""
        if field.process_errors:
            return
        try:
            checked_scopes(field.data or [])
        except RuleBroken as broken:
            raise ValidationError(broken.message) from None

    def validate_form_value(self, field: HiddenField) -> None:
        """A form that lost its value gets a new one, and must be sent again."""
        if not (field.raw_data and _FORM_VALUE.fullmatch(field.data or "")):
            field.data = fresh_form_value()
            self.form_errors.append(FORM_CHANGED)
            raise ValidationError(FORM_CHANGED)
