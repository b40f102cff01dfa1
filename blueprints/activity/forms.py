"""The filters of the activity log, which live in the page's address."""

import unicodedata
from datetime import date
from typing import Any

from wtforms import (  # type: ignore[attr-defined]  # its types lag behind: SelectChoice came with 3.3
    DateField,
    Form,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import Length, Optional, ValidationError

from models import Action, ActorType
from models.activity_page import ActivityFilter

Q_MAX = 254
NO_DAY = "Give a day like 2026-05-03."
NOT_IN_LIST = "Choose one from the list."
WRONG_WAY_ROUND = "This day is before the first one."
ACTORS = [
    SelectChoice("", "Anyone"),
    SelectChoice(ActorType.USER, "Users"),
    SelectChoice(ActorType.API_KEY, "API keys"),
    SelectChoice(ActorType.SYSTEM, "System"),
]
ACTIONS = [SelectChoice("", "Any action"), *(SelectChoice(action) for action in sorted(Action))]


class DayField(DateField):
    """A day, in years that leave room before and after it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read YYYY-MM-DD."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(NO_DAY) from None
        if self.data is not None and not date(1970, 1, 1) <= self.data < date(9999, 1, 1):
            self.data = None
            raise ValueError(NO_DAY)


class ActivityFilterForm(Form):
    """What to show; all of it optional."""

    q = StringField("Search", [Length(max=Q_MAX, message=f"Use {Q_MAX} characters or fewer.")])
    actor = SelectField("Actor", choices=ACTORS, validate_choice=False)
    action = SelectField("Action", choices=ACTIONS, validate_choice=False)
    from_ = DayField("From", [Optional()], name="from")
    to = DayField("To", [Optional()])

    def validate_q(self, field: StringField) -> None:
        """Nothing that cannot be seen: it is in no event's text either."""
        if any(unicodedata.category(char) == "Cc" for char in field.data or ""):
            raise ValidationError("Leave out control characters.")

    def validate_actor(self, field: SelectField) -> None:
        """One of the kinds of actors, or none."""
        if field.data and field.data not in set(ActorType):
            raise ValidationError(NOT_IN_LIST)

    def validate_action(self, field: SelectField) -> None:
        """One of the known actions, or none."""
        if field.data and field.data not in set(Action):
            raise ValidationError(NOT_IN_LIST)

    def validate_to(self, field: DayField) -> None:
        """Not before the first day."""
        if field.data and self.from_.data and field.data < self.from_.data:
            raise ValidationError(WRONG_WAY_ROUND)

    def wanted(self) -> ActivityFilter:
        """What a valid form asks for. A prefix may be pasted as the pages show it, with its "…"."""
        return ActivityFilter(
            q=(self.q.data or "").strip().removesuffix("…"),
            actor=ActorType(self.actor.data) if self.actor.data else None,
            action=Action(self.action.data) if self.action.data else None,
            first_day=self.from_.data,
            last_day=self.to.data,
        )

    def as_query(self) -> dict[str, Any]:
        """The filters for links to other pages, without those that are empty."""
        values = {"q": self.q.data, "actor": self.actor.data, "action": self.action.data}
        values |= {"from": self.from_.data, "to": self.to.data}
        return {name: str(value) for name, value in values.items() if value}
