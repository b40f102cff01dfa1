"""What the customer API answers, field by field: plain dictionaries, whose types are the API's published schema."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from models import Entry, Plan, Scope
from models.subscriber_export import ExportedSubscriber

Id = Annotated[str, Field(pattern="^[1-9][0-9]*$", examples=["8401"])]


class SubscriberAnswer(TypedDict):
    """A subscriber, with the place in the whole line at the moment of the answer."""

    id: Id
    email: Annotated[str, Field(description="As it was sent.", examples=["Ada@example.org"])]
    joined_at: Annotated[datetime, Field(description="In UTC.", examples=["2026-05-03T18:30:12Z"])]
    position: Annotated[int, Field(ge=1, description="The place in the whole line, from 1.", examples=[42])]
    referral_code: Annotated[str, Field(description='"" while referrals are off.', examples=["K7M9PX"])]
    referral_count: Annotated[int, Field(ge=0, description="How many people they referred.", examples=[3])]


class ExportedSubscriberAnswer(TypedDict):
    """A subscriber in an export, without a place: places move while it runs."""

    id: Id
    email: Annotated[str, Field(description="As it was sent.", examples=["Ada@example.org"])]
    joined_at: Annotated[datetime, Field(description="In UTC.", examples=["2026-05-03T18:30:12Z"])]
    join_number: Annotated[int, Field(ge=1, description="1 for the first who joined; never changes.", examples=[57])]
    referral_code: Annotated[str, Field(description='"" while referrals are off.', examples=["K7M9PX"])]
    referral_count: Annotated[int, Field(ge=0, description="How many people they referred.", examples=[3])]


class OrganisationAnswer(TypedDict):
    """The organisation that a key belongs to."""

    slug: Annotated[str, Field(examples=["fernhill"])]
    name: Annotated[str, Field(examples=["Fernhill"])]


class LimitsAnswer(TypedDict):
    """What the key may use."""

    requests_per_minute: Annotated[int | None, Field(description="null while limits are off.", examples=[600])]


class KeyAnswer(TypedDict):
    """The key that the request was sent with."""

    name: Annotated[str, Field(description="As the activity log shows it.", examples=["crm-sync"])]
    prefix: Annotated[str, Field(description="How its token begins.", examples=["qu_live_AbCd"])]
    scopes: list[Scope]
    organisation: OrganisationAnswer
    plan: Plan
    limits: LimitsAnswer


class FieldError(TypedDict):
    """One wrong field or parameter."""

    field: Annotated[str, Field(examples=["email"])]
    message: Annotated[str, Field(description="For people.", examples=["This field is required."])]


class JoinedResult(TypedDict):
    """The result of a row whose subscriber is on the waitlist: since this call, or since before."""

    status: Literal["created", "existing"]
    subscriber: SubscriberAnswer


class InvalidResult(TypedDict):
    """The result of a row that is wrong: nothing came of it."""

    status: Literal["invalid"]
    errors: list[FieldError]


BatchResult = Annotated[JoinedResult | InvalidResult, Field(discriminator="status")]


class BatchAnswer(TypedDict):
    """What became of each row, in the order in which they were sent."""

    batch_id: Annotated[str, Field(description="As it stands in the activity log.", examples=["batch_5f0c7b1e9a"])]
    created: Annotated[int, Field(ge=0, description="How many joined.")]
    existing: Annotated[int, Field(ge=0, description="How many rows named somebody who had joined before.")]
    invalid: Annotated[int, Field(ge=0, description="How many rows were wrong.")]
    results: list[BatchResult]


def subscriber(entry: Entry) -> SubscriberAnswer:
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


def exported(subscriber: ExportedSubscriber) -> ExportedSubscriberAnswer:
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
