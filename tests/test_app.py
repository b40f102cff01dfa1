"""The application as a whole: its commands, the hosts it answers at, and whom it believes the client is."""

import pytest
from flask import Flask

from app import create_app
from models import db
from tests.api_client import ApiClient, subscribers_path
from tests.factories import events, make_api_key, make_organisation, make_waitlist, using

COMMANDS = {
    "activity": {"export"},
    "api-keys": {"create", "list", "revoke"},
    "bootstrap": set(),
    "organisations": {"create", "list", "set-plan"},
    "serve": set(),
    "subscribers": {"import"},
    "users": {"create", "deactivate", "list", "set-password"},
    "waitlists": {"archive", "create", "list", "restore"},
}
SECRET = "s" * 32


def test_every_command_is_there_and_says_what_it_does(app: Flask) -> None:
    found = {name: set(getattr(command, "commands", ())) for name, command in app.cli.commands.items()}

    assert {name: found[name] for name in COMMANDS} == COMMANDS
    for name, subcommands in COMMANDS.items():
        for arguments in [[name], *([name, subcommand] for subcommand in subcommands)]:
            help_ = app.test_cli_runner().invoke(args=[*arguments, "--help"])
            assert help_.exit_code == 0
            assert len(help_.stdout.splitlines()[2].strip()) > 10, arguments


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:65535", "[::1]", "[::1]:5000"])
def test_without_a_public_address_this_machine_is_answered_on_any_port(app: Flask, host: str) -> None:
    assert app.test_client().get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:5000", "127.0.0.2", "[::2]", "[", "", "a b", "::1"]
)
def test_a_foreign_host_is_refused_and_not_repeated(app: Flask, host: str) -> None:
    client = app.test_client()

    response = client.get("/login", headers={"Host": host})

    assert response.status_code == 400
    assert "evil" not in response.text + str(response.headers)
    assert client.get("/login", headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize(
    ("public_url", "host"),
    [("https://queuekey.example", "queuekey.example"), ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080")],
)
def test_the_public_host_is_answered_too(app: Flask, public_url: str, host: str) -> None:
    other = {"DATABASE_URL": app.config["DATABASE_URL"], "SECRET_KEY": SECRET}
    public, private = create_app(other | {"PUBLIC_URL": public_url}), create_app(other)

    assert public.test_client().get("/login", headers={"Host": host}).status_code == 200
    assert public.test_client().get("/login", headers={"Host": "localhost"}).status_code == 200
    assert private.test_client().get("/login", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ("0", "203.0.113.7", "127.0.0.1"),
        ("1", "198.51.100.9, 203.0.113.7", "203.0.113.7"),
        ("2", "6.6.6.6, 198.51.100.9, 203.0.113.7", "198.51.100.9"),
        ("2", "203.0.113.7", "127.0.0.1"),
        ("1", "", "127.0.0.1"),
        ("1", "<script>", None),
        ("1", "a" * 100, None),
    ],
)
def test_the_log_names_the_address_that_the_trusted_proxies_saw(
    app: Flask, proxies: str, forwarded: str, address: str | None
) -> None:
    settings = {"DATABASE_URL": app.config["DATABASE_URL"], "SECRET_KEY": SECRET, "TRUSTED_PROXIES": proxies}
    behind = create_app(settings)
    with using(behind):
        organisation = make_organisation()
        _, token = make_api_key(organisation)
        path = subscribers_path(make_waitlist(organisation))

    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = ApiClient(behind, token).post(path, {"email": "ada@example.org"}, headers=headers)

    with behind.app_context():
        db.engine.dispose()
    assert response.status_code == 201
    (event,) = events("subscriber.created")
    assert event.ip == address


def test_importing_the_application_reads_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "none")

    with pytest.raises(SystemExit, match="PORT: must be a whole number from 1 to 65535"):
        create_app()
