"""Schemathesis against the published description: every check of its own, with a key of each kind."""

from collections import Counter
from typing import NamedTuple

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import (
    NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES,
    POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES,
)
from schemathesis.engine import events, from_schema

from models import EmailAddress, Organisation, Plan, RuleBroken, Scope
from tests.factories import (
    BOTH,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_waitlist,
    revoke,
    set_plan,
)

SUBSCRIBERS = "/v1/api/waitlists/{waitlist_id}/subscribers"
KINDS = ("both", "read", "write", "stranger", "paused", "revoked", "malformed")


class Run(NamedTuple):
    """How many requests were checked, in each phase, and what was found."""

    cases: Counter[str]
    findings: list[str]


def is_address(text: str) -> bool:
    """Whether it is an address for the API: "email" says less than the RFCs that it goes by."""
    try:
        EmailAddress.parse(text)
    except RuleBroken:
        return False
    return True


schemathesis.openapi.format("email", st.emails().filter(is_address))


def run(address: str, kind: str, examples: int, seed: int) -> Run:
    """Send what the description allows, and what it does not, to the server at this address."""
    token, waitlist_id = prepare(kind)
    settings = {
        "headers": {"Authorization": f"Bearer {token}"},
        "parameters": {"path.waitlist_id": waitlist_id} if waitlist_id else {},
        "generation": {"max-examples": examples, "database": "none"},
        "seed": seed,
        "continue-on-failure": True,
        "operations": EXPECTED,
    }
    config = SchemathesisConfig.from_dict(settings)
    schema = schemathesis.openapi.from_url(f"{address}/v1/api/openapi.json", config=config)
    found = Run(Counter(), [])
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.findings.append(str(getattr(event, "value", None) or getattr(event, "exception", event)))
        if isinstance(event, events.ScenarioFinished):
            note(event, found)
    return found


def note(event: events.ScenarioFinished, found: Run) -> None:
    """Count what was sent, and keep what was wrong with the answers."""
    found.cases[event.phase.value] += len(event.recorder.cases)
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure, sample = check.failure_info.failure, check.failure_info.code_sample
                found.findings.append(f"{check.name}: {failure}\n{sample}")


def prepare(kind: str) -> tuple[str, str]:
    """A token of this kind, and a waitlist with people on it; a stranger's ids are left to chance."""
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    ada = make_subscriber(waitlist)
    make_subscriber(waitlist, referred_by=ada.referral_code)
    scopes = {"read": [Scope.SUBSCRIBERS_READ], "write": [Scope.SUBSCRIBERS_WRITE]}.get(kind, BOTH)
    key, token = make_api_key(organisation, scopes=scopes)
    if kind == "revoked":
        revoke(key)
    if kind == "paused":
        pause(organisation)
    return token[:-1] if kind == "malformed" else token, "" if kind == "stranger" else waitlist.public_id


def pause(organisation: Organisation) -> None:
    """Let the plan lapse."""
    set_plan(organisation, Plan.FREE)


def expecting(check: str, statuses: list[str]) -> dict[str, object]:
    """A check that takes these statuses for right."""
    return {"checks": {check: {"expected-statuses": statuses}}}


# What no schema can say: that an id or a code is nobody's, and that a batch with wrong rows is answered row by row.
NOBODYS = expecting("positive_data_acceptance", [*POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES, "422"])
ROW_BY_ROW = expecting("negative_data_rejection", [*NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES, "200"])
EXPECTED = [
    {"include-name": f"GET {SUBSCRIBERS}/export"} | NOBODYS,
    {"include-name": f"POST {SUBSCRIBERS}"} | NOBODYS,
    {"include-name": f"POST {SUBSCRIBERS}/batch"} | ROW_BY_ROW,
]
