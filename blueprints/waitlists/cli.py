"""Commands about waitlists, and the import of subscribers from a file."""

import sys
from itertools import islice
from pathlib import Path

import click

from blueprints.command_line import CommandGroup, json_option, organisation_option, print_json, print_table
from blueprints.waitlists.signup_file import Row, read_signups
from models import Actor, Entry, Organisation, RuleBroken, Signup, Subscriber, Waitlist, transact, writing
from models.waitlist import REFERRAL_SKIP_DEFAULT, REFERRAL_SKIP_MAX

BATCH = 500  # rows that are written in one transaction: other writers get their turn in between

waitlists = CommandGroup("waitlists", help="Create, list, archive and restore waitlists.")
subscribers = CommandGroup("subscribers", help="Import subscribers.")
waitlist_argument = click.argument("public_id", metavar="WL")


@waitlists.command("create")
@click.argument("name")
@organisation_option
@click.option(
    "--referral-skip",
    type=click.IntRange(1, REFERRAL_SKIP_MAX),
    default=REFERRAL_SKIP_DEFAULT,
    show_default=True,
    help="Places that one referral is worth.",
)
@click.option("--no-referrals", is_flag=True, help="Give out no referral codes, credit nobody.")
@json_option
def create(name: str, slug: str, referral_skip: int, no_referrals: bool, as_json: bool) -> None:
    """Create an empty waitlist and print its wl_… id."""
    actor = Actor.system("waitlists create")
    with writing():
        waitlist = Waitlist.create(
            Organisation.by_slug(slug), name, actor, referral_skip=referral_skip, has_referrals=not no_referrals
        )
    if as_json:
        print_json({"id": waitlist.public_id})
    else:
        click.echo(waitlist.public_id)


@waitlists.command("list")
@organisation_option
def list_(slug: str) -> None:
    """List an organisation's waitlists, archived ones last."""
    rows = [
        (
            waitlist.public_id,
            waitlist.name,
            f"{waitlist.subscribers_count:,}",
            "archived" if waitlist.is_archived else "open",
        )
        for waitlist in Waitlist.summaries(Organisation.by_slug(slug))
    ]
    print_table(("Id", "Name", "Subscribers", "State"), rows)


@waitlists.command("archive")
@waitlist_argument
def archive(public_id: str) -> None:
    """Close a waitlist to the customer API; its subscribers stay."""
    with writing():
        waitlist = Waitlist.by_public_id(public_id)
        is_changed = waitlist.archive(Actor.system("waitlists archive"))
    if is_changed:
        click.echo(f"Archived “{waitlist.name}”.")
    else:
        click.echo(f"“{waitlist.name}” was archived already. Nothing was changed.")


@waitlists.command("restore")
@waitlist_argument
def restore(public_id: str) -> None:
    """Open an archived waitlist again."""
    with writing():
        waitlist = Waitlist.by_public_id(public_id)
        is_changed = waitlist.restore(Actor.system("waitlists restore"))
    if is_changed:
        click.echo(f"Restored “{waitlist.name}”.")
    else:
        click.echo(f"“{waitlist.name}” was not archived. Nothing was changed.")


@subscribers.command("import")
@click.argument("path", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--waitlist", "public_id", required=True, metavar="WL", help="The line that they join.")
def import_(path: Path, public_id: str) -> None:
    """Put everybody in FILE.csv at the end of a waitlist's line, in the order of the file.

    The file has a header with the column “email” and, if somebody was referred, “referred_by” with a
    referral code of the waitlist; or it has no header and one address per line. Whoever is on the
    waitlist already stays as they are, so importing a file again is safe.
    """
    counts = {"created": 0, "already there": 0}
    bad: list[str] = []
    Waitlist.by_public_id(public_id)
    size, is_watched = path.stat().st_size, sys.stderr.isatty()
    progress_bar = click.progressbar(length=size, label="Importing", file=sys.stderr, hidden=not is_watched)
    with path.open("rb") as lines, progress_bar as bar:
        signups = read_signups(lines, bar.update)
        while batch := list(islice(signups, BATCH)):
            _import_batch(public_id, batch, counts, bad)
    click.echo(", ".join(f"{count:,} {what}" for what, count in (counts | {"bad": len(bad)}).items()))
    for line in bad:
        click.echo(line)


def _import_batch(public_id: str, batch: list[Row], counts: dict[str, int], bad: list[str]) -> None:
    """Join a batch in one transaction; what is wrong with a line does not keep the others out."""
    actor = Actor.system("subscribers import")
    outcomes: dict[str, Entry | RuleBroken | None] = {}
    signups: dict[str, Signup] = {}
    for row in batch:
        try:
            signups[row.where] = Signup(row.address(), row.referred_by)
        except RuleBroken as broken:
            outcomes[row.where] = broken

    def join() -> list[Entry | RuleBroken | None]:
        waitlist = Waitlist.by_public_id(public_id)
        waitlist.lock()  # nobody joins between the look at who is there and the rows that are added
        return Subscriber.join_each(waitlist, list(signups.values()), actor)

    outcomes |= zip(signups, transact(join), strict=True)
    for row in batch:
        outcome = outcomes[row.where]
        if isinstance(outcome, RuleBroken):
            bad.append(f"{row.where}: {outcome.message}")
        else:
            counts["already there" if outcome is None else "created"] += 1
