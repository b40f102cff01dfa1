"""The activity log, for admins."""

import re

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.activity.entries import by_day
from blueprints.activity.forms import ActivityFilterForm
from blueprints.auth.decorators import admin_required, signed_in
from models.activity_page import ID_MAX, ActivityFilter, ActivityPage

blueprint = Blueprint("activity", __name__)

_CURSOR = re.compile(r"[0-9]{1,19}", re.ASCII)


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
    organisation_id = signed_in().organisation_id
    if "after" in request.args:
        return ActivityPage.after(organisation_id, wanted, _cursor("after"))
    if "before" in request.args:
        return ActivityPage.before(organisation_id, wanted, _cursor("before"))
    return ActivityPage.newest(organisation_id, wanted)


def _cursor(name: str) -> int:
    """The event id that a link gave; anything else is answered with 400."""
    text = request.args[name]
    if not _CURSOR.fullmatch(text) or int(text) > ID_MAX:
        abort(400)
    return int(text)
