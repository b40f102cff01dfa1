"""What all commands share: one line instead of a trace for what went wrong, and JSON on request."""

from typing import Any

import click
import orjson
from flask.cli import AppGroup
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from models import FeatureNotAllowed, KeyLimitReached, RuleBroken


class CommandGroup(AppGroup):
    """A group whose commands answer a refusal with one line on standard error and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; models' refusals and an absent database become click's errors."""
        try:
            return super().invoke(ctx)
        except (RuleBroken, KeyLimitReached, FeatureNotAllowed) as refusal:
            raise click.ClickException(str(refusal)) from None
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(f"The database did not do it: {reason}") from None


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output, and nothing else."""
    click.echo(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS).decode())


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
organisation_option = click.option("--organisation", "slug", required=True, metavar="SLUG", help="Whose it is.")
