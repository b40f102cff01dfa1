"""What all commands share: one line for whatever goes wrong, tables, passwords from standard input."""

import sqlite3

import click
import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from blueprints.command_line import Command, CommandGroup, print_table
from models import KeyLimitReached, RuleBroken, TryAgain, WaitlistArchived
from tests.commands import run

DOWN = psycopg.OperationalError("connection failed:\n\tis it running?")
REFUSALS = [
    (RuleBroken("name", "Give it\n a name."), 1, "Give it a name."),
    (KeyLimitReached("There are enough."), 1, "There are enough."),
    (WaitlistArchived("wl_1"), 1, "The waitlist wl_1 is archived. Restore it first."),
    (TryAgain(), 1, "The database is busy. Nothing was changed; try again in a moment."),
    (PoolTimeout(), 1, "The database is busy. Nothing was changed; try again in a moment."),
    (OperationalError("SELECT 'secret'", {}, DOWN), 1, "The database did not do it: connection failed:"),
    (OperationalError("", {}, sqlite3.OperationalError("")), 1, "The database did not do it: OperationalError"),
    (IntegrityError("INSERT", {}, Exception()), 1, "Something else made the same at this moment. Nothing was changed."),
    (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates"), 2, "An argument is not valid UTF-8."),
    (click.UsageError("Choose one of:\n\tthis,\n\tthat"), 2, "Choose one of: this, that"),
]


def fail(failure: Exception, command: type[click.Command] = Command) -> Result:
    """Run a command that fails in this way."""

    @click.command("fail", cls=command)
    def failing() -> None:
        raise failure

    return CliRunner().invoke(failing)


@pytest.mark.parametrize(("failure", "status", "words"), REFUSALS)
def test_a_refusal_is_one_line_on_standard_error(failure: Exception, status: int, words: str) -> None:
    result = fail(failure)

    assert (result.exit_code, result.stdout, result.stderr) == (status, "", f"Error: {words}\n")


@pytest.mark.parametrize(("failure", "status", "words"), REFUSALS)
def test_a_groups_commands_refuse_alike(failure: Exception, status: int, words: str) -> None:
    group = CommandGroup("group")

    @group.command("fail", with_appcontext=False)
    def failing() -> None:
        raise failure

    result = CliRunner().invoke(group, ["fail"])

    assert (result.exit_code, result.stdout, result.stderr) == (status, "", f"Error: {words}\n")


def test_a_fault_of_ours_is_not_hidden() -> None:
    assert isinstance(fail(KeyError("ours")).exception, KeyError)


def test_wrong_arguments_of_a_single_command_are_one_line(app: Flask) -> None:
    result = run(app, "bootstrap", "--yaml")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_a_table_is_as_wide_as_its_widest_cells(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Role"), [("Ada", "admin"), ("Barbara", "")])

    assert capsys.readouterr().out == "Name     Role\nAda      admin\nBarbara\n"


def test_a_table_without_rows_is_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Role"), [])

    assert capsys.readouterr().out == "Name  Role\n"
