"""Commands around a backup: making one, and making a restored database safe before it is served."""

import os
import shlex
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import click
import orjson
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url

from blueprints.command_line import Command
from models import Action, Actor, RuleBroken, User, transact, writing
from models.backup import BackupFailed, back_up
from models.catching_up import CatchUp, LoggedEvent, Verdict

BATCH = 100  # events that are done again in one transaction

Outcome = tuple[LoggedEvent, Verdict]


@click.command("backup", cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Copy the SQLite database into FILE, which must not exist, while the server goes on working.

    PostgreSQL has pg_dump for that: then nothing is copied, and the error says which call to run.
    """
    url = current_app.config["DATABASE_URL"]
    taken = click.ClickException(f"{file} exists already, and a backup overwrites nothing.")
    if os.path.lexists(file):
        raise taken
    if make_url(url).get_backend_name() == "postgresql":
        raise click.ClickException(f"Nothing was backed up. PostgreSQL does it itself: {pg_dump(url, file)}")
    try:
        size = back_up(file)
    except FileExistsError:
        raise taken from None
    except BackupFailed as failure:
        raise click.ClickException(str(failure)) from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"Backed up {size:,} bytes to {file}. Every page of the copy was checked.")


def pg_dump(database_url: str, file: Path) -> str:
    """The call that backs up this PostgreSQL database. Its password is not in it: see PostgreSQL's .pgpass."""
    url = make_url(database_url).set(drivername="postgresql")
    shown = url._replace(password=None).difference_update_query(["password"]).render_as_string(hide_password=False)
    return f"(umask 077 && pg_dump --format=custom --file={shlex.quote(str(file))} --dbname={shlex.quote(shown)})"


@click.command("after-restore", cls=Command)
@click.option(
    "--log",
    "logs",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What “activity export --format jsonl” wrote after the backup; more than one may be given.",
)
@click.option("--revoke-all-keys", is_flag=True, help="Revoke every API key: for when there is no such log.")
@with_appcontext
def after_restore(logs: tuple[Path, ...], revoke_all_keys: bool) -> None:
    """Make a restored database safe before it is served: what was closed since the backup is closed again.

    Revokes keys, shuts out users, replaces passwords, sets plans, archives and restores waitlists, and puts
    subscribers in line as the logs say; ends every session. Running it again does no harm.
    """
    if not (logs or revoke_all_keys):
        raise click.UsageError("Give --log FILE, or --revoke-all-keys where there is no log.")
    catch_up = CatchUp(Actor.system("after-restore"))
    with writing():
        User.end_every_session()
        for key in catch_up.by_revoking_all() if revoke_all_keys else ():
            click.echo(f"{Action.API_KEY_REVOKED} “{key.label}”, id {key.id}")
    unreadable = 0
    for log in logs:
        unreadable += _tell(list(_catch_up_with(log, catch_up)))
    click.echo("Everybody is signed out.")
    if unreadable:
        raise click.ClickException(f"{unreadable} events make no sense. All others were seen to.")


def _catch_up_with(log: Path, catch_up: CatchUp) -> Iterator[Outcome]:
    for batch in _batches(log):
        yield from transact(partial(_do_again, catch_up, batch))


def _do_again(catch_up: CatchUp, batch: list[LoggedEvent]) -> list[Outcome]:
    return list(catch_up.with_events(batch))


def _batches(log: Path) -> Iterator[list[LoggedEvent]]:
    with log.open("rb") as lines:
        events = (_event(line, f"{log}, line {number}") for number, line in enumerate(lines, 1))
        while batch := list(islice(events, BATCH)):
            yield batch


def _event(line: bytes, where: str) -> LoggedEvent:
    try:
        return LoggedEvent.of_json(orjson.loads(line))
    except ValueError:
        raise RuleBroken("log", f"{where}: this is no line of “activity export --format jsonl”.") from None


def _tell(outcomes: list[Outcome]) -> int:
    """Say what was done again and what was not; of subscribers, who may be many, only how many.

    Returns how many events make no sense.
    """
    counts: Counter[str] = Counter()
    for event, verdict in outcomes:
        if event.action == Action.SUBSCRIBER_CREATED and verdict is not Verdict.UNREADABLE:
            counts[verdict] += 1
            continue
        where = f" (event {event.id})" if verdict is Verdict.UNREADABLE else ""
        click.echo(f"{_shown(event.action)} “{_shown(event.target.label)}”{where}: {verdict}")
        if verdict is Verdict.DONE and event.action == Action.USER_PASSWORD_CHANGED:
            click.echo(f"  {_shown(event.target.label)} has no password now; give a new one by “users set-password”.")
    for said, count in sorted(counts.items()):
        click.echo(f"{Action.SUBSCRIBER_CREATED}: {count:,} {said}")
    return sum(verdict is Verdict.UNREADABLE for _, verdict in outcomes)


def _shown(text: str) -> str:
    """What a log says, without anything in it that would move a terminal's cursor or begin a line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
