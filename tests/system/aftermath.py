"""What is left when a crowd has gone: everybody who was promised a place, nobody else, and a line without gaps."""

from collections import Counter
from pathlib import Path

from models import Scope, Waitlist, line_check
from tests.factories import events, in_context, make_api_key
from tests.history import Model, wrong_answers
from tests.overlap import in_line
from tests.system.crowd import Crowd, Tenant
from tests.system.server import Server

PAGE = 200


def faults(server: Server, crowd: Crowd, folder: Path) -> list[str]:
    """Everything that was wrong with what a crowd was told or left; then its history is kept in the folder."""
    told = wrong_answers(crowd.history)
    for tenant in crowd.tenants:
        told += _left_behind(server, crowd, tenant)
    if told:
        file = folder / f"history-{crowd.seed}.jsonl"
        crowd.history.save(file, crowd.seed)
        told.append(f"seed {crowd.seed}, history in {file}")
    return told


def statuses(crowd: Crowd) -> Counter[int]:
    """How often each status was the answer."""
    return Counter(call.status for call in crowd.history.calls)


def _left_behind(server: Server, crowd: Crowd, tenant: Tenant) -> list[str]:
    promised, there = set(Model(crowd.history).joined[tenant.organisation.id]), in_line(tenant.waitlist)
    told = [f"lost: {email}" for email in promised - there] + [f"unknown: {email}" for email in there - promised]
    joined = [event for event in events("subscriber.created") if event.organisation_id == tenant.organisation.id]
    if sorted(event.target_label for event in joined) != sorted(there):
        told.append("events and line differ")
    pages = _walked(server, tenant)
    if sorted(pages) != sorted(there):
        told.append(f"{len(pages)} people on the pages, {len(there)} in line")
    return told + [f"the line's index differs from its rows: {number}" for number in _differences(tenant.waitlist)]


def _walked(server: Server, tenant: Tenant) -> list[str]:
    """Everybody in line, page by page."""
    _, token = make_api_key(tenant.organisation, scopes=[Scope.SUBSCRIBERS_READ])
    emails: list[str] = []
    while True:
        page = len(emails) // PAGE + 1
        reply = server.send("GET", f"{tenant.path}?page={page}&limit={PAGE}", token).json()
        items: list[dict[str, str]] = reply["items"]  # type: ignore[assignment]
        emails += [item["email"] for item in items]
        if len(items) < PAGE:
            return emails


@in_context
def _differences(waitlist: Waitlist) -> list[str]:
    return [str(difference) for difference in line_check.differences(waitlist)]
