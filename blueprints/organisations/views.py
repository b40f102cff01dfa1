"""The plan page: what the organisation has, and what each plan allows."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from blueprints import limits
from blueprints.auth.decorators import member_required, signed_in
from models import Feature, Plan

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/plan")
@member_required
def plan() -> ResponseReturnValue:
    """Every plan with what it allows, and how many keys are paused where the present one lapsed."""
    organisation = signed_in().organisation
    is_paused = not organisation.allows(Feature.API_KEYS)
    return render_template(
        "organisations/plan.html",
        organisation=organisation,
        plans=list(Plan),
        paused_keys=organisation.active_key_count() if is_paused else 0,
        key_limit=current_app.config["API_KEY_LIMIT"],
        rate_limits=limits.key_limits(),
    )
