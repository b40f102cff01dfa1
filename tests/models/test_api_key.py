"""Resolving, holding, listing and revoking keys, and what is kept of a token."""

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text, update

from models import (
    ApiKey,
    Organisation,
    Plan,
    Scope,
    db,
    writing,
)
from models import token as tokens
from tests.factories import (
    ACTOR,
    all_rows,
    events,
    make_api_key,
    make_organisation,
    revoke,
    set_plan,
)
from tests.queries import recorded


@pytest.mark.usefixtures("context")
def test_no_column_and_no_event_holds_the_token() -> None:
    _, token = make_api_key()
    with db.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        rows = [str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]

    assert any(token[:12] in row for row in rows)
    assert not any(part in row for row in rows for part in (token, token[12:24], token[-12:]))


@pytest.mark.usefixtures("app")
def test_neither_the_record_nor_a_resolved_key_says_anything_secret() -> None:
    key, token = make_api_key()
    digest = tokens.digest(token)

    shown = repr(key) + str(key) + f"{key}"
    assert key.prefix in shown
    assert not any(secret in shown for secret in (token, token[12:20], repr(digest), digest.hex()))


def test_a_resolved_key_says_nothing_secret_either(context: None) -> None:
    _, token = make_api_key()
    digest = tokens.digest(token)

    shown = repr(ApiKey.resolve(token))
    assert token[:12] in shown
    assert not any(secret in shown for secret in (token, token[12:20], repr(digest), digest.hex()))


def test_the_loudest_log_holds_neither_token_nor_digest(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    _, token = make_api_key()
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlalchemy.engine"), app.app_context():
        assert ApiKey.resolve(token) is not None
        make_api_key()
        with pytest.raises(Exception) as failure:
            db.session.execute(text("SELECT missing, :token FROM api_keys"), {"token": token})

    log = caplog.text + str(failure.value)
    assert "api_keys" in log
    digest = tokens.digest(token)
    assert not any(secret in log for secret in (token, token[12:24], repr(digest)[2:-1], digest.hex()))


@pytest.mark.usefixtures("context")
def test_a_live_token_resolves_to_its_key_and_plan() -> None:
    organisation = make_organisation(plan=Plan.TEAM)
    key, token = make_api_key(organisation, name="warehouse", scopes=[Scope.SUBSCRIBERS_READ])

    found = ApiKey.resolve(token)

    assert found is not None
    assert (found.id, found.name, found.prefix) == (key.id, "warehouse", key.prefix)
    assert (found.organisation_id, found.plan) == (organisation.id, Plan.TEAM)
    assert found.has_scope(Scope.SUBSCRIBERS_READ)
    assert not found.has_scope(Scope.SUBSCRIBERS_WRITE)


def test_unknown_and_revoked_cost_one_query_and_malformed_none(app: Flask) -> None:
    key, revoked = make_api_key()
    revoke(key)
    _, live = make_api_key(make_organisation())
    wrong_end = live[:-1] + ("a" if live[-1] != "a" else "b")
    asked = {live: 1, revoked: 1, tokens.generate(): 1, wrong_end: 0, live * 200: 0, "": 0}

    with app.app_context():
        for token, expected in asked.items():
            with recorded(app) as queries:
                found = ApiKey.resolve(token)
            assert len(queries) == expected, token
            assert (found is not None) == (token == live)


@pytest.mark.usefixtures("context")
def test_revoking_is_recorded_once_and_moves_nothing_the_second_time() -> None:
    key, token = make_api_key()
    assert ApiKey.resolve(token) is not None
    db.session.rollback()  # a request asks once

    revoke(key)
    (first,) = all_rows(ApiKey)
    revoke(key)
    (second,) = all_rows(ApiKey)

    assert first.revoked_at is not None
    assert second.revoked_at == first.revoked_at
    assert ApiKey.resolve(token) is None
    (event,) = events("api_key.revoked")
    assert (event.target_id, event.target_label, event.details["prefix"]) == (str(key.id), key.name, key.prefix)


@pytest.mark.usefixtures("context")
def test_a_key_is_held_with_its_present_plan_until_it_is_revoked() -> None:
    organisation = make_organisation(plan=Plan.TEAM)
    key, _ = make_api_key(organisation)
    with writing():
        held = ApiKey.hold(key.id)
        assert held is not None
        assert held.plan is Plan.TEAM
    set_plan(organisation, Plan.FREE)
    with writing():
        held = ApiKey.hold(key.id)
        assert held is not None
        assert held.plan is Plan.FREE
    revoke(key)
    with writing():
        assert ApiKey.hold(key.id) is None


@pytest.mark.parametrize("look_up", [ApiKey.all_of, lambda organisation: ApiKey.all_of(organisation, revoked_too=True)])
@pytest.mark.usefixtures("context")
def test_keys_are_found_for_their_own_organisation_alone(look_up: Callable[[Organisation], list[ApiKey]]) -> None:
    mine, other = make_organisation(), make_organisation()
    key, _ = make_api_key(mine)
    foreign, _ = make_api_key(other)

    assert [found.id for found in look_up(mine)] == [key.id]
    assert ApiKey.of(mine, key.id) is not None
    assert ApiKey.of(mine, foreign.id) is None


@pytest.mark.usefixtures("context")
def test_lists_are_newest_first_and_leave_revoked_keys_out() -> None:
    organisation = make_organisation()
    keys = [make_api_key(organisation, name=name)[0] for name in "abc"]
    revoke(keys[1])

    assert [key.name for key in ApiKey.all_of(organisation)] == ["c", "a"]
    assert [key.name for key in ApiKey.all_of(organisation, revoked_too=True)] == ["c", "b", "a"]


@pytest.mark.usefixtures("context")
def test_revoking_writes_no_other_column() -> None:
    key, _ = make_api_key()
    with writing():
        loaded = db.session.get_one(ApiKey, key.id)
        db.session.execute(update(ApiKey).values(name="renamed meanwhile").execution_options(synchronize_session=False))
        loaded.revoke(ACTOR)

    assert db.session.scalar(select(ApiKey.name)) == "renamed meanwhile"
