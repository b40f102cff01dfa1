"""The SDK knows what the server answers: a new code, field or call there fails here until the SDK has it."""

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, NotRequired, get_args, get_origin, get_type_hints

import httpx
import pytest
from flask import Flask, g
from typing_extensions import is_typeddict

import queuekey
from blueprints.api import answers, problems
from queuekey import errors
from queuekey.problems import problem_in
from queuekey.settings import API_ROOT
from queuekey.smoke import MARKED_EMAIL
from tests.api_client import Caller
from tests.browser.conftest import on_sqlite
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer

TYPES = [kind for kind in vars(answers).values() if is_typeddict(kind)]
OTHERWISE_NAMED = {"SubscriberPage": "Page"}


def simple(hint: Any) -> Any:
    """An annotation of either side, without what the other side says differently on purpose."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Annotated, NotRequired}:
        return simple(arguments[0])
    if origin in {list, tuple}:
        return "many", simple(arguments[0])
    if origin is Literal:
        return set(arguments)
    if origin is UnionType:
        return {simple(argument) for argument in arguments}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str  # a newer server may have more of them
    return getattr(hint, "__name__", hint)


def hints(kind: Any) -> dict[str, Any]:
    """The simplified annotations of a type, by the names of its fields."""
    found = get_type_hints(kind, include_extras=True)
    return {name: str if simple(hint) is str else simple(hint) for name, hint in found.items()}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_answer_has_its_type_with_the_same_fields(kind: Any) -> None:
    ours = getattr(queuekey, OTHERWISE_NAMED.get(kind.__name__, kind.__name__))
    expected = hints(kind)
    if kind is answers.Problem:  # what only some problems have
        optional = {"plan", "required_plan", "required_scope"}
        expected |= {name: frozenset({"str", "NoneType"}) for name in optional}

    assert [field.name for field in fields(ours)] == list(expected)
    for name, hint in hints(ours).items():
        assert comparable(hint) == comparable(expected[name]), name


def comparable(hint: Any) -> Any:
    """Sets as frozen sets, types by name."""
    if isinstance(hint, tuple):
        return tuple(map(comparable, hint))
    if isinstance(hint, set | frozenset):
        return frozenset(map(comparable, hint))
    return "str" if hint is str else hint


def test_the_comparison_sees_a_field_of_another_type() -> None:
    assert comparable(simple(Annotated[int | None, 1])) == comparable(simple(int | None)) != comparable(simple(int))
    assert comparable(simple(list[answers.Subscriber])) == comparable(simple(tuple[queuekey.Subscriber, ...]))
    assert comparable(simple(list[answers.Subscriber])) != comparable(simple(tuple[queuekey.Key, ...]))
    assert simple(datetime) != simple(str)


def test_there_is_an_exception_for_every_code_and_for_no_other() -> None:
    assert {code: kind.expected_status for code, kind in errors.BY_CODE.items()} == {
        problem.code: problem.status for problem in problems.CATALOGUE
    }


@on_sqlite
@pytest.mark.parametrize("problem", problems.CATALOGUE, ids=lambda problem: problem.code)
def test_a_problem_becomes_the_exception_of_its_code_with_all_its_members(app: Flask, problem: Any) -> None:
    members: dict[str, Any] = {name: name for name in problem.members if name != "errors"}
    if "errors" in problem.members:
        members["errors"] = [{"field": "email", "message": "wrong"}]
    with app.test_request_context():
        g.request_id = "r"
        response = problems.Problem(problem, **members).response()
    document = response.get_json()

    sent = httpx.Request("GET", "https://queuekey.example/v1/api/key")
    answer = httpx.Response(response.status_code, content=response.data, request=sent)
    error = problem_in(answer)

    camel = "".join(word.capitalize() for word in problem.code.split("_"))
    assert type(error) is getattr(queuekey, camel)
    assert (error.status, error.title, error.detail) == (problem.status, problem.title, problem.when)
    for name in document.keys() - {"errors", "request_id"}:
        assert getattr(error, name, getattr(error.problem, name)) == document[name]
    assert [(one.field, one.message) for one in error.errors] == [("email", "wrong")] * ("errors" in document)


@on_sqlite
def test_there_is_a_method_for_every_call_of_the_api(
    app: Flask, either: Either, caller: Caller, faults: FaultyServer
) -> None:
    sdk, waitlist = either.client(caller.token, faults.url), caller.waitlist.public_id
    for answer in used(sdk, waitlist):
        either.get(answer)

    sent = {(seen.method, re.sub(r"\?.*", "", seen.path).replace(waitlist, "<waitlist_id>")) for seen in faults.seen}
    description = f"{API_ROOT}/openapi.json"
    assert sent == {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith("api.") and rule.rule != description
    }


def used(sdk: Any, waitlist: str) -> Iterator[Any]:
    """Every method, used once."""
    yield sdk.whoami()
    yield sdk.page(waitlist)
    yield sdk.pages(waitlist)
    yield sdk.list(waitlist)
    yield sdk.export(waitlist)
    yield sdk.create(waitlist, MARKED_EMAIL)
    yield sdk.create_many(waitlist, [MARKED_EMAIL])
