"""API keys from the command line."""

import json

import pytest
from flask import Flask

from models import ApiKey, Plan
from models.token import is_well_formed
from tests.api_client import ApiClient, subscribers_path
from tests.commands import refusal, run, succeed
from tests.factories import all_rows, count, events, make_api_key, make_organisation, make_waitlist, set_plan

CREATE = ["api-keys", "create", "crm-sync", "--organisation", "fernhill", "--scope", "subscribers:read"]


def test_a_created_key_prints_its_token_alone_and_the_token_works(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    waitlist = make_waitlist(organisation)

    result = run(app, *CREATE)

    token = result.stdout.removesuffix("\n")
    assert is_well_formed(token)
    assert token not in result.stderr
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 200
    assert ApiClient(app, token).post(subscribers_path(waitlist), {"email": "a@example.org"}).status_code == 403
    (event,) = events("api_key.created")
    assert (event.actor_type, event.target_label) == ("system", "crm-sync")
    assert event.details["command"] == "api-keys create"
    assert token not in str(event.as_json())


def test_a_created_key_as_json_is_one_object_and_nothing_else(app: Flask) -> None:
    make_organisation("Fernhill")

    result = run(app, *CREATE, "--scope", "subscribers:write", "--json")

    made = json.loads(result.stdout)
    (key,) = all_rows(ApiKey)
    assert made == {"id": str(key.id), "prefix": key.prefix, "token": made["token"]}
    assert made["token"].startswith(made["prefix"])
    assert result.stderr == ""
    assert key.access_summary == "Full access"


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"fernhill": "nowhere"}, 1, "There is no organisation “nowhere”."),
        ({"crm-sync": " "}, 1, "Give the key a name."),
        ({"crm-sync": "x" * 65}, 1, "64 characters"),
        ({"crm-sync": "crm\u202esync"}, 1, "text-direction"),
        ({"subscribers:read": "subscribers:admin"}, 2, "'subscribers:admin' is not one of"),
        ({"--scope": "--json", "subscribers:read": "--json"}, 2, "Missing option '--scope'"),
    ],
)
def test_a_bad_key_is_refused_and_leaves_nothing(app: Flask, changes: dict[str, str], status: int, words: str) -> None:
    make_organisation("Fernhill")

    assert words in refusal(app, *(changes.get(argument, argument) for argument in CREATE), status=status)

    assert count(ApiKey) == 0
    assert events("api_key.created") == []
    assert is_well_formed(succeed(app, *CREATE))


def test_no_key_is_created_below_pro(app: Flask) -> None:
    organisation = make_organisation("Fernhill", Plan.FREE)

    assert "need the Pro plan" in refusal(app, *CREATE)

    assert count(ApiKey) == 0
    assert events("api_key.created") == []
    set_plan(organisation, Plan.PRO)
    assert is_well_formed(succeed(app, *CREATE))


def test_the_command_line_obeys_the_limit_of_active_keys(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "API_KEY_LIMIT", 2)
    organisation = make_organisation("Fernhill")
    key, _ = make_api_key(organisation)
    make_api_key(organisation)

    assert "already has 2 active keys" in refusal(app, *CREATE)
    assert count(ApiKey) == len(events("api_key.created")) == 2

    succeed(app, "api-keys", "revoke", str(key.id), "--organisation", "fernhill")
    assert is_well_formed(succeed(app, *CREATE))


def test_listing_as_json_names_every_key_of_the_organisation_without_a_secret(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    first, first_token = make_api_key(organisation, name="crm-sync")
    second, _ = make_api_key(organisation, name="warehouse")
    make_api_key(make_organisation("Elsewhere"))
    ApiClient(app, first_token).get(subscribers_path(make_waitlist(organisation)))
    succeed(app, "api-keys", "revoke", str(second.id), "--organisation", "fernhill")

    printed = succeed(app, "api-keys", "list", "--organisation", "fernhill", "--json")

    newest, oldest = json.loads(printed)["keys"]
    assert list(oldest) == ["id", "name", "scopes", "prefix", "last_used_at", "created_at", "revoked_at"]
    assert (oldest["id"], oldest["name"], oldest["prefix"]) == (str(first.id), "crm-sync", first.prefix)
    assert oldest["scopes"] == ["subscribers:read", "subscribers:write"]
    assert oldest["last_used_at"].endswith(":00Z")
    assert oldest["created_at"] == f"{first.created_at:%Y-%m-%dT%H:%M:%SZ}"
    assert oldest["revoked_at"] is newest["last_used_at"] is None
    assert newest["revoked_at"].endswith("Z")
    assert first_token not in printed


def test_listing_for_people_shows_names_and_prefixes(app: Flask) -> None:
    key, token = make_api_key(make_organisation("Fernhill"), name="crm-sync")

    printed = succeed(app, "api-keys", "list", "--organisation", "fernhill")

    assert "crm-sync" in printed
    assert f"{key.prefix}…" in printed
    assert "Full access" in printed
    assert token not in printed


def test_a_revoked_key_is_refused_on_the_next_request_and_revoking_twice_is_fine(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    path = subscribers_path(make_waitlist(organisation))
    key, token = make_api_key(organisation)
    assert ApiClient(app, token).get(path).status_code == 200
    revoke = ["api-keys", "revoke", str(key.id), "--organisation", "fernhill"]

    assert succeed(app, *revoke) == "Revoked “crm-sync”. Requests with it now get 401."
    assert ApiClient(app, token).get(path).status_code == 401

    (revoked,) = all_rows(ApiKey)
    assert succeed(app, *revoke) == "“crm-sync” was revoked already. Nothing was changed."
    assert all_rows(ApiKey)[0].revoked_at == revoked.revoked_at
    (event,) = events("api_key.revoked")
    assert (event.actor_type, event.details["command"]) == ("system", "api-keys revoke")


NO_ID = (
    "Invalid value for 'ID': A key's ID is the number that “api-keys list” shows first, not its name, prefix or token."
)


@pytest.mark.parametrize(
    "given", ["0", "-1", "crm-sync", "", "1_0", "١", " 1", "1.0", "9" * 5000, str(2**63), "qu_live_AbCd"]
)
def test_what_is_no_number_of_a_key_is_refused_kindly_and_not_repeated(app: Flask, given: str) -> None:
    key, _ = make_api_key(make_organisation("Fernhill"))

    assert refusal(app, "api-keys", "revoke", "--organisation", "fernhill", "--", given, status=2) == NO_ID

    assert events("api_key.revoked") == []
    succeed(app, "api-keys", "revoke", "--organisation", "fernhill", "--", str(key.id))


def test_a_number_that_no_key_has_is_refused(app: Flask) -> None:
    make_organisation("Fernhill")

    said = refusal(app, "api-keys", "revoke", str(2**63 - 1), "--organisation", "fernhill")

    assert said == f"There is no key {2**63 - 1} in “fernhill”."


def test_another_organisations_key_cannot_be_revoked_under_the_wrong_slug(app: Flask) -> None:
    key, _ = make_api_key(make_organisation("Fernhill"))
    make_organisation("Elsewhere")

    said = refusal(app, "api-keys", "revoke", str(key.id), "--organisation", "elsewhere")

    assert said == f"There is no key {key.id} in “elsewhere”."
    assert all_rows(ApiKey)[0].revoked_at is None
    assert events("api_key.revoked") == []
