"""What a restored database does again of what the log of the lost one says."""

from collections.abc import Callable
from typing import Any

import pytest

from models import ApiKey, Organisation, Plan, Subscriber, User, Waitlist, db, writing
from models.catching_up import CatchUp, LoggedEvent, Verdict
from models.user import EPOCH_LEAP
from tests import factories
from tests.factories import (
    ACTOR,
    PASSWORD,
    all_rows,
    count,
    events,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_user,
    make_waitlist,
)

pytestmark = pytest.mark.usefixtures("context")


def lost(action: str, id_: int | str, label: str = "", event_id: int = 10_000, **details: Any) -> LoggedEvent:
    """An event that the database does not know."""
    target = {"type": action.partition(".")[0], "id": str(id_), "label": label}
    return LoggedEvent.of_json({"id": str(event_id), "action": action, "target": target, "details": details})


def do_again(*given: LoggedEvent) -> list[bool]:
    with writing():
        return [verdict is Verdict.DONE for _, verdict in CatchUp(ACTOR).with_events(given)]


def test_a_key_revoked_since_is_revoked_again_and_no_other_one() -> None:
    organisation = make_organisation()
    revoked, _ = make_api_key(organisation)
    live, _ = make_api_key(organisation)

    assert do_again(lost("api_key.revoked", revoked.id, prefix=revoked.prefix)) == [True]

    here = {key.id: key.revoked_at for key in all_rows(ApiKey)}
    assert here[revoked.id] is not None
    assert here[live.id] is None
    (event,) = events("api_key.revoked")
    assert (event.target_id, event.details["prefix"]) == (str(revoked.id), revoked.prefix)


def test_a_key_that_has_the_id_of_a_lost_one_is_left_alone() -> None:
    key, _ = make_api_key()

    assert do_again(lost("api_key.revoked", key.id, prefix="qu_live_----")) == [False]

    assert all_rows(ApiKey)[0].revoked_at is None
    assert events("api_key.revoked") == []


def test_a_user_deactivated_since_is_deactivated_again() -> None:
    left, stayed = make_user(), make_user()

    assert do_again(lost("user.deactivated", left.id, left.email)) == [True]

    gone, here = all_rows(User)
    assert gone.deactivated_at is not None
    assert here.deactivated_at is None
    assert User.authenticate(stayed.email, PASSWORD) is not None
    assert len(events("user.deactivated")) == 1


def test_a_password_changed_since_lets_nobody_in() -> None:
    changed, kept = make_user(), make_user()

    assert do_again(lost("user.password_changed", changed.id, changed.email)) == [True]

    assert User.authenticate(changed.email, PASSWORD) is None
    assert User.authenticate(kept.email, PASSWORD) is not None
    assert len(events("user.password_changed")) == 1


@pytest.mark.parametrize("action", ["user.deactivated", "user.password_changed"])
def test_a_user_who_has_the_id_of_a_lost_one_is_left_alone(action: str) -> None:
    user = make_user()

    assert do_again(lost(action, user.id, "somebody.else@example.org")) == [False]

    assert User.authenticate(user.email, PASSWORD) is not None
    assert events(action) == []


def test_a_plan_changed_since_is_changed_again() -> None:
    organisation = make_organisation(plan=Plan.PRO)

    changes = [lost("plan.changed", organisation.slug, to=plan) for plan in ("team", "free", "free")]
    assert do_again(*changes) == [True, True, False]

    assert all_rows(Organisation)[0].plan is Plan.FREE
    assert [event.details["to"] for event in events("plan.changed")] == ["team", "free"]


def test_a_plan_that_nobody_knows_allows_nothing() -> None:
    organisation = make_organisation(plan=Plan.PRO)

    assert do_again(lost("plan.changed", organisation.slug, to="platinum")) == [True]

    assert all_rows(Organisation)[0].plan is Plan.FREE


def test_a_waitlist_archived_since_is_archived_again_and_one_restored_restored() -> None:
    waitlist = make_waitlist()

    assert do_again(lost("waitlist.archived", waitlist.public_id)) == [True]
    assert all_rows(Waitlist)[0].is_archived
    assert do_again(lost("waitlist.restored", waitlist.public_id)) == [True]
    assert not all_rows(Waitlist)[0].is_archived


def test_those_who_joined_since_are_put_at_the_end_of_the_line_and_their_referrers_credited() -> None:
    waitlist = make_waitlist()
    ada = make_subscriber(waitlist, "ada@example.org")
    here = {"waitlist_id": waitlist.public_id}

    done = do_again(
        lost("subscriber.created", 501, "Grace@example.org", 901, **here, referred_by=str(ada.id)),
        lost("subscriber.created", 502, "alan@example.org", 902, **here, referred_by="501"),
        lost("subscriber.created", 503, "ADA@example.org", 903, **here),
        lost("subscriber.created", 504, "edsger@example.org", 904, **here, referred_by="999"),
    )

    assert done == [True, True, False, True]
    people = all_rows(Subscriber)
    assert [(who.email, who.join_number, who.referral_count) for who in people] == [
        ("ada@example.org", 1, 1),
        ("Grace@example.org", 2, 1),
        ("alan@example.org", 3, 0),
        ("edsger@example.org", 4, 0),
    ]
    assert all(who.referral_code for who in people)
    assert len(events("subscriber.created")) == 4


def test_nobody_is_put_in_a_line_that_is_closed() -> None:
    waitlist = make_waitlist()
    joined = lost("subscriber.created", 501, "ada@example.org", waitlist_id=waitlist.public_id)

    assert do_again(lost("waitlist.archived", waitlist.public_id), joined) == [True, False]
    assert count(Subscriber) == 0
    assert do_again(lost("waitlist.restored", waitlist.public_id), joined) == [True, True]


@pytest.mark.parametrize(
    "event",
    [
        lost("api_key.revoked", 77, prefix="qu_live_AbCd"),
        lost("user.deactivated", 77, "ada@example.org"),
        lost("user.password_changed", 77, "ada@example.org"),
        lost("plan.changed", "nowhere", to="free"),
        lost("waitlist.archived", "wl_000000000000"),
        lost("waitlist.restored", "wl_000000000000"),
        lost("subscriber.created", 77, "ada@example.org", waitlist_id="wl_000000000000"),
        lost("api_key.created", 77, "crm-sync"),
        lost("something.new", 77),
    ],
    ids=lambda event: event.action,
)
def test_what_was_made_since_is_not_here_and_nothing_can_be_done_about_it(event: LoggedEvent) -> None:
    make_user()
    before = len(events())

    assert do_again(event) == [False]

    assert len(events()) == before


HISTORIES: dict[str, Callable[[], None]] = {
    "revoked": lambda: factories.revoke(make_api_key()[0]),
    "deactivated": lambda: factories.deactivate(make_user()),
    "plan": lambda: factories.set_plan(make_organisation(plan=Plan.TEAM), Plan.FREE),
}


@pytest.mark.parametrize("make", HISTORIES.values(), ids=HISTORIES)
def test_events_that_the_backup_has_are_passed_over(make: Callable[[], None]) -> None:
    make()
    known = [LoggedEvent.of_json(event.as_json()) for event in events()]

    assert do_again(*known) == []
    assert len(events()) == len(known)
    user = make_user()
    assert do_again(*known, lost("user.deactivated", user.id, user.email), *known) == [True]


def test_another_event_with_the_id_of_a_known_one_is_done() -> None:
    key, _ = make_api_key()

    assert do_again(lost("api_key.revoked", key.id, event_id=events()[0].id, prefix=key.prefix)) == [True]


def test_revoking_all_revokes_every_active_key_of_everybody() -> None:
    revoked, _ = make_api_key()
    factories.revoke(revoked)
    active = [make_api_key()[0].id for _ in range(3)]
    before = all_rows(ApiKey)[0].revoked_at

    with writing():
        named = list(CatchUp(ACTOR).by_revoking_all())

    assert [target.id for target in named] == list(map(str, active))
    assert all(key.revoked_at for key in all_rows(ApiKey))
    assert all_rows(ApiKey)[0].revoked_at == before
    assert len(events("api_key.revoked")) == 4


def test_every_session_ends_and_those_of_the_lost_time_do_not_come_back() -> None:
    user = make_user()
    lost_session = f"{user.id}.{user.session_epoch + 5}"
    assert User.by_session(user.get_id()) is not None

    with writing():
        User.end_every_session()

    assert User.by_session(user.get_id()) is None
    with writing():
        for _ in range(10):
            assert User.by_session(lost_session) is None
            db.session.get_one(User, user.id).end_sessions()
    assert all_rows(User)[0].session_epoch == EPOCH_LEAP + 10


TARGET: dict[str, str] = {"type": "", "id": "", "label": ""}
WHOLE: dict[str, Any] = {"id": "1", "action": "x", "target": TARGET, "details": {}}


@pytest.mark.parametrize(
    "line",
    [
        *(None, 1, "event", [], {}, [WHOLE]),
        *({name: value for name, value in WHOLE.items() if name != missing} for missing in WHOLE),
        *(WHOLE | {"id": wrong} for wrong in ("one", None)),
        *(WHOLE | {"details": wrong} for wrong in (None, 1)),
        WHOLE | {"target": {}},
    ],
)
def test_what_is_no_event_is_refused(line: object) -> None:
    assert LoggedEvent.of_json(WHOLE).id == 1
    with pytest.raises(ValueError, match=r"not an event|invalid literal"):
        LoggedEvent.of_json(line)
