"""Users from the command line."""

import pytest
from flask import Flask

from models import User
from tests.commands import refusal, succeed
from tests.console import sign_in
from tests.factories import PASSWORD, all_rows, count, events, make_organisation, make_user

SECOND = "a second good password"
CREATE = ["users", "create", "Ada@example.org", "--organisation", "fernhill", "--role", "admin", "--password-stdin"]


def test_a_created_user_signs_in_with_the_password_from_standard_input(app: Flask) -> None:
    make_organisation("Fernhill")

    said = succeed(app, *CREATE, "--name", "Ada Lovelace", stdin=f"{SECOND}\n")

    assert said == "Created Ada@example.org, admin of Fernhill."
    (user,) = all_rows(User)
    assert (user.name, user.is_admin) == ("Ada Lovelace", True)
    assert sign_in(app, user, SECOND).get("/waitlists").status_code == 200
    (event,) = events("user.created")
    assert (event.actor_type, event.details["command"]) == ("system", "users create")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_line_break_after_a_password_is_no_part_of_it(app: Flask, ending: str) -> None:
    make_organisation("Fernhill")

    succeed(app, *CREATE, stdin=f" {SECOND} {ending}")

    assert sign_in(app, all_rows(User)[0], f" {SECOND} ").get("/waitlists").status_code == 200


@pytest.mark.parametrize(
    ("changes", "stdin", "status", "words"),
    [
        ({"fernhill": "nowhere"}, PASSWORD, 1, "There is no organisation “nowhere”."),
        ({"Ada@example.org": "ada"}, PASSWORD, 1, "@"),
        ({"admin": "owner"}, PASSWORD, 2, "'owner' is not one of 'admin', 'member'"),
        ({"--password-stdin": "--name="}, PASSWORD, 2, "Missing option '--password-stdin'"),
        ({}, "short", 1, "10 characters or more"),
        ({}, "", 1, "10 characters or more"),
        ({}, f"{PASSWORD}\n{PASSWORD}\n", 1, "one line"),
        ({}, PASSWORD.encode() + b"\xff", 1, "not UTF-8"),
        ({}, "x" * 9000, 1, "characters"),
    ],
)
def test_a_bad_user_is_refused_and_leaves_nothing(
    app: Flask, changes: dict[str, str], stdin: str | bytes, status: int, words: str
) -> None:
    make_organisation("Fernhill")

    said = refusal(app, *(changes.get(argument, argument) for argument in CREATE), status=status, stdin=stdin)

    assert words in said
    assert count(User) == 0
    assert events("user.created") == []
    succeed(app, *CREATE, stdin=PASSWORD)


def test_an_address_signs_in_to_one_account_only(app: Flask) -> None:
    make_user(make_organisation("Fernhill"), "ada@example.org")

    assert refusal(app, *CREATE, stdin=PASSWORD) == "Somebody already signs in with this address."
    assert count(User) == len(events("user.created")) == 1


def test_listing_users_names_everybody_of_the_organisation_and_nobody_else(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    make_user(organisation, "ada@example.org", name="Ada")
    make_user(organisation, "grace@example.org", name="Grace")
    make_user(make_organisation("Elsewhere"), "eve@example.org")
    succeed(app, "users", "deactivate", "grace@example.org")

    lines = succeed(app, "users", "list", "--organisation", "fernhill").splitlines()
    _, grace, _ = all_rows(User)

    assert [line.split() for line in lines] == [
        ["E-mail", "Name", "Role", "Deactivated"],
        ["ada@example.org", "Ada", "admin"],
        ["grace@example.org", "Grace", "admin", *f"{grace.deactivated_at:%Y-%m-%d %H:%M}".split()],
    ]


def test_a_deactivated_user_is_shut_out_of_an_open_session(app: Flask) -> None:
    user = make_user(email="ada@example.org")
    browser = sign_in(app, user)
    assert browser.get("/waitlists").status_code == 200

    assert succeed(app, "users", "deactivate", "ADA@example.org") == "Deactivated ADA@example.org."

    assert browser.get("/waitlists").status_code == 302
    again = succeed(app, "users", "deactivate", "ada@example.org")
    assert again == "ada@example.org was deactivated already. Nothing was changed."
    assert len(events("user.deactivated")) == 1


def test_a_new_password_ends_sessions_and_replaces_the_old_one(app: Flask) -> None:
    user = make_user(email="ada@example.org")
    browser = sign_in(app, user)

    succeed(app, "users", "set-password", "ada@example.org", "--password-stdin", stdin=f"{SECOND}\n")

    assert browser.get("/waitlists").status_code == 302
    assert sign_in(app, user, SECOND).get("/waitlists").status_code == 200
    (event,) = events("user.password_changed")
    assert (event.actor_type, event.details) == ("system", {"command": "users set-password"})


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["deactivate", "eve@example.org"], 1, "Nobody signs in with “eve@example.org”."),
        (["set-password", "eve@example.org", "--password-stdin"], 1, "Nobody signs in"),
        (["set-password", "ada@example.org"], 2, "Missing option '--password-stdin'"),
        (["list", "--organisation", "nowhere"], 1, "There is no organisation"),
        (["list"], 2, "Missing option '--organisation'"),
    ],
)
def test_a_bad_command_about_users_changes_nothing(app: Flask, arguments: list[str], status: int, words: str) -> None:
    make_user(email="ada@example.org")

    assert words in refusal(app, "users", *arguments, status=status, stdin=SECOND)

    assert events("user.deactivated") == events("user.password_changed") == []
    succeed(app, "users", "set-password", "ada@example.org", "--password-stdin", stdin=SECOND)
    assert succeed(app, "users", "deactivate", "ada@example.org") == "Deactivated ada@example.org."


def test_no_password_reaches_the_output_or_the_log(app: Flask) -> None:
    make_organisation("Fernhill")

    said = succeed(app, *CREATE, stdin=SECOND)

    assert SECOND not in said
    assert all(SECOND not in str(event.as_json()) for event in events())
