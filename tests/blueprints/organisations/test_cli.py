"""Organisations from the command line, and the set-up of a new installation."""

import json

import pytest
from flask import Flask

from models import ActivityEvent, Organisation, Plan, Subscriber, User, Waitlist
from tests.commands import refusal, run, succeed
from tests.console import sign_in
from tests.factories import all_rows, count, events, make_api_key, make_organisation, make_user, revoke, set_plan


def test_creating_an_organisation_prints_its_slug_and_leaves_one_event(app: Flask) -> None:
    assert succeed(app, "organisations", "create", "Fern & Hill", "--plan", "pro") == "fern-hill"

    (organisation,) = all_rows(Organisation)
    assert (organisation.name, organisation.plan) == ("Fern & Hill", Plan.PRO)
    (event,) = events()
    assert (event.action, event.actor_type, event.actor_name) == ("organisation.created", "system", "System")
    assert event.details["command"] == "organisations create"


def test_an_organisation_is_on_free_unless_a_plan_is_given(app: Flask) -> None:
    succeed(app, "organisations", "create", "Fernhill")

    assert all_rows(Organisation)[0].plan is Plan.FREE


def test_a_taken_slug_gets_a_number_and_that_is_said_on_standard_error(app: Flask) -> None:
    first, second = (run(app, "organisations", "create", "Fernhill", "--json") for _ in range(2))

    assert (json.loads(first.stdout), first.stderr) == ({"slug": "fernhill"}, "")
    assert json.loads(second.stdout) == {"slug": "fernhill-2"}
    assert second.stderr == "The slug “fernhill” is taken: this organisation's is “fernhill-2”.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["   "], 1, "Give the organisation a name"),
        (["x" * 101], 1, "1 to 100"),
        (["Fern\x1bhill"], 1, "printable"),
        (["\udcff"], 1, "printable"),
        ([], 2, "Missing argument 'NAME'"),
        (["Fernhill", "--plan", "gold"], 2, "'gold' is not one of 'free', 'pro', 'team'"),
        (["Fernhill", "--colour", "red"], 2, "--colour"),
    ],
)
def test_a_bad_organisation_is_refused_and_leaves_nothing(
    app: Flask, arguments: list[str], status: int, words: str
) -> None:
    assert words in refusal(app, "organisations", "create", *arguments, status=status)
    assert count(Organisation) == count(ActivityEvent) == 0

    assert succeed(app, "organisations", "create", "Fernhill") == "fernhill"


def test_listing_organisations_names_all_of_them_with_their_plans(app: Flask) -> None:
    make_organisation("Fernhill", Plan.TEAM)
    make_organisation("Elsewhere", Plan.FREE)

    lines = succeed(app, "organisations", "list").splitlines()

    assert [line.split() for line in lines] == [
        ["Slug", "Name", "Plan"],
        ["elsewhere", "Elsewhere", "free"],
        ["fernhill", "Fernhill", "team"],
    ]


def test_a_lapsed_plan_says_how_many_keys_are_paused_and_a_restored_one_how_many_resumed(app: Flask) -> None:
    organisation = make_organisation("Fernhill", Plan.PRO)
    make_api_key(organisation)
    make_api_key(organisation)
    revoke(make_api_key(organisation)[0])

    assert succeed(app, "organisations", "set-plan", "fernhill", "free") == "Fernhill: Pro → Free. 2 keys paused."
    assert succeed(app, "organisations", "set-plan", "fernhill", "team") == "Fernhill: Free → Team. 2 keys resumed."
    assert succeed(app, "organisations", "set-plan", "fernhill", "pro") == "Fernhill: Team → Pro."

    lapsed, restored, moved = events("plan.changed")
    assert lapsed.details == {"command": "organisations set-plan", "from": "pro", "to": "free", "keys_paused": 2}
    assert restored.details == {"command": "organisations set-plan", "from": "free", "to": "team", "keys_resumed": 2}
    assert moved.details == {"command": "organisations set-plan", "from": "team", "to": "pro"}


def test_one_paused_key_is_a_key(app: Flask) -> None:
    make_api_key(make_organisation("Fernhill"))

    assert succeed(app, "organisations", "set-plan", "fernhill", "free") == "Fernhill: Pro → Free. 1 key paused."


def test_the_same_plan_again_changes_nothing(app: Flask) -> None:
    organisation = make_organisation("Fernhill", Plan.PRO)

    said = succeed(app, "organisations", "set-plan", "fernhill", "pro")

    assert said == "Fernhill is on the Pro plan already. Nothing was changed."
    assert events("plan.changed") == []
    set_plan(organisation, Plan.TEAM)
    assert len(events("plan.changed")) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere", "free"], 1, "There is no organisation “nowhere”."),
        (["fernhill", "gold"], 2, "'gold' is not one of"),
        (["fernhill"], 2, "Missing argument 'PLAN'"),
        (["\udcff", "free"], 2, "not valid UTF-8"),
    ],
)
def test_a_bad_plan_change_is_refused_and_leaves_nothing(
    app: Flask, arguments: list[str], status: int, words: str
) -> None:
    make_organisation("Fernhill", Plan.PRO)

    assert words in refusal(app, "organisations", "set-plan", *arguments, status=status)

    assert all_rows(Organisation)[0].plan is Plan.PRO
    assert events("plan.changed") == []


def test_bootstrap_makes_a_demo_organisation_whose_admin_can_sign_in(app: Flask) -> None:
    made = json.loads(succeed(app, "bootstrap", "--json"))

    assert list(made) == ["organisation", "email", "password", "waitlist", "url"]
    assert made["url"] == "http://127.0.0.1:5000"
    (organisation,) = all_rows(Organisation)
    (user,) = all_rows(User)
    (waitlist,) = all_rows(Waitlist)
    assert (organisation.slug, organisation.plan) == (made["organisation"], Plan.PRO)
    assert (user.email, user.is_admin) == (made["email"], True)
    assert waitlist.public_id == made["waitlist"]
    assert not {*organisation.name.split()} & {*user.name.split(), Plan.PRO.label}  # they stand side by side in the bar
    assert sign_in(app, user, made["password"]).get("/waitlists").status_code == 200


def test_bootstrap_puts_people_in_line_some_of_them_referred(app: Flask) -> None:
    succeed(app, "bootstrap")

    line = all_rows(Subscriber)
    assert len(line) >= 10
    assert sum(subscriber.referral_count for subscriber in line) >= 3
    assert len(events("subscriber.created")) == len(line)
    assert {event.details["command"] for event in events()} == {"bootstrap"}


def test_bootstrap_says_once_where_and_how_to_sign_in(app: Flask) -> None:
    said = succeed(app, "bootstrap")

    (user,) = all_rows(User)
    assert "http://127.0.0.1:5000/login" in said
    assert user.email in said
    password = next(line.split()[1] for line in said.splitlines() if line.strip().startswith("Password"))
    assert sign_in(app, user, password).get("/waitlists").status_code == 200
    assert password not in succeed(app, "bootstrap")


def test_bootstrap_changes_nothing_in_a_database_in_use(app: Flask) -> None:
    make_user(make_organisation("Fernhill"))
    before = count(ActivityEvent)

    said = succeed(app, "bootstrap")
    known = json.loads(succeed(app, "bootstrap", "--json"))

    assert said == "The database is in use: nothing was changed. Sign in at http://127.0.0.1:5000/login"
    nothing = dict.fromkeys(("organisation", "email", "password", "waitlist"))
    assert known == nothing | {"url": "http://127.0.0.1:5000"}
    assert (count(Organisation), count(User), count(ActivityEvent)) == (1, 1, before)


def test_bootstrap_leaves_nothing_when_it_fails_half_way(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueprints.organisations.demo.LINE", (("not an address", None),))

    assert "address" in refusal(app, "bootstrap")

    assert count(Organisation) == count(User) == count(Waitlist) == count(ActivityEvent) == 0
    monkeypatch.undo()
    assert json.loads(succeed(app, "bootstrap", "--json"))["password"]


def test_bootstrap_names_the_public_address_where_there_is_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://queue.example")

    assert json.loads(succeed(app, "bootstrap", "--json"))["url"] == "https://queue.example"


def test_a_group_without_a_command_shows_its_help(app: Flask) -> None:
    result = run(app, "organisations")

    assert result.exit_code == 2
    assert "set-plan" in result.output
