"""What a resolved key knows, and the sentences by which a key is refused."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from models import ActorType, ApiKey, Feature, FeatureNotAllowed, Plan, ResolvedKey, RuleBroken, Scope, db, writing
from models.api_key import checked_name, checked_scopes
from tests.factories import ACTOR, events, make_api_key, make_organisation, revoke, set_plan

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


def resolved(token: str) -> ResolvedKey:
    """The live key of a token."""
    found = ApiKey.resolve(token)
    assert found is not None
    return found


@pytest.mark.usefixtures("context")
def test_a_resolved_key_knows_when_it_was_last_used() -> None:
    key, token = make_api_key()
    assert resolved(token).last_used_at is None

    with writing():
        db.session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=NOON))

    assert resolved(token).last_used_at == NOON


@pytest.mark.usefixtures("context")
def test_a_resolved_key_acts_under_its_own_name() -> None:
    key, token = make_api_key(name="crm-sync")

    actor = resolved(token).as_actor("203.0.113.7", "curl/8", "request-1")

    assert (actor.type, actor.name, actor.id, actor.prefix) == (ActorType.API_KEY, "crm-sync", key.id, key.prefix)
    assert (actor.ip, actor.user_agent, actor.request_id) == ("203.0.113.7", "curl/8", "request-1")


@pytest.mark.usefixtures("context")
def test_a_feature_is_required_of_the_plan_that_was_found() -> None:
    organisation = make_organisation(plan=Plan.PRO)
    _, token = make_api_key(organisation)
    resolved(token).require(Feature.API_KEYS)

    set_plan(organisation, Plan.FREE)

    with pytest.raises(FeatureNotAllowed) as refused:
        resolved(token).require(Feature.API_KEYS)
    assert (refused.value.plan, refused.value.feature) == (Plan.FREE, Feature.API_KEYS)


@pytest.mark.usefixtures("context")
def test_revoking_says_whether_it_did_anything_even_to_a_record_that_was_read_before() -> None:
    key, _ = make_api_key()
    other, _ = make_api_key()
    with writing():
        assert db.session.get_one(ApiKey, other.id).revoke(ACTOR) is True

    revoke(key)
    with writing():
        db.session.add(key)  # as it was before it was revoked
        assert key.revoke(ACTOR) is False
    assert len(events("api_key.revoked")) == 2


@pytest.mark.usefixtures("context")
def test_minting_tells_the_scopes_in_its_event() -> None:
    key, _ = make_api_key()

    (event,) = events("api_key.created")
    assert (event.details["prefix"], event.details["scopes"]) == (key.prefix, sorted(Scope))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (" ", "Give the key a name."),
        ("x" * 65, "Use 64 characters or fewer."),
        ("a\u202eb", "Leave out control, zero-width and text-direction characters."),
    ],
)
def test_a_name_is_refused_in_words(name: str, sentence: str) -> None:
    assert checked_name(" crm-sync ") == "crm-sync"

    with pytest.raises(RuleBroken) as refused:
        checked_name(name)
    assert (refused.value.field, refused.value.message) == ("name", sentence)


def test_no_scope_is_refused_in_words() -> None:
    assert checked_scopes([Scope.SUBSCRIBERS_READ]) == {Scope.SUBSCRIBERS_READ}

    with pytest.raises(RuleBroken) as refused:
        checked_scopes([])
    assert (refused.value.field, refused.value.message) == ("scopes", "Tick at least one permission.")
