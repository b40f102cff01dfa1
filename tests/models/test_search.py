"""Search: by the index where it pays, never in another waitlist, never by a plan that knows no term."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from models import EmailAddress, Signup, Subscriber, Waitlist, db, line, search, writing
from tests.factories import ACTOR, make_organisation, make_waitlist

pytestmark = pytest.mark.usefixtures("context")


def make_line(*emails: str, waitlist: Waitlist | None = None) -> Waitlist:
    waitlist = waitlist or make_waitlist()
    with writing():
        here = Waitlist.by_public_id(waitlist.public_id)
        Subscriber.join_all(here, [Signup(EmailAddress.parse(email)) for email in emails], ACTOR)
    return Waitlist.by_public_id(waitlist.public_id)


def found(waitlist: Waitlist, q: str, **kwargs: int) -> list[str]:
    page = line.page(waitlist, offset=kwargs.get("offset", 0), limit=kwargs.get("limit", 25), q=q)
    return [entry.email for entry in page.entries]


def plan_of(statement: str, parameters: dict[str, Any]) -> str:
    """How the engine would go about it, in one string."""
    if db.engine.dialect.name == "sqlite":
        rows = db.session.execute(text("EXPLAIN QUERY PLAN " + statement), parameters)
        return " | ".join(row[3] for row in rows)
    return " | ".join(row[0] for row in db.session.execute(text("EXPLAIN " + statement), parameters))


@pytest.mark.parametrize(
    "term", ["%", "_", "a_b", "100%", "'", '"', 'a"b', '"a""', "\\", "a\\_b", "OR", "NOT", "*", "^", "-x", "NEAR("]
)
def test_special_characters_are_literal(term: str) -> None:
    waitlist = make_line(
        "a_b@example.org", "axb@example.org", "100%@example.org", "o'hara@example.org", "x*y@example.org"
    )
    emails = [entry.email for entry in line.page(waitlist, offset=0, limit=10).entries]

    assert found(waitlist, term) == [email for email in emails if term.lower() in email.lower()]


def test_neighbours_are_never_found() -> None:
    organisation = make_organisation()
    mine = make_line("ada@example.org", waitlist=make_waitlist(organisation))
    theirs = make_line("ada.lovelace@example.org", waitlist=make_waitlist(organisation))

    assert found(mine, "ada") == ["ada@example.org"]
    assert found(theirs, "ada") == ["ada.lovelace@example.org"]
    assert found(mine, "a") == ["ada@example.org"]


@pytest.mark.parametrize("rare", [1000, 0])
@pytest.mark.parametrize("fetched", [8, 0, 10**9])
def test_every_way_gives_the_same_pages(monkeypatch: pytest.MonkeyPatch, rare: int, fetched: int) -> None:
    monkeypatch.setattr(search, "RARE", rare)
    monkeypatch.setattr(search, "WALKED_PER_FETCHED", fetched)
    waitlist = make_line(*(f"{name}{nth}@example.org" for nth in range(30) for name in ("ada", "grace")))
    adas = [f"ada{nth}@example.org" for nth in range(30)]

    assert found(waitlist, "ADA", limit=30) == adas
    assert found(waitlist, "ada", offset=28, limit=5) == adas[28:]
    assert found(waitlist, "ada", offset=99) == []
    assert line.page(waitlist, offset=99, limit=1, q="ada").total == 30


def test_the_index_answers_a_search() -> None:
    waitlist = make_line("ada@example.org")
    term = search._term(waitlist.id, "grace29999")
    if db.engine.dialect.name == "sqlite":
        statement = (
            "SELECT rowid FROM subscriber_search WHERE subscriber_search MATCH :phrase"
            " AND rowid BETWEEN :first_row AND :last_row"
        )
        assert "VIRTUAL TABLE INDEX 0:M" in plan_of(statement, term)  # the match, and its range of rows
        assert ">" in plan_of(statement, term)
        return
    db.session.execute(
        text(
            "INSERT INTO subscribers (waitlist_id, email, email_identity, email_search, join_number, priority_score,"
            " referral_count, joined_at) SELECT :id, email, email, email, number, 0, 0, now() FROM"
            " (SELECT number, 'grace' || number || '@example.org' AS email FROM generate_series(2, 30000) AS number) n"
        ),
        {"id": waitlist.id},
    )
    db.session.execute(text("ANALYZE subscribers"))
    hits = re.sub(r"%\((\w+)\)s", r":\1", search._POSTGRESQL_HITS)
    plan = plan_of(f"SELECT id {hits}", term)
    assert "ix_subscribers_search" in plan
    condition = plan.partition("Index Cond")[2].partition("|")[0]
    assert "waitlist_id" in condition
    assert "email_search" in condition
    assert "smallint" not in condition


def test_a_search_is_never_prepared() -> None:
    if db.engine.dialect.name == "sqlite":
        assert all(query._prepare is False for query in search._WAYS["sqlite"])
        return
    waitlist = make_line("ada@example.org")
    db.engine.dispose()
    for _ in range(12):
        found(waitlist, "ada")
        line.page(waitlist, offset=0, limit=5)
    raw = db.engine.raw_connection()
    try:
        rows = raw.driver_connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()  # type: ignore[union-attr]
    finally:
        raw.close()
    statements = [row[0] for row in rows]
    assert any("LIMIT" in statement for statement in statements)  # the plain page is, and may be
    assert not any("email_search" in statement for statement in statements)
