"""Changes and events, joined both ways: what was changed without an event, and events without their change."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from models import Action, ActivityEvent, ApiKey, Organisation, Subscriber, User, Waitlist, db
from tests.factories import in_context

Happened = Counter[tuple[str, str, int]]  # an action, its target and its organisation


@in_context
def differences() -> list[str]:
    """What has no counterpart; nothing where every change has its one event and every event its change."""
    recorded = _recorded()
    replanned = {organisation_id for action, _, organisation_id in recorded if action == Action.PLAN_CHANGED}
    changed = Counter(what for what in _changes() if what[0] != Action.PLAN_CHANGED or what[2] in replanned)
    return [f"{what} × {times}, no event" for what, times in (changed - recorded).items()] + [
        f"event {what} × {times}, no change" for what, times in (recorded - changed).items()
    ]


def _changes() -> Iterator[tuple[str, str, int]]:
    """What must have happened for the rows to be as they are."""
    for id_, slug, plan in db.session.execute(select(Organisation.id, Organisation.slug, Organisation.plan)):
        yield Action.ORGANISATION_CREATED, slug, id_
        yield Action.PLAN_CHANGED, plan.value, id_
    for user_id, organisation_id, gone in db.session.execute(
        select(User.id, User.organisation_id, User.deactivated_at)
    ):
        yield Action.USER_CREATED, str(user_id), organisation_id
        if gone:
            yield Action.USER_DEACTIVATED, str(user_id), organisation_id
    for id_, organisation_id, gone in db.session.execute(select(ApiKey.id, ApiKey.organisation_id, ApiKey.revoked_at)):
        yield Action.API_KEY_CREATED, str(id_), organisation_id
        if gone:
            yield Action.API_KEY_REVOKED, str(id_), organisation_id
    waitlists = select(Waitlist.public_id, Waitlist.organisation_id, Waitlist.archived_at)
    for public_id, organisation_id, gone in db.session.execute(waitlists):
        yield Action.WAITLIST_CREATED, public_id, organisation_id
        if gone:
            yield Action.WAITLIST_ARCHIVED, public_id, organisation_id
    joined = select(Subscriber.id, Waitlist.organisation_id).join(Waitlist, Waitlist.id == Subscriber.waitlist_id)
    for id_, organisation_id in db.session.execute(joined):
        yield Action.SUBSCRIBER_CREATED, str(id_), organisation_id


def _recorded() -> Happened:
    """What the events say, brought to the same form: of plans the last one, archived only what was not restored."""
    columns = (ActivityEvent.action, ActivityEvent.target_id, ActivityEvent.organisation_id, ActivityEvent.details)
    told: Happened = Counter()
    plans: dict[int, str] = {}
    for action, target_id, organisation_id, details in db.session.execute(select(*columns).order_by(ActivityEvent.id)):
        if action == Action.PLAN_CHANGED:
            plans[organisation_id] = details["to"]
        elif action == Action.WAITLIST_RESTORED:
            told[Action.WAITLIST_ARCHIVED, target_id, organisation_id] -= 1
        elif action not in {Action.WAITLIST_UPDATED, Action.USER_PASSWORD_CHANGED}:
            told[action, target_id, organisation_id] += 1
    return told + Counter((Action.PLAN_CHANGED.value, plan, id_) for id_, plan in plans.items())
