"""The curl call that a new key can be tried with."""

from blueprints import web
from models import ApiKey, Organisation, Scope, Waitlist

NO_WAITLIST_YET = "wl_…"


def curl(key: ApiKey, organisation: Organisation) -> str:
    """A first call for what the key may do, on one of the organisation's waitlists; without the token."""
    open_ones = (waitlist.public_id for waitlist in Waitlist.summaries(organisation) if not waitlist.is_archived)
    waitlist_id = next(open_ones, NO_WAITLIST_YET)
    address = f"{web.public_url()}{web.API_ROOT}/waitlists/{waitlist_id}/subscribers"
    options = ['-H "Authorization: Bearer $QUEUEKEY_TOKEN"']
    if Scope.SUBSCRIBERS_READ not in key.scopes:
        options += ['-H "Content-Type: application/json"', """-d '{"email": "ada@example.org"}'"""]
    return " \\\n  ".join([f"curl {options[0]}", *options[1:], address])
