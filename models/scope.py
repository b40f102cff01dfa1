"""Scope: what a key may do, and the words for it; the one place that knows which scopes there are."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


class Scope(StrEnum):
    """What a key may do. Each member: the wire name, the label beside its tick box, the hint under it."""

    label: str
    hint: str

    SUBSCRIBERS_READ = (
        "subscribers:read",
        "Read subscribers",
        "lets the key list subscribers, page by page",
    )
    SUBSCRIBERS_WRITE = (
        "subscribers:write",
        "Create subscribers",
        "lets the key submit signups from a server",
    )

    def __new__(cls, value: str, label: str, hint: str) -> "Scope":
        """Make a member that is the wire name and carries its words."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.hint = hint
        return member


ACCESS_SUMMARIES = {
    frozenset(Scope): "Full access",
    frozenset({Scope.SUBSCRIBERS_READ}): "Read-only",
    frozenset({Scope.SUBSCRIBERS_WRITE}): "Create-only",
}


class ScopesColumn(TypeDecorator[frozenset[Scope]]):
    """Scopes as space-delimited wire names in one column (RFC 6749 §3.3)."""

    impl = String(255)
    cache_ok = True

    def process_bind_param(self, value: Iterable[Scope] | None, dialect: Dialect) -> str | None:
        """Store the wire names in the order of the Scope members."""
        return None if value is None else " ".join(scope.value for scope in Scope if scope in set(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[Scope]:
        """Read the scopes; a name that nobody knows any more grants nothing."""
        return scopes_of(value or "")


@cache
def scopes_of(names: str) -> frozenset[Scope]:
    """The scopes of a list of wire names with spaces between; what nobody knows any more grants nothing."""
    return frozenset(scope for scope in Scope if scope.value in names.split())


def access_summary(scopes: frozenset[Scope]) -> str:
    """What a key with these scopes may do, in a word or two."""
    labels = (scope.label for scope in Scope if scope in scopes)
    return ACCESS_SUMMARIES.get(scopes) or ", ".join(labels)
