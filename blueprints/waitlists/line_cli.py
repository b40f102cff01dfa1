"""The command that compares the line's index with its rows."""

import sys

import click
from sqlalchemy import select

from blueprints.command_line import CommandGroup
from models import Waitlist, db, line_check

line = CommandGroup("line", help="Look after the index that finds places in line.")


@line.command("check")
@click.option("--repair", is_flag=True, help="Count anew what is wrong, one waitlist after the other.")
def check(repair: bool) -> None:
    """Compare counters and index with the rows, waitlist by waitlist.

    Exit status 1 if something is wrong and was not repaired. Nobody has to stop working meanwhile.
    """
    wrong = 0
    waitlists = list(db.session.scalars(select(Waitlist).order_by(Waitlist.id)))
    with click.progressbar(waitlists, label="Checking", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for waitlist in bar:
            found = line_check.repair(waitlist) if repair else line_check.differences(waitlist)
            for difference in found:
                wrong += 1
                click.echo(f"{waitlist.public_id}: {difference.what} is {difference.stored}, not {difference.counted}")
    verdict = "nothing is wrong" if not wrong else f"{wrong:,} {'repaired' if repair else 'wrong'}"
    click.echo(f"{len(waitlists):,} waitlists checked, {verdict}.")
    if wrong and not repair:
        raise SystemExit(1)
