"""The smoke test for CI: the token is live and can list, and somebody who is created turns up.

A key that may not list is none the worse for it: it skips those steps.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from queuekey.client import Queuekey
from queuekey.errors import QueuekeyError

MARKED_EMAIL = "queuekey-smoke-test@example.org"
READ = "subscribers:read"


class Step(NamedTuple):
    """A step and how it went."""

    name: str
    is_well: bool
    words: str

    def __str__(self) -> str:
        """The line that is printed."""
        return f"{'ok' if self.is_well else 'FAILED':<7} {self.name:<7} {self.words}"


def steps(connect: Callable[[], Queuekey], waitlist: str, email: str = "") -> Iterator[Step]:
    """Step after step, until one fails; `email`: whom to create and find, nobody if it is empty."""
    name = "token"
    try:
        with connect() as queuekey:
            for name, scope, check in _checks(queuekey, waitlist, email):
                if scope and scope not in queuekey.whoami().scopes:
                    yield Step(name, True, f"skipped: the key does not have {scope}")
                else:
                    yield Step(name, True, check())
    except QueuekeyError as error:
        yield Step(name, False, str(error))


def _checks(queuekey: Queuekey, waitlist: str, email: str) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """The steps' names, the scopes that they need, and what they do."""
    yield "token", "", lambda: _token(queuekey)
    yield "list", READ, lambda: _list(queuekey, waitlist)
    if email:
        yield "create", "", lambda: _create(queuekey, waitlist, email)
        yield "find", READ, lambda: _find(queuekey, waitlist, email)


def _token(queuekey: Queuekey) -> str:
    key = queuekey.whoami()
    return f"{key.name} ({key.prefix}…) of {key.organisation.name}, plan {key.plan}, {' '.join(key.scopes)}"


def _list(queuekey: Queuekey, waitlist: str) -> str:
    return f"{queuekey.page(waitlist, limit=1).total} subscribers on {waitlist}"


def _create(queuekey: Queuekey, waitlist: str, email: str) -> str:
    subscriber = queuekey.create(waitlist, email)
    return f"{email} {'joined' if subscriber.is_created else 'was there'} as subscriber {subscriber.id}"


def _find(queuekey: Queuekey, waitlist: str, email: str) -> str:
    for subscriber in queuekey.list(waitlist, q=email):
        if subscriber.email.lower() == email.lower():
            return f"{email} is number {subscriber.position} in line"
    raise QueuekeyError(f"{email} was created and is not in the list.")
