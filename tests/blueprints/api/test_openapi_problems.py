"""Refusals of the description, made of the catalogue of problems."""

import pytest

from blueprints.api import openapi_problems, problems
from blueprints.api.contract import Contract
from blueprints.api.decorators import ANY_LIVE_KEY, PUBLIC
from blueprints.api.schemas import QueryString, Signup
from models import Scope

PLAIN, WITH_BODY = Contract({}, QueryString, None), Contract({}, QueryString, Signup)


def codes(made: Contract, access: str, has_waitlist: bool = False) -> set[str]:
    return {type_.code for _, types in openapi_problems.of(made, access, has_waitlist) for type_ in types}


def test_what_a_call_can_answer_follows_from_who_may_call_and_what_it_reads() -> None:
    everybody = {"invalid_request", "validation_failed", "internal_error"}
    key = everybody | {"missing_token", "invalid_token", "feature_not_allowed", "rate_limited", "unavailable"}
    scope = Scope.SUBSCRIBERS_WRITE.value

    assert codes(PLAIN, PUBLIC) == everybody
    assert codes(PLAIN, ANY_LIVE_KEY) == key
    assert codes(PLAIN, scope) == key | {"insufficient_scope"}
    assert codes(PLAIN, scope, has_waitlist=True) == key | {"insufficient_scope", "not_found"}
    assert codes(WITH_BODY, ANY_LIVE_KEY) == key | {"body_too_large", "unsupported_media_type"}


@pytest.mark.parametrize("access", [PUBLIC, ANY_LIVE_KEY, *Scope])
@pytest.mark.parametrize("has_waitlist", [True, False])
def test_every_response_that_a_call_refers_to_is_there(access: str, has_waitlist: bool) -> None:
    there = openapi_problems.responses("http://localhost")

    for made in (PLAIN, WITH_BODY):
        for status, types in openapi_problems.of(made, access, has_waitlist):
            response = there[openapi_problems.name(types)]
            examples = response["content"]["application/problem+json"]["examples"]
            assert {example["value"]["status"] for example in examples.values()} == {status}


def test_examples_have_the_members_of_their_problem() -> None:
    there = openapi_problems.responses("https://queuekey.example")

    example = there["ValidationFailed"]["content"]["application/problem+json"]["examples"]["validation_failed"]["value"]
    assert example["type"] == "https://queuekey.example/docs/errors#validation_failed"
    assert example["errors"]
    assert problems.VALIDATION_FAILED.members == ("errors",)
