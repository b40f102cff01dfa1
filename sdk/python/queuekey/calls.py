"""The calls of the API: what is sent, and what an answer to it means. Nothing here sends anything."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import httpx

from queuekey.answers import BatchOutcome, CreatedSubscriber, Key, Page
from queuekey.errors import ConfigurationError, QueuekeyError
from queuekey.problems import problem_in, unexpected
from queuekey.reading import Mismatch, read

T = TypeVar("T")

BATCH_ROWS = 1000
BATCH_BYTES = 1024 * 1024
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class NewSubscriber:
    """Somebody to put on a waitlist; `referred_by`: the referral code of whoever brought them."""

    email: str
    referred_by: str | None = None

    @classmethod
    def of(cls, row: "str | NewSubscriber") -> "NewSubscriber":
        """A row as it is, or an address alone as a row."""
        return cls(row) if isinstance(row, str) else row

    def to_json(self) -> bytes:
        """The row as the API takes it."""
        referral = {} if self.referred_by is None else {"referred_by": self.referred_by}
        return json.dumps({"email": self.email} | referral).encode()


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and how to read its answer."""

    method: str
    path: str  # under the API's root
    read: Callable[[httpx.Response], T]
    body: bytes | None = None

    def outcome(self, response: httpx.Response) -> T | QueuekeyError:
        """The answer, or what went wrong."""
        if not response.is_success:
            return problem_in(response)
        try:
            return self.read(response)
        except (Mismatch, ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, Mismatch) else "no JSON"
        return unexpected(response, f"The answer is not what the API answers: {why}.")


def page(waitlist: str, page: int, limit: int, q: str) -> Call[Page]:
    """One page of the line."""
    query = {"page": str(page), "limit": str(limit)} | ({"q": q} if q else {})
    return Call("GET", f"{_subscribers(waitlist)}?{urlencode(query)}", lambda response: read(Page, response.json()))


def create(waitlist: str, row: NewSubscriber) -> Call[CreatedSubscriber]:
    """One more subscriber."""

    def read_created(response: httpx.Response) -> CreatedSubscriber:
        document: Any = response.json()
        is_created = response.status_code == httpx.codes.CREATED
        return read(CreatedSubscriber, document | {"is_created": is_created} if isinstance(document, dict) else None)

    return Call("POST", _subscribers(waitlist), read_created, row.to_json())


def batches(waitlist: str, rows: Iterable[str | NewSubscriber]) -> Iterator[Call[BatchOutcome]]:
    """As many batches as the rows need: each has no more of them, and no more bytes, than the API takes."""
    if isinstance(rows, str):
        raise TypeError("Give several rows, or use create for one.")
    batch: list[bytes] = []
    size = 0
    for row in rows:
        written = NewSubscriber.of(row).to_json()
        if len(batch) == BATCH_ROWS or (batch and size + len(written) > BATCH_BYTES - BATCH_ROWS - 100):
            yield _batch(waitlist, batch)
            batch, size = [], 0
        batch.append(written)
        size += len(written)
    if batch:
        yield _batch(waitlist, batch)


def _batch(waitlist: str, rows: list[bytes]) -> Call[BatchOutcome]:
    def read_outcome(response: httpx.Response) -> BatchOutcome:
        outcome = read(BatchOutcome, response.json())
        if len(outcome.results) != len(rows):
            raise Mismatch("there is not a result for each row")
        return outcome

    body = b'{"subscribers":[' + b",".join(rows) + b"]}"
    return Call("POST", f"{_subscribers(waitlist)}/batch", read_outcome, body)


def whoami() -> Call[Key]:
    """The key that calls."""
    return Call("GET", "/key", lambda response: read(Key, response.json()))


def export(waitlist: str, after: str | None) -> Call[None]:
    """Everybody who joined after a subscriber; `queuekey.export` reads the stream."""
    query = {"format": "jsonl"} | ({"after": after} if after else {})
    return Call("GET", f"{_subscribers(waitlist)}/export?{urlencode(query)}", lambda response: None)


def _subscribers(waitlist: str) -> str:
    if not waitlist:
        raise ConfigurationError(
            "There is no waitlist. Name one by its id, wl_…, as on its page (on the command line: --waitlist)."
        )
    return f"/waitlists/{quote(waitlist, safe='')}/subscribers"
