"""What the customer API answers, field by field: plain dictionaries, whose types are the API's published schema."""

from datetime import datetime
from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic reads typing's own only from Python 3.12 on
)

from pydantic import Field
from typing_extensions import TypedDict

from models import Entry, Plan, Scope, subscriber_export

Id = Annotated[str, Field(pattern="^[1-9][0-9]*$", examples=["8401"])]


class Subscriber(TypedDict):
    """A subscriber, with the place in the whole line at the moment of the answer."""

    id: Id
    email: Annotated[str, Field(description="As it was sent.", examples=["Ada@example.org"])]
    joined_at: Annotated[datetime, Field(description="In UTC.", examples=["2026-05-03T18:30:12Z"])]
    position: Annotated[int, Field(ge=1, description="The place in the whole line, from 1.", examples=[42])]
    referral_code: Annotated[str, Field(description='"" while referrals are off.', examples=["K7M9PX"])]
    referral_count: Annotated[int, Field(ge=0, description="How many people they referred.", examples=[3])]


class SubscriberPage(TypedDict):
    """A page of the line, in line order."""

    items: list[Subscriber]
    total: Annotated[int, Field(ge=0, description="How many match q, on all pages together.", examples=[1024])]
    page: Annotated[int, Field(ge=1, examples=[1])]
    limit: Annotated[int, Field(ge=1, examples=[25])]


class ExportedSubscriber(TypedDict):
    """A subscriber in an export, without a place: places move while it runs."""

    id: Id
    email: Annotated[str, Field(description="As it was sent.", examples=["Ada@example.org"])]
    joined_at: Annotated[datetime, Field(description="In UTC.", examples=["2026-05-03T18:30:12Z"])]
    join_number: Annotated[int, Field(ge=1, description="1 for the first who joined; never changes.", examples=[57])]
    referral_code: Annotated[str, Field(description='"" while referrals are off.', examples=["K7M9PX"])]
    referral_count: Annotated[int, Field(ge=0, description="How many people they referred.", examples=[3])]


class Organisation(TypedDict):
    """The organisation that a key belongs to."""

    slug: Annotated[str, Field(examples=["fernhill"])]
    name: Annotated[str, Field(examples=["Fernhill"])]


class Limits(TypedDict):
    """What the key may use."""

    requests_per_minute: Annotated[int | None, Field(description="null while limits are off.", examples=[600])]


class Key(TypedDict):
    """The key that the request was sent with."""

    name: Annotated[str, Field(description="As the activity log shows it.", examples=["crm-sync"])]
    prefix: Annotated[str, Field(description="How its token begins.", examples=["qu_live_AbCd"])]
    scopes: list[Scope]
    organisation: Organisation
    plan: Plan
    limits: Limits


class FieldError(TypedDict):
    """One wrong field or parameter."""

    field: Annotated[str, Field(examples=["email"])]
    message: Annotated[str, Field(description="For people.", examples=["This field is required."])]


class JoinedResult(TypedDict):
    """The result of a row whose subscriber is on the waitlist: since this call, or since before."""

    status: Literal["created", "existing"]
    subscriber: Subscriber


class InvalidResult(TypedDict):
    """The result of a row that is wrong: nothing came of it."""

    status: Literal["invalid"]
    errors: list[FieldError]


BatchResult = Annotated[JoinedResult | InvalidResult, Field(discriminator="status")]


class BatchOutcome(TypedDict):
    """What became of each row, in the order in which they were sent."""

    batch_id: Annotated[str, Field(description="As it stands in the activity log.", examples=["batch_5f0c7b1e9a"])]
    created: Annotated[int, Field(ge=0, description="How many joined.")]
    existing: Annotated[int, Field(ge=0, description="How many rows named somebody who had joined before.")]
    invalid: Annotated[int, Field(ge=0, description="How many rows were wrong.")]
    results: list[BatchResult]


class Problem(TypedDict):
    """An error (RFC 9457). Let your code look at `code`; the words are for people."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri"}, description="Its entry in the docs.")]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="What kind of error it is: never changes its meaning.")]
    request_id: Annotated[str, Field(description="Quote it when you ask for help.")]
    errors: NotRequired[Annotated[list[FieldError], Field(description="With validation_failed.")]]
    plan: NotRequired[Annotated[Plan, Field(description="With feature_not_allowed: the plan there is.")]]
    required_plan: NotRequired[Annotated[Plan, Field(description="With feature_not_allowed: the plan it takes.")]]
    required_scope: NotRequired[Annotated[Scope, Field(description="With insufficient_scope: the scope it takes.")]]


def subscriber(entry: Entry) -> Subscriber:
    """A subscriber as every call answers them."""
    id_, email, joined_at, position, referral_code, referral_count = entry
    return {
        "id": str(id_),
        "email": email,
        "joined_at": joined_at,
        "position": position,
        "referral_code": referral_code,
        "referral_count": referral_count,
    }


def exported(subscriber: subscriber_export.ExportedSubscriber) -> ExportedSubscriber:
    """A subscriber as a line of an export."""
    id_, email, joined_at, join_number, referral_code, referral_count = subscriber
    return {
        "id": str(id_),
        "email": email,
        "joined_at": joined_at,
        "join_number": join_number,
        "referral_code": referral_code,
        "referral_count": referral_count,
    }
