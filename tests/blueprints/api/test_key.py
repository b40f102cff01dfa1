"""Who am I: the calling key's own card."""

from collections.abc import Collection

import pytest
from flask import Flask

from models import ApiKey, Plan, Scope
from tests.api_client import (
    ApiClient,
    assert_api_headers,
    body,
    make_caller,
    nothing_written,
    problem,
    refused,
    wrong_fields,
)
from tests.factories import BOTH, all_rows, revoke, set_plan
from tests.whole_console import running

PATH = "/v1/api/key"


@pytest.mark.parametrize(("plan", "limit"), [(Plan.PRO, 600), (Plan.TEAM, 3000)])
@pytest.mark.parametrize("scopes", [BOTH, [Scope.SUBSCRIBERS_READ], [Scope.SUBSCRIBERS_WRITE]])
def test_every_live_key_may_ask_who_it_is(app: Flask, plan: Plan, limit: int, scopes: Collection[Scope]) -> None:
    caller = make_caller(app, scopes=scopes, plan=plan)

    with nothing_written():
        response = caller.api.get(PATH)

    assert response.status_code == 200
    assert_api_headers(response)
    assert response.headers["RateLimit-Policy"] == f'"per-key";q={limit};w=60'
    assert body(response) == {
        "name": caller.key.name,
        "prefix": caller.key.prefix,
        "scopes": sorted(scopes),
        "organisation": {"slug": caller.organisation.slug, "name": caller.organisation.name},
        "plan": plan.value,
        "limits": {"requests_per_minute": limit},
    }
    assert caller.token not in response.text


def test_asking_counts_as_a_use_of_the_key_and_against_its_limit(app: Flask) -> None:
    caller = make_caller(app)
    assert caller.key.last_used_at is None

    assert caller.api.get(PATH).headers["RateLimit"].startswith('"per-key";r=599;')

    assert all_rows(ApiKey)[0].last_used_at is not None


def test_a_revoked_or_paused_key_is_told_nothing(app: Flask) -> None:
    caller = make_caller(app)
    assert caller.api.get(PATH).status_code == 200

    set_plan(caller.organisation, Plan.FREE)
    with refused():
        problem(caller.api.get(PATH), 403, "feature_not_allowed")
        problem(ApiClient(app, None).get(PATH), 401, "missing_token")
    set_plan(caller.organisation, Plan.PRO)
    assert caller.api.get(PATH).status_code == 200
    revoke(caller.key)
    with refused():
        problem(caller.api.get(PATH), 401, "invalid_token")


def test_no_limit_is_named_while_limits_are_off(app: Flask) -> None:
    caller = make_caller(app)

    with running(app, RATELIMIT_ENABLED=0) as other:
        response = ApiClient(other, caller.token).get(PATH)

    assert body(response)["limits"] == {"requests_per_minute": None}
    assert "RateLimit" not in response.headers


def test_a_parameter_is_refused(app: Flask) -> None:
    caller = make_caller(app)

    assert wrong_fields(caller.api.get(f"{PATH}?verbose=1")) == ["verbose"]
    assert caller.api.get(PATH).status_code == 200
