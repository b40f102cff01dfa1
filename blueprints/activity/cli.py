"""The command that takes an organisation's activity log elsewhere."""

import codecs
import csv
import sys

import click
import orjson

from blueprints.command_line import CommandGroup, organisation_option
from blueprints.json_format import OPTIONS
from models import ActivityEvent, Organisation
from models.activity import CSV_COLUMNS

activity = CommandGroup("activity", help="Export the activity log.")


@activity.command("export")
@organisation_option
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="What to write."
)
def export(slug: str, form: str) -> None:
    """Write an organisation's activity log to standard output, oldest first.

    csv is RFC 4180 with a header, jsonl one JSON object per line; both are UTF-8 whatever the locale.
    """
    events = ActivityEvent.export(Organisation.by_slug(slug))
    output = codecs.getwriter("utf-8")(sys.stdout.buffer)
    if form == "jsonl":
        for event in events:
            output.write(orjson.dumps(event.as_json(), option=OPTIONS).decode() + "\n")
        return
    rows = csv.writer(output)
    rows.writerow(CSV_COLUMNS)
    for event in events:
        rows.writerow(event.as_csv_row())
