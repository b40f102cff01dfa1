"""What all commands share: one line instead of a trace for what went wrong, and JSON on request."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import orjson
from click.exceptions import NoArgsIsHelpError
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from blueprints.json_format import OPTIONS
from models import FeatureNotAllowed, KeyLimitReached, RuleBroken, TryAgain, WaitlistArchived

PASSWORD_BYTES_MAX = 8192


@contextmanager
def one_line() -> Iterator[None]:
    """Turn whatever refuses a command into one line: status 2 for its arguments, 1 for the rest."""
    try:
        yield
    except NoArgsIsHelpError:  # no subcommand: the help is the answer
        raise
    except click.UsageError as error:
        raise click.UsageError(_folded(error.format_message())) from None
    except (RuleBroken, KeyLimitReached, FeatureNotAllowed, WaitlistArchived) as refusal:
        raise click.ClickException(_folded(str(refusal))) from None
    except UnicodeEncodeError:
        raise click.UsageError("An argument is not valid UTF-8.") from None
    except IntegrityError:
        raise click.ClickException("Something else made the same at this moment. Nothing was changed.") from None
    except (PoolTimeout, TryAgain):
        raise click.ClickException("The database is busy. Nothing was changed; try again in a moment.") from None
    except DBAPIError as error:
        raise click.ClickException(f"The database did not do it: {_first_line(error.orig)}") from None


class Command(click.Command):
    """A command that answers a refusal with one line on standard error."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments."""
        with one_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with one_line():
            return super().invoke(ctx)


class CommandGroup(AppGroup):
    """Commands of one noun, each of which answers a refusal with one line on standard error."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        """Find the subcommand and run it."""
        with one_line():
            return super().invoke(ctx)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output, and nothing else."""
    click.echo(orjson.dumps(value, option=OPTIONS).decode())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their headings, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def read_password(context: click.Context, option: click.Parameter, is_asked_for: bool) -> str:
    """The password on standard input, without the line break at its end: an option's callback.

    Passwords are never arguments, which every user of the machine can see.
    """
    if not is_asked_for:
        raise click.MissingParameter(ctx=context, param=option)
    sent = sys.stdin.buffer.read(PASSWORD_BYTES_MAX + 1)
    try:
        password = sent.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException("The password on standard input is not UTF-8.") from None
    if "\n" in password:
        raise click.ClickException("Send one password on one line of standard input.")
    return password


def _folded(message: str) -> str:
    return " ".join(message.split())


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
organisation_option = click.option("--organisation", "slug", required=True, metavar="SLUG", help="Whose it is.")
password_option = click.option(
    "--password-stdin",
    "password",
    is_flag=True,
    callback=read_password,
    help="Read the password from standard input.  [required]",
)
