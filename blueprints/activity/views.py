"""The activity log, for admins."""

import re

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.activity.entries import by_day
from blueprints.activity.forms import ActivityFilterForm
from blueprints.auth.decorators import admin_required, signed_in
from models import ActivityEvent
from models.activity_page import ActivityFilter, ActivityPage

blueprint = Blueprint("activity", __name__)

_EVENT_ID = re.compile(r"[0-9]{1,18}", re.ASCII)  # 18 digits fit the column on both engines


@blueprint.get("/activity")
@admin_required
def index() -> ResponseReturnValue:
    """One page of the log, newest first; wrong filters are said beside their fields."""
    form = ActivityFilterForm(request.args)
    if not form.validate():
        return render_template("activity/index.html", filters=form, days=[], has_filters=True), 422
    page = _page(form.wanted())
    return render_template(
        "activity/index.html",
        filters=form,
        days=by_day(page.events),
        has_filters=bool(request.args),
        newer_url=page.newer and url_for(".index", **form.as_query(), after=page.newer),
        older_url=page.older and url_for(".index", **form.as_query(), before=page.older),
    )


def _page(wanted: ActivityFilter) -> ActivityPage:
    if "after" in request.args:
        return ActivityPage.after(_event(request.args["after"]), wanted)
    if "before" in request.args:
        return ActivityPage.before(_event(request.args["before"]), wanted)
    return ActivityPage.newest(signed_in().organisation_id, wanted)


def _event(cursor: str) -> ActivityEvent:
    """The event that a page starts from; another organisation's is not found, as one that never was."""
    if not _EVENT_ID.fullmatch(cursor):
        abort(400)
    event = ActivityEvent.of(signed_in().organisation_id, int(cursor))
    return event if event is not None else abort(404)
