"""The command that takes an organisation's activity log elsewhere."""

import codecs
import csv
import sys

import click
import orjson

from blueprints.command_line import CommandGroup
from blueprints.json_format import OPTIONS
from models import ActivityEvent, Organisation
from models.activity import CSV_COLUMNS

activity = CommandGroup("activity", help="Export the activity log.")


@activity.command("export")
@click.option("--organisation", "slug", metavar="SLUG", help="Whose it is.")
@click.option("--all", "is_everybodys", is_flag=True, help="The log of every organisation.")
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="What to write."
)
def export(slug: str | None, is_everybodys: bool, form: str) -> None:
    """Write an organisation's activity log, or that of all, to standard output, oldest first.

    csv is RFC 4180 with a header, jsonl one JSON object per line; both are UTF-8 whatever the locale.
    """
    if (slug is None) is not is_everybodys:
        raise click.UsageError("Missing option '--organisation' (or '--all', without the other).")
    events = ActivityEvent.export_all() if slug is None else ActivityEvent.export(Organisation.by_slug(slug))
    output = codecs.getwriter("utf-8")(sys.stdout.buffer)
    if form == "jsonl":
        for event in events:
            output.write(orjson.dumps(event.as_json(), option=OPTIONS).decode() + "\n")
        return
    rows = csv.writer(output)
    rows.writerow(CSV_COLUMNS)
    for event in events:
        rows.writerow(event.as_csv_row())
