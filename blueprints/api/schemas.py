"""What the customer API takes, field by field."""

import re
from collections import Counter
from functools import cache
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    ValidationError,
    field_validator,
)

from blueprints.api.problems import VALIDATION_FAILED, Problem
from models import EmailAddress

PAGE_MAX = 2**31 - 1
LIMIT_MAX = 200
LIMIT_DEFAULT = 25
Q_MAX = 254
ERRORS_MAX = 50  # what is told of one object, however much is wrong with it
FIELD_MAX = 100  # how much of a field's name is repeated
ID_MAX = 2**63 - 1
BATCH_MAX = 1000
BOUNDS = {"limit": LIMIT_MAX, "default limit": LIMIT_DEFAULT, "q": Q_MAX, "batch": BATCH_MAX}  # as the docs say them
WHOLE_NUMBER = "Use a whole number from 1, in digits without a sign or leading zero."


WITHOUT_NUL: dict[str, JsonValue] = {"pattern": r"^[^\x00]*$"}  # as the description says it: what both engines can keep
UNKNOWN_SUBSCRIBER = "No subscriber of this waitlist has this ID."
_ID = re.compile("[1-9][0-9]{0,18}", re.ASCII)


def _digits(value: object) -> object:
    """Refuse what int() takes beyond `[1-9][0-9]*` in ASCII: signs, blanks, underscores, other digits."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit()) or value.startswith("0") or len(value) > 10:
            raise ValueError(WHOLE_NUMBER)
        return int(value)
    return value


def _id(value: object) -> object:
    """Refuse what is no number that a row could have on either engine."""
    if isinstance(value, str):
        if not _ID.fullmatch(value) or int(value) > ID_MAX:
            raise ValueError(UNKNOWN_SUBSCRIBER)
        return int(value)
    return value


_IdText = Annotated[str, Field(pattern="^[1-9][0-9]{0,18}$", examples=["8401"])]
WholeNumber = Annotated[int, BeforeValidator(_digits)]
SubscriberId = Annotated[int, BeforeValidator(_id, json_schema_input_type=_IdText)]


class Schema(BaseModel):
    """Input of which nothing is converted, and nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Validate, or raise Problem validation_failed that names every wrong field."""
        if not isinstance(value, dict):
            raise Problem.of_field("body", "Send a JSON object.")
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise Problem(VALIDATION_FAILED, errors=[_in_words(item) for item in error.errors()[:ERRORS_MAX]]) from None


class QueryString(Schema):
    """The parameters of a call; as it stands, of one that takes none."""

    @classmethod
    def from_query_string(cls, query_string: bytes) -> Self:
        """Validate a query string, whose parameters may each stand once and must be UTF-8."""
        if not query_string:
            return cls._without_parameters()
        try:
            pairs = parse_qsl(query_string.decode("utf-8"), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise Problem.of_field("query", "Send percent-encoded UTF-8.") from None
        counts = Counter(name for name, _ in pairs)
        errors = [{"field": name, "message": "Send this parameter once."} for name in counts if counts[name] > 1]
        if "" in counts:
            errors.append({"field": "query", "message": "Give every parameter a name."})
        if errors:
            raise Problem(VALIDATION_FAILED, errors=errors)
        return cls.parse(dict(pairs))

    @classmethod
    @cache
    def _without_parameters(cls) -> Self:
        return cls()


class ListQuery(QueryString):
    """Which page of the line, and whose addresses."""

    page: WholeNumber = Field(default=1, ge=1, le=PAGE_MAX, description="Which page; past the end it has no items.")
    limit: WholeNumber = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Subscribers on a page.")
    q: str = Field(
        default="",
        max_length=Q_MAX,
        description="Only addresses that contain this, in capitals or not.",
        json_schema_extra=WITHOUT_NUL,
    )

    @field_validator("q")
    @classmethod
    def _storable(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("NUL is not part of an e-mail address.")
        return value

    @property
    def offset(self) -> int:
        """How many entries stand on the pages before this one."""
        return (self.page - 1) * self.limit


class ExportQuery(QueryString):
    """In which format an export is written, and behind which subscriber it begins."""

    format: Literal["jsonl", "csv"] = Field(default="jsonl", description="JSON lines, or CSV with a header.")
    after: SubscriberId | None = Field(default=None, description="Only those who joined after this subscriber.")


_Email = Annotated[
    str,
    Field(
        description="Kept and shown as sent. Capitals make no other person.",
        examples=["Ada@example.org"],
        json_schema_extra={"format": "email"},
    ),
]


def _address(value: object) -> EmailAddress:
    if not isinstance(value, str):
        raise ValueError(_MESSAGES["string_type"])  # noqa: TRY004  # pydantic lets a TypeError through
    return EmailAddress.parse(value)


class Signup(Schema):
    """Somebody who joins a waitlist."""

    email: Annotated[EmailAddress, PlainValidator(_address, json_schema_input_type=_Email)]
    referred_by: str | None = Field(
        default=None, description="The referral code of whoever brought them.", json_schema_extra=WITHOUT_NUL
    )


def _signup_or_problem(value: object) -> "Signup | Problem":
    try:
        return Signup.parse(value)
    except Problem as problem:
        return problem


class Batch(Schema):
    """People who join a waitlist together: a row that is wrong is kept as what is wrong with it."""

    subscribers: list[Annotated[Any, PlainValidator(_signup_or_problem, json_schema_input_type=Signup)]] = Field(
        min_length=1, max_length=BATCH_MAX, description="A wrong row does not hold up the others: its result says so."
    )


_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "string_type": "Send a string.",
    "list_type": "Send an array.",
    "too_short": "Send {min_length} or more.",
    "too_long": "Send {max_length} or fewer.",
    "literal_error": "Use {expected}.",
    "string_too_long": "Use {max_length} characters or fewer.",
    "greater_than_equal": "Use {ge} or more.",
    "less_than_equal": "Use {le} or less.",
}


def _in_words(item: Any) -> dict[str, str]:
    field = ".".join(str(part) for part in item["loc"])[:FIELD_MAX] or "body"
    message = _MESSAGES.get(item["type"], "").format(**item.get("ctx", {}))
    return {"field": field, "message": message or item["msg"].removeprefix("Value error, ")}
