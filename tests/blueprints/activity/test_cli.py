"""The activity log on standard output."""

import csv
import io
import json

import pytest
from flask import Flask

from models.activity import CSV_COLUMNS
from tests.api_client import ApiClient, subscribers_path
from tests.commands import refusal, run, succeed
from tests.factories import events, make_api_key, make_organisation, make_subscriber, make_waitlist


def export(app: Flask, form: str) -> str:
    """The log of Fernhill."""
    return run(app, "activity", "export", "--organisation", "fernhill", "--format", form).stdout


def test_jsonl_has_one_event_a_line_oldest_first(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    waitlist = make_waitlist(organisation, "Línea")
    key, token = make_api_key(organisation, name="crm-sync")
    ApiClient(app, token).post(subscribers_path(waitlist), {"email": "Ada@example.org"})

    lines = [json.loads(line) for line in export(app, "jsonl").splitlines()]

    assert lines == [event.as_json() for event in events()]
    assert [line["action"] for line in lines] == [
        "organisation.created",
        "waitlist.created",
        "api_key.created",
        "subscriber.created",
    ]
    assert lines[1]["target"]["label"] == "Línea"
    assert lines[3]["actor"] == {"type": "api_key", "id": str(key.id), "name": "crm-sync", "prefix": key.prefix}
    assert token not in export(app, "jsonl")


def test_csv_is_the_default_and_has_a_header_and_the_same_events(app: Flask) -> None:
    make_waitlist(make_organisation("Fernhill"), 'Line "A", first')

    printed = run(app, "activity", "export", "--organisation", "fernhill").stdout

    assert printed == export(app, "csv")
    header, *rows = csv.reader(io.StringIO(printed, newline=""))
    assert header == list(CSV_COLUMNS)
    assert rows == [event.as_csv_row() for event in events()]
    assert rows[1][CSV_COLUMNS.index("target_label")] == 'Line "A", first'


def test_an_export_has_the_events_of_one_organisation_only(app: Flask) -> None:
    make_organisation("Fernhill")
    make_waitlist(make_organisation("Elsewhere"), "Not theirs")

    assert "Not theirs" not in export(app, "csv") + export(app, "jsonl")
    assert len(export(app, "jsonl").splitlines()) == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_of_all_has_the_events_of_every_organisation(app: Flask, form: str) -> None:
    organisation = make_organisation("Fernhill")
    make_waitlist(make_organisation("Elsewhere"))
    make_waitlist(organisation)

    exported = run(app, "activity", "export", "--all", "--format", form).stdout.splitlines()

    if form == "jsonl":
        assert [json.loads(line) for line in exported] == [event.as_json() for event in events()]
    else:
        assert list(csv.reader(exported))[1:] == [event.as_csv_row() for event in events()]
    assert len(events()) == 4


def test_an_export_is_read_only(app: Flask) -> None:
    make_subscriber(make_waitlist(make_organisation("Fernhill")))
    before = len(events())

    export(app, "csv")

    assert len(events()) == before


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--organisation", "nowhere"], 1, "There is no organisation “nowhere”."),
        (["--organisation", "fernhill", "--format", "xml"], 2, "'xml' is not one of 'csv', 'jsonl'"),
        ([], 2, "Missing option '--organisation' (or '--all', without the other)."),
        (["--organisation", "fernhill", "--all"], 2, "without the other"),
    ],
)
def test_a_bad_export_is_refused(app: Flask, arguments: list[str], status: int, words: str) -> None:
    make_organisation("Fernhill")

    assert words in refusal(app, "activity", "export", *arguments, status=status)

    assert succeed(app, "activity", "export", "--organisation", "fernhill").startswith("id,at,action")
