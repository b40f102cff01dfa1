"""Many subscribers in one call: whoever can join does, and every row is told what became of it."""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from flask import request

from blueprints.api import answers, schemas
from blueprints.api.answers import BatchOutcome, BatchResult
from blueprints.api.authentication import current_actor, hold_caller
from blueprints.api.body import BATCH_LIMIT_BYTES, read_json
from blueprints.api.contract import Answer, contract
from blueprints.api.decorators import feature_required, scope_required
from blueprints.api.problems import Problem
from blueprints.api.views import blueprint, own_waitlist
from models import Entry, Feature, RuleBroken, Scope, Signup, Subscriber, Waitlist, db, line, transact


@blueprint.post("/waitlists/<waitlist_id>/subscribers/batch")
@feature_required(Feature.API_KEYS)
@scope_required(Scope.SUBSCRIBERS_WRITE)
@contract({200: Answer("What became of each row", BatchOutcome)}, body=schemas.Batch)
def create_subscribers(waitlist_id: str) -> BatchOutcome:
    """Put many people in line, in the order sent and in one transaction."""
    waitlist = own_waitlist(waitlist_id)
    schemas.QueryString.from_query_string(request.query_string)
    db.session.close()  # a slow body must not keep a connection busy; what was read of the waitlist stays
    rows = schemas.Batch.parse(read_json(BATCH_LIMIT_BYTES)).subscribers
    signups = [Signup(row.email, row.referred_by) for row in rows if isinstance(row, schemas.Signup)]
    batch_id = f"batch_{secrets.token_hex(8)}"
    outcomes = _join(waitlist, signups, batch_id) if signups else []
    joined = _results(waitlist, signups, outcomes)
    results = [_wrong(row.extra["errors"]) if isinstance(row, Problem) else next(joined) for row in rows]
    counts = Counter(result["status"] for result in results)
    numbers = {status: counts[status] for status in ("created", "existing", "invalid")}
    return {"batch_id": batch_id, **numbers, "results": results}  # type: ignore[typeddict-item]


def _join(waitlist: Waitlist, signups: Sequence[Signup], batch_id: str) -> list[Entry | RuleBroken | None]:
    """Join everybody who can. Raises Problem where the key was revoked meanwhile: then nobody has joined."""
    actor = replace(current_actor(), details={"batch_id": batch_id})

    def join() -> list[Entry | RuleBroken | None]:
        hold_caller()
        db.session.add(waitlist)
        waitlist.lock()  # nobody joins between the look at who is there and the rows that are added
        return Subscriber.join_each(waitlist, signups, actor)

    return transact(join)


def _results(
    waitlist: Waitlist, signups: Sequence[Signup], outcomes: Sequence[Entry | RuleBroken | None]
) -> Iterator[BatchResult]:
    """What became of each signup; those who had joined before are looked up together."""
    pairs = list(zip(signups, outcomes, strict=True))
    there = line.find_all(waitlist, {signup.address.identity for signup, outcome in pairs if outcome is None})
    for signup, outcome in pairs:
        if isinstance(outcome, RuleBroken):
            yield _wrong([{"field": outcome.field, "message": outcome.message}])
        elif outcome is None:
            yield {"status": "existing", "subscriber": answers.subscriber(there[signup.address.identity])}
        else:
            yield {"status": "created", "subscriber": answers.subscriber(outcome)}


def _wrong(errors: list[answers.FieldError]) -> BatchResult:
    return {"status": "invalid", "errors": errors}
