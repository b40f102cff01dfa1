"""Waitlists in the console: everybody of the organisation reads, admins change."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.auth.decorators import admin_required, anyone, changing, current_actor, member_required, signed_in
from blueprints.waitlists.forms import WaitlistForm
from blueprints.waitlists.pages import LinePage, wanted_page, wanted_text
from models import Waitlist
from models.waitlist_stats import stats

blueprint = Blueprint("waitlists", __name__)


@blueprint.get("/")
@anyone
def start() -> ResponseReturnValue:
    """The console begins with the waitlists."""
    return redirect(url_for("waitlists.index"))


@blueprint.get("/waitlists")
@member_required
def index() -> ResponseReturnValue:
    """All waitlists of the organisation."""
    return render_template("waitlists/index.html", waitlists=Waitlist.summaries(signed_in().organisation))


@blueprint.get("/waitlists/new")
@admin_required
def new() -> ResponseReturnValue:
    """The form that creates a waitlist."""
    return render_template("waitlists/new.html", form=WaitlistForm())


@blueprint.post("/waitlists/new")
@admin_required
def create() -> ResponseReturnValue:
    """Create a waitlist and show it."""
    form = WaitlistForm()
    if not form.validate():
        return render_template("waitlists/new.html", form=form), 422
    with changing():
        waitlist = Waitlist.create(signed_in().organisation, actor=current_actor(), **_wishes(form))
    flash(f"Created “{waitlist.name}”.", "ok")
    return redirect(url_for("waitlists.show", waitlist_id=waitlist.public_id))


@blueprint.get("/waitlists/<waitlist_id>")
@member_required
def show(waitlist_id: str) -> ResponseReturnValue:
    """One waitlist with its subscribers in line order, searched and page by page."""
    waitlist, q = _waitlist(waitlist_id), wanted_text()
    return render_template(
        "waitlists/show.html",
        waitlist=waitlist,
        stats=stats(waitlist),
        page=LinePage.of(waitlist, wanted_page(), q),
        q=q,
        is_searching=bool(q),
    )


@blueprint.get("/waitlists/<waitlist_id>/settings")
@admin_required
def settings(waitlist_id: str) -> ResponseReturnValue:
    """The form that changes a waitlist, and the buttons that archive and restore it."""
    waitlist = _waitlist(waitlist_id)
    return render_template("waitlists/settings.html", waitlist=waitlist, form=WaitlistForm(obj=waitlist))


@blueprint.post("/waitlists/<waitlist_id>/settings")
@admin_required
def change_settings(waitlist_id: str) -> ResponseReturnValue:
    """Change name and referral settings."""
    form, waitlist = WaitlistForm(), _waitlist(waitlist_id)
    if not form.validate():
        return render_template("waitlists/settings.html", waitlist=waitlist, form=form), 422
    with changing():
        is_changed = waitlist.change_settings(actor=current_actor(), **_wishes(form))
    flash("Saved." if is_changed else "Nothing was changed.", "ok")
    return redirect(url_for("waitlists.show", waitlist_id=waitlist_id))


@blueprint.post("/waitlists/<waitlist_id>/archive")
@admin_required
def archive(waitlist_id: str) -> ResponseReturnValue:
    """Close a waitlist to the customer API."""
    waitlist = _waitlist(waitlist_id)
    with changing():
        waitlist.archive(current_actor())
    flash(f"Archived “{waitlist.name}”. The customer API now answers 404 for it.", "ok")
    return redirect(url_for("waitlists.show", waitlist_id=waitlist_id))


@blueprint.post("/waitlists/<waitlist_id>/restore")
@admin_required
def restore(waitlist_id: str) -> ResponseReturnValue:
    """Open a waitlist again."""
    waitlist = _waitlist(waitlist_id)
    with changing():
        waitlist.restore(current_actor())
    flash(f"Restored “{waitlist.name}”. The customer API answers for it again.", "ok")
    return redirect(url_for("waitlists.show", waitlist_id=waitlist_id))


def _waitlist(waitlist_id: str) -> Waitlist:
    """The organisation's own waitlist; 404 for an unknown one and for anybody else's alike."""
    return Waitlist.of(signed_in().organisation_id, waitlist_id, archived_too=True) or abort(404)


def _wishes(form: WaitlistForm) -> dict[str, Any]:
    return {name: form[name].data for name in ("name", "referral_skip", "has_referrals")}
