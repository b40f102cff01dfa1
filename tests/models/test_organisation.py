"""Organisations, their plans, and what a plan change does to keys."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import ApiKey, Feature, FeatureNotAllowed, Organisation, Plan, RuleBroken, db, writing
from tests.databases import store_unchecked_plan
from tests.factories import ACTOR, all_rows, count, events, make_api_key, make_organisation, revoke, set_plan


def test_plans_stand_in_their_order() -> None:
    assert [plan.rank for plan in (Plan.FREE, Plan.PRO, Plan.TEAM)] == [0, 1, 2]
    assert [plan.allows(Feature.API_KEYS) for plan in Plan] == [False, True, True]
    assert [plan.is_paid for plan in Plan] == [False, True, True]


@given(st.none() | st.text(max_size=8) | st.sampled_from(["PRO", "Pro", " pro", "enterprise", "NULL"]))
@settings(max_examples=50, deadline=None)
def test_a_plan_that_nobody_knows_is_free(value: str | None) -> None:
    if value not in {"free", "pro", "team"}:
        assert Plan(value) is Plan.FREE  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", ["platinum", "PRO", "", "free"])
@pytest.mark.usefixtures("context")
def test_an_unknown_plan_in_the_database_allows_nothing(stored: str) -> None:
    organisation = make_organisation(plan=Plan.PRO)
    assert organisation.allows(Feature.API_KEYS)

    store_unchecked_plan(db.engine, organisation.id, stored)

    (found,) = all_rows(Organisation)
    assert found.plan is Plan.FREE
    assert not found.allows(Feature.API_KEYS)
    with pytest.raises(FeatureNotAllowed) as refusal:
        found.require(Feature.API_KEYS)
    assert (refusal.value.plan, refusal.value.feature) == (Plan.FREE, Feature.API_KEYS)


@pytest.mark.usefixtures("context")
def test_a_lapse_and_a_return_each_leave_one_event_that_counts_the_keys() -> None:
    organisation = make_organisation(plan=Plan.TEAM)
    for _ in range(3):
        key, _ = make_api_key(organisation)
    revoke(key)
    make_api_key(make_organisation())

    set_plan(organisation, Plan.FREE)
    set_plan(organisation, Plan.PRO)

    lapse, restored = events("plan.changed")
    assert lapse.details == {"from": "team", "to": "free", "keys_paused": 2, "command": "tests"}
    assert restored.details == {"from": "free", "to": "pro", "keys_resumed": 2, "command": "tests"}
    assert count(ApiKey) == 4


@pytest.mark.usefixtures("context")
def test_a_change_between_paid_plans_pauses_nothing() -> None:
    organisation = make_organisation(plan=Plan.PRO)
    make_api_key(organisation)

    set_plan(organisation, Plan.TEAM)

    (event,) = events("plan.changed")
    assert (event.details["from"], event.details["to"]) == ("pro", "team")
    assert not {"keys_paused", "keys_resumed"} & event.details.keys()


@pytest.mark.usefixtures("context")
def test_the_same_plan_again_writes_nothing() -> None:
    organisation = make_organisation(plan=Plan.PRO)
    make_api_key(organisation)

    set_plan(organisation, Plan.PRO)
    assert events("plan.changed") == []

    set_plan(organisation, Plan.FREE)
    assert len(events("plan.changed")) == 1


@pytest.mark.parametrize("before", list(Plan))
@pytest.mark.parametrize("after", list(Plan))
@pytest.mark.usefixtures("context")
def test_any_change_is_kept_with_its_event(before: Plan, after: Plan) -> None:
    organisation = make_organisation(plan=before)

    set_plan(organisation, after)

    (found,) = all_rows(Organisation)
    assert found.plan is after
    assert len(events("plan.changed")) == (before is not after)


@pytest.mark.usefixtures("context")
def test_two_organisations_of_one_name_have_slugs_of_their_own() -> None:
    slugs = [make_organisation(name).slug for name in ("Fernhill", "Fernhill", "fernhill!", "日本", "日本")]

    assert slugs == ["fernhill", "fernhill-2", "fernhill-3", "organisation", "organisation-2"]


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\nb", "a\0b"])
@pytest.mark.usefixtures("context")
def test_an_organisation_needs_a_readable_name(name: str) -> None:
    with pytest.raises(RuleBroken), writing():
        Organisation.create(name, Plan.PRO, ACTOR)
    assert (count(Organisation), events()) == (0, [])

    assert make_organisation("a" * 100)
