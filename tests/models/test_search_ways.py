"""Which way a search takes: it decides how long a page takes, and never what is on it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import EmailAddress, Signup, Subscriber, Waitlist, db, search, writing
from models.reading import Query, Row
from tests.factories import ACTOR, make_waitlist

RARE = 3


@pytest.fixture
def asked(context: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int, int]]:
    """The ways that were taken, each with its cap, offset and limit (0 where it has none)."""
    ways, taken, ask = search._WAYS[db.engine.dialect.name], list[tuple[str, int, int, int]](), Query.all

    def note(query: Query, parameters: dict[str, Any]) -> list[Row]:
        name = next(name for name, way in ways._asdict().items() if way is query)
        cap, offset, limit = (int(parameters.get(key, 0)) for key in ("cap", "offset", "limit"))
        taken.append((name, cap, offset, limit))
        return ask(query, parameters)

    monkeypatch.setattr(Query, "all", note)
    monkeypatch.setattr(search, "RARE", RARE)
    return taken


def make_line(adas: int, others: int) -> Waitlist:
    """So many whose address contains "ada" and so many others."""
    waitlist = make_waitlist()
    names = [*(f"ada{nth}" for nth in range(adas)), *(f"bob{nth}" for nth in range(others))]
    with writing():
        signups = [Signup(EmailAddress.parse(f"{name}@example.org")) for name in names]
        Subscriber.join_all(Waitlist.by_public_id(waitlist.public_id), signups, ACTOR)
    return waitlist


def test_a_term_without_a_trigram_walks(app: Flask, asked: list[Any]) -> None:
    waitlist = make_line(5, 1)
    asked.clear()

    assert search.page_of_ids(waitlist.id, 6, "ad", offset=1, limit=2)[1] == 5

    assert asked == [("walked", 0, 1, 2), ("counted_walking", 0, 0, 0)]


@pytest.mark.parametrize("adas", [0, 1, RARE - 1, RARE])
def test_a_rare_term_is_fetched_whole_and_once(app: Flask, asked: list[Any], adas: int) -> None:
    waitlist = make_line(adas, 5)
    asked.clear()

    ids, total = search.page_of_ids(waitlist.id, adas + 5, "ada", offset=1, limit=1)

    assert (len(ids), total) == (1 if adas > 1 else 0, adas)
    assert asked == [("fetched", RARE + 1, 0, RARE + 1)]


@pytest.mark.parametrize(
    ("adas", "others", "offset", "limit", "way"),
    [
        (RARE + 1, 0, 0, 2, "walked"),
        (RARE + 1, 0, 2, 2, "walked"),
        (4, 40, 0, 2, "walked"),  # passes some 22 rows; four matches cost as much as 32
        (4, 40, 2, 2, "fetched"),  # passes all 44
        (4, 60, 0, 2, "fetched"),  # passes exactly 32
        (4, 58, 0, 2, "walked"),  # passes 31
        (4, 40, 9, 2, "fetched"),  # past the end: no more than all
    ],
)
def test_a_frequent_term_takes_the_shorter_way(
    app: Flask, asked: list[Any], adas: int, others: int, offset: int, limit: int, way: str
) -> None:
    waitlist = make_line(adas, others)
    asked.clear()

    ids, total = search.page_of_ids(waitlist.id, adas + others, "ada", offset=offset, limit=limit)

    assert (len(ids), total) == (max(0, min(limit, adas - offset)), adas)
    assert asked == [
        ("fetched", RARE + 1, 0, RARE + 1),
        ("counted", 0, 0, 0),
        (way, search.NO_CAP, offset, limit),
    ]


def test_a_neighbours_matches_are_neither_found_nor_counted(app: Flask, asked: list[Any]) -> None:
    lines = [make_line(RARE + 1 + nth, 2) for nth in range(3)]
    asked.clear()

    for nth, waitlist in enumerate(lines):
        size = RARE + 3 + nth
        ids, total = search.page_of_ids(waitlist.id, size, "ada", offset=0, limit=99)
        own = db.session.scalars(select(Subscriber.id).where(Subscriber.waitlist_id == waitlist.id)).all()
        assert (len(ids), total) == (RARE + 1 + nth, RARE + 1 + nth)
        assert set(ids) <= set(own)
    assert [way for way, *_ in asked].count("counted") == 3
