"""What a call takes and what it answers, said where the call is: the published description is made of it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from blueprints.api.schemas import QueryString, Schema

View = TypeVar("View", bound=Callable[..., Any])


class Answer(NamedTuple):
    """A successful answer: what it means, the type of its body (None for no body), headers of its own.

    `links`: calls that it leads to, by their names, with what to take from it (OpenAPI's runtime expressions).
    """

    description: str
    body: Any = None
    headers: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)
    links: Mapping[str, Mapping[str, str]] = MappingProxyType({})


class Contract(NamedTuple):
    """The successful answers of a call by status, and the schemas that it reads the request with."""

    answers: Mapping[int, Answer]
    query: type[QueryString]
    body: type[Schema] | None


def contract(
    answers: Mapping[int, Answer], *, query: type[QueryString] = QueryString, body: type[Schema] | None = None
) -> Callable[[View], View]:
    """Keep the contract with the view. What refuses a request is not named: it follows from the rest."""

    def decorate(view: View) -> View:
        view.contract = Contract(answers, query, body)  # type: ignore[attr-defined]
        return view

    return decorate
