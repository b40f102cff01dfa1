"""The export: a whole waitlist as one stream, of which a worker holds no more than a batch."""

import csv
import io
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

import orjson
from flask import Flask, Response, current_app, g, request

from blueprints import web
from blueprints.api import answers
from blueprints.api.contract import Answer, contract
from blueprints.api.decorators import feature_required, scope_required
from blueprints.api.problems import Problem
from blueprints.api.schemas import UNKNOWN_SUBSCRIBER, ExportQuery
from blueprints.api.streams import count_stream
from blueprints.api.views import blueprint, own_waitlist
from blueprints.json_format import OPTIONS
from blueprints.words import utc
from models import Feature, Scope, SubscriberExport, Waitlist, db
from models.spreadsheet import safe_cell
from models.subscriber_export import ExportedSubscriber

MEDIA_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8; header=present"}
TOTAL_HEADER = "X-Total-Count"

log = logging.getLogger("queuekey.errors")


@blueprint.get("/waitlists/<waitlist_id>/subscribers/export")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_READ)
@contract(
    {
        200: Answer(
            "The file, of which each line or row is a subscriber",
            answers.ExportedSubscriber,
            headers=(TOTAL_HEADER, "Content-Disposition"),
            media_types=tuple(MEDIA_TYPES.values()),
        )
    },
    query=ExportQuery,
)
def export_subscribers(waitlist_id: str) -> Response:
    """Everybody on a waitlist, once, in the order in which they joined."""
    waitlist = own_waitlist(waitlist_id)
    query = ExportQuery.from_query_string(request.query_string)
    db.session.close()  # batches are read on connections of their own, and there is one for each thread
    export = SubscriberExport.of(waitlist, query.after)
    if export is None:
        raise Problem.of_field("after", UNKNOWN_SUBSCRIBER)
    response = Response(_stream(export, query.format), headers=_headers(waitlist, export, query.format))
    count_stream(response, g.caller.organisation_id)
    return response


def _headers(waitlist: Waitlist, export: SubscriberExport, form: str) -> dict[str, str]:
    """What a client needs to keep the file, and to know at its end whether it got all of it."""
    return {
        "Content-Type": MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="{waitlist.public_id}.{form}"',
        TOTAL_HEADER: str(export.total),
    }


def _stream(export: SubscriberExport, form: str) -> Iterator[bytes]:
    """The file, a batch at a time. The first batch is read at once: what fails there is still a problem document."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    batches = export.batches()
    first = next(batches, [])
    rest = _unless_broken_off(app, batches, g.request_id)
    write = _as_csv if form == "csv" else _as_jsonl
    return write(chain([first], rest))


def _unless_broken_off(
    app: Flask, batches: Iterator[list[ExportedSubscriber]], request_id: str
) -> Iterator[list[ExportedSubscriber]]:
    """The batches, until there are no more or the database is away: the client counts, and goes on with `after`."""
    while True:
        try:
            with app.app_context():
                batch = next(batches, None)
        except web.DATABASE_AWAY as error:
            log.warning("%s in an export, request %s: it breaks off", type(error).__name__, request_id)
            return
        if batch is None:
            return
        yield batch


def _as_jsonl(batches: Iterable[list[ExportedSubscriber]]) -> Iterator[bytes]:
    """One JSON object a line."""
    options = OPTIONS | orjson.OPT_APPEND_NEWLINE
    for batch in batches:
        yield b"".join(orjson.dumps(answers.exported(subscriber), option=options) for subscriber in batch)


def _as_csv(batches: Iterable[list[ExportedSubscriber]]) -> Iterator[bytes]:
    """RFC 4180, with a header; no cell of it is a formula."""
    yield _csv_lines([ExportedSubscriber._fields])
    for batch in batches:
        yield _csv_lines([_cell(value) for value in subscriber] for subscriber in batch)


def _csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue().encode()


def _cell(value: object) -> str:
    return utc(value) if isinstance(value, datetime) else safe_cell(str(value))
