"""Minting keys."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import (
    Actor,
    ApiKey,
    FeatureNotAllowed,
    FormAlreadyUsed,
    KeyLimitReached,
    Organisation,
    Plan,
    RuleBroken,
    Scope,
    db,
    writing,
)
from models import token as tokens
from models.api_key import NAME_MAX, checked_name
from tests.factories import (
    ACTOR,
    BOTH,
    all_rows,
    count,
    events,
    make_organisation,
    make_user,
    revoke,
    set_plan,
)


def mint(organisation: Organisation, name: str = "crm-sync", **overrides: Any) -> tuple[ApiKey, str]:
    wanted: dict[str, Any] = {"scopes": BOTH, "actor": ACTOR, "limit": 50}
    with writing():
        return ApiKey.mint(organisation, name, **wanted | overrides)


@pytest.mark.usefixtures("context")
def test_minting_keeps_a_digest_and_a_prefix_and_leaves_one_event() -> None:
    user = make_user()

    key, token = mint(user.organisation, actor=user.as_actor("203.0.113.7", "curl/8", "request-1"))

    (row,) = all_rows(ApiKey)
    assert db.session.scalar(select(ApiKey.digest)) == tokens.digest(token)
    assert row.prefix == token[:12]
    assert (row.name, row.scopes, row.created_by_id) == ("crm-sync", frozenset(Scope), user.id)
    assert row.last_used_at is None
    assert row.revoked_at is None
    (event,) = events("api_key.created")
    assert (event.actor_type, event.actor_id, event.actor_name, event.ip) == ("user", user.id, user.name, "203.0.113.7")
    assert (event.target_type, event.target_id, event.target_label) == ("api_key", str(key.id), "crm-sync")
    assert event.details["prefix"] == key.prefix


@pytest.mark.usefixtures("context")
def test_an_organisation_cannot_pass_its_limit_of_active_keys() -> None:
    organisation = make_organisation()
    key, _ = mint(organisation, limit=2)
    mint(organisation, limit=2)
    before = len(events())

    with pytest.raises(KeyLimitReached, match="already has 2 active keys"):
        mint(organisation, limit=2)
    assert (count(ApiKey), len(events())) == (2, before)

    revoke(key)
    assert mint(organisation, limit=2)


@pytest.mark.usefixtures("context")
def test_one_form_mints_one_key() -> None:
    organisation = make_organisation()
    mint(organisation, form_value="one")
    before = len(events())

    with pytest.raises(FormAlreadyUsed):
        mint(organisation, form_value="one")
    assert (count(ApiKey), len(events())) == (1, before)

    mint(organisation, form_value="two")
    mint(organisation)
    mint(organisation)
    assert count(ApiKey) == 4


@pytest.mark.usefixtures("context")
def test_a_token_that_is_drawn_twice_is_no_form_that_was_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = make_organisation()
    _, token = mint(organisation, form_value="one")
    monkeypatch.setattr(tokens, "generate", lambda: token)

    for form_value in ("two", None):
        with pytest.raises(IntegrityError, match="digest"):
            mint(organisation, form_value=form_value)

    assert (count(ApiKey), len(events("api_key.created"))) == (1, 1)
    monkeypatch.undo()
    mint(organisation, form_value="two")


@pytest.mark.usefixtures("context")
def test_a_failed_validation_does_not_use_the_form_up() -> None:
    organisation = make_organisation()
    with pytest.raises(RuleBroken):
        mint(organisation, name="", form_value="one")

    assert mint(organisation, form_value="one")


@pytest.mark.usefixtures("context")
def test_free_organisations_mint_no_keys() -> None:
    organisation = make_organisation(plan=Plan.FREE)
    before = len(events())

    with pytest.raises(FeatureNotAllowed):
        mint(organisation)
    assert (count(ApiKey), len(events())) == (0, before)

    set_plan(organisation, Plan.PRO)
    assert mint(organisation)


@pytest.mark.usefixtures("context")
def test_a_key_needs_a_scope() -> None:
    organisation = make_organisation()

    with pytest.raises(RuleBroken, match="Tick at least one permission") as refusal:
        mint(organisation, scopes=[])
    assert refusal.value.field == "scopes"
    assert count(ApiKey) == 0

    key, _ = mint(organisation, scopes=[Scope.SUBSCRIBERS_WRITE])
    assert key.access_summary == "Create-only"


@pytest.mark.parametrize(
    "name", ["a", "a" * 64, "  crm-sync ", "日本語 ☁️ é", "'; DROP TABLE api_keys;--", "<b>{{7*7}}"]
)
def test_a_name_is_taken_and_trimmed(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " \t\n ",
        "a" * 65,
        "a\0b",
        "a\nb",
        "a\x1bb",
        "a\x7fb",
        "a\u200bb",  # zero-width space
        "a\u200db",  # zero-width joiner
        "a\ufeffb",
        "a\u00adb",  # soft hyphen
        "a\u202eb",  # right-to-left override
        "a\u2066b",
        "a\u061cb",
        "a\u2028b",
        "\u3164",  # a letter that shows nothing
        "a\U000e0041b",  # tag letter
        "a\U000e0100b",  # variation selector
        "a\ud800b",
    ],
)
def test_a_name_that_cannot_be_read_safely_is_refused(name: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        checked_name(name)
    assert refusal.value.field == "name"


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_name_is_taken_or_refused_with_a_sentence(name: str) -> None:
    with suppress(RuleBroken):
        assert 1 <= len(checked_name(name)) <= NAME_MAX


@pytest.mark.usefixtures("context")
def test_the_command_line_creates_keys_that_no_user_made() -> None:
    key, _ = mint(make_organisation(), actor=Actor.system("api-keys create"))

    assert key.created_by_id is None
    (event,) = events("api_key.created")
    assert (event.actor_type, event.details["command"]) == ("system", "api-keys create")
