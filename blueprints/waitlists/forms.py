"""Forms of a waitlist: the rules and their words are the model's."""

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, IntegerField, StringField
from wtforms.validators import InputRequired, ValidationError

from models import RuleBroken
from models.waitlist import REFERRAL_SKIP_DEFAULT, REFERRAL_SKIP_MAX, checked_name, checked_skip

FROM_1_TO_MAX = f"Use a whole number from 1 to {REFERRAL_SKIP_MAX}."


def obeys(rule: Callable[[Any], object]) -> Callable[[object, Field], None]:
    """A validator that asks the model's own rule, unless the field could not even be read."""

    def validate(_form: object, field: Field) -> None:
        if field.errors:
            return
        try:
            rule(field.data)
        except RuleBroken as broken:
            raise ValidationError(broken.message) from None

    return validate


class WaitlistForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What can be said about a waitlist, when it is created and later."""

    name = StringField("Name", [obeys(checked_name)], default="")
    has_referrals = BooleanField("Referrals", default=True)
    referral_skip = IntegerField(  # type: ignore[call-arg]  # the stubs are a version behind
        "Places per referral",
        [InputRequired(FROM_1_TO_MAX), obeys(checked_skip)],
        invalid_value_message=FROM_1_TO_MAX,
        default=REFERRAL_SKIP_DEFAULT,
    )
