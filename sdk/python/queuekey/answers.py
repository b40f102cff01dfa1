"""What the API answers, as frozen dataclasses. Fields that a newer Queuekey adds are passed over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A subscriber, with the place in the whole line at the moment of the answer."""

    id: str
    email: str
    joined_at: datetime
    position: int
    referral_code: str
    referral_count: int


@dataclass(frozen=True, kw_only=True)
class CreatedSubscriber(Subscriber):
    """A subscriber as `create` gives it.

    `is_created` is False for somebody who was on the waitlist before. That can be your own first try, whose
    answer was lost on the way.
    """

    is_created: bool


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the line, in line order; `total` counts what matches on all pages together."""

    items: tuple[Subscriber, ...]
    total: int
    page: int
    limit: int

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.page * self.limit < self.total


@dataclass(frozen=True, kw_only=True)
class ExportedSubscriber:
    """A subscriber in an export: `join_number` never changes, while places in line move."""

    id: str
    email: str
    joined_at: datetime
    join_number: int
    referral_code: str
    referral_count: int


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The organisation that a key belongs to."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a key may use; None while limits are off."""

    requests_per_minute: int | None


@dataclass(frozen=True, kw_only=True)
class Key:
    """The key that the client calls with."""

    name: str
    prefix: str
    scopes: tuple[str, ...]
    organisation: Organisation
    plan: str
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One wrong field or parameter."""

    field: str
    message: str


@dataclass(frozen=True, kw_only=True)
class JoinedResult:
    """The result of a row whose subscriber is on the waitlist: since this call, or since before."""

    status: Literal["created", "existing"]
    subscriber: Subscriber


@dataclass(frozen=True, kw_only=True)
class InvalidResult:
    """The result of a row that is wrong: nothing came of it."""

    status: Literal["invalid"]
    errors: tuple[FieldError, ...]


BatchResult = JoinedResult | InvalidResult


@dataclass(frozen=True, kw_only=True)
class BatchOutcome:
    """What became of each row of a batch, in the order in which they were sent."""

    batch_id: str
    created: int
    existing: int
    invalid: int
    results: tuple[BatchResult, ...]


@dataclass(frozen=True)
class ManyOutcome:
    """What became of each row given to `create_many`, in as many batches as it took."""

    batches: tuple[BatchOutcome, ...]

    @property
    def results(self) -> tuple[BatchResult, ...]:
        """A result per row, in the order of the rows."""
        return tuple(result for batch in self.batches for result in batch.results)

    @property
    def created(self) -> int:
        """How many joined."""
        return sum(batch.created for batch in self.batches)

    @property
    def existing(self) -> int:
        """How many rows named somebody who had joined before."""
        return sum(batch.existing for batch in self.batches)

    @property
    def invalid(self) -> int:
        """How many rows were wrong."""
        return sum(batch.invalid for batch in self.batches)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
    plan: str | None = None
    required_plan: str | None = None
    required_scope: str | None = None
