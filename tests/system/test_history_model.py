"""What the model of a history allows, and what it does not: a checker that finds nothing must have been able to."""

from pathlib import Path
from typing import Any

import pytest

from models import Plan, Scope
from tests.history import Call, History, Key, Span, wrong_answers

BOTH, READER = 1, 2  # ids of keys
ORGANISATION = 9


def make_history(*calls: Call) -> History:
    """One organisation with two keys; BOTH is revoked from 50 to 52, the plan is Free from 20 to 30, give or take 1."""
    history = History()
    history.keys = {
        BOTH: Key(BOTH, ORGANISATION, "", frozenset(Scope)),
        READER: Key(READER, ORGANISATION, "", frozenset({Scope.SUBSCRIBERS_READ})),
    }
    history.revoked = {BOTH: Span(50, 52)}
    history.plans[ORGANISATION] += [(Plan.FREE, Span(19, 21)), (Plan.PRO, Span(29, 31))]
    history.add(*calls)
    return history


def person(place: int, email: str = "") -> dict[str, Any]:
    return {"id": str(place), "email": email or f"s{place}@example.org", "position": place}


def created(began: float, ended: float, place: int = 1, *, status: int = 201, key: int = BOTH, email: str = "") -> Call:
    body = person(place, email)
    return Call(0, "create", key, body["email"], began, ended, status, body)


def listed(began: float, ended: float, *places: int, total: int | None = None, limit: int = 25, page: int = 1) -> Call:
    body = {"items": [person(place) for place in places], "total": len(places) if total is None else total}
    return Call(0, "list", READER, (page, limit), began, ended, 200, body)


def refused(began: float, ended: float, status: int, code: str, *, key: int = BOTH, name: str = "create") -> Call:
    asked: Any = "late@example.org" if name == "create" else (1, 25)
    return Call(0, name, key, asked, began, ended, status, {"code": code})


ONE, TWO = created(1, 2), created(3, 4, 2)


@pytest.mark.parametrize(
    "calls",
    [
        [ONE, TWO, listed(5, 6, 1, 2)],
        [ONE, created(1.5, 4, 2), listed(3, 5, 1), listed(3, 5, 1, 2)],  # which overlap with the second
        [ONE, created(1.5, 4, status=200)],
        [ONE, created(5, 6, status=200)],
        [ONE, listed(5, 6, total=1, page=2)],
        [ONE, TWO, listed(5, 6, 2, total=2, limit=1, page=2)],
        [refused(20, 21, 403, "feature_not_allowed")],
        [created(20, 22), refused(20, 22, 403, "feature_not_allowed", key=READER)],
        [refused(40, 41, 403, "insufficient_scope", key=READER)],
        [created(49, 51), refused(49, 51, 401, "invalid_token")],
        [created(51, 53), refused(51, 53, 401, "invalid_token")],
        [refused(53, 54, 401, "invalid_token"), listed(53, 54)],
    ],
)
def test_what_some_order_explains_is_right(calls: list[Call]) -> None:
    assert wrong_answers(make_history(*calls)) == []


@pytest.mark.parametrize(
    "calls",
    [
        [created(53, 54)],  # after the revocation's answer
        [refused(40, 49, 401, "invalid_token")],  # before anybody revoked it
        [refused(53, 54, 403, "feature_not_allowed")],
        [created(22, 28)],  # while the plan was Free
        [refused(32, 40, 403, "feature_not_allowed")],
        [refused(22, 28, 403, "insufficient_scope", key=READER)],
        [created(1, 2, key=READER)],
        [refused(1, 2, 403, "insufficient_scope", key=READER, name="list")],
        [refused(1, 2, 500, "internal_error")],
        [refused(1, 2, 503, "unavailable")],
        [ONE, created(3, 4, 2, email="s1@example.org")],  # one address, two people
        [created(1, 2, status=200)],  # known, and nobody had sent it
        [created(1, 2, status=200), created(3, 4)],
        [ONE, listed(3, 4)],  # somebody is missing
        [ONE, listed(0.1, 0.9, 1)],  # somebody is there too early
        [listed(3, 4, 1)],  # a stranger
        [ONE, created(2.5, 9, 2), listed(3, 4, 1, 2), listed(5, 6, 1)],  # back behind what was seen
        [ONE, TWO, listed(5, 6, 2, 1)],
        [ONE, TWO, listed(5, 6, 1, total=2)],  # a gap
        [ONE, TWO, listed(5, 6, 1, 1)],  # a repeat
        [ONE, TWO, listed(5, 6, total=2, limit=1, page=2)],
        [ONE, created(3, 4, 1, email="other@example.org")],  # two in one place
        [ONE, created(3, 4, 3)],
        [ONE, TWO, created(5, 6, 2, status=200, email="s1@example.org")],  # somebody has moved
        [ONE._replace(asked="somebody@example.org")],
    ],
)
def test_what_no_order_explains_is_told(calls: list[Call]) -> None:
    assert wrong_answers(make_history(*calls)) != []


def test_a_history_is_kept_without_its_tokens(tmp_path: Path) -> None:
    history = make_history(ONE)
    history.keys[BOTH] = history.keys[BOTH]._replace(token="qu_live_" + "x" * 36)

    history.save(tmp_path / "kept.jsonl", 7)

    kept = (tmp_path / "kept.jsonl").read_text()
    assert '"seed": 7' in kept
    assert "s1@example.org" in kept
    assert "qu_live_" not in kept
