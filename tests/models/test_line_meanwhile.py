"""A page of the line while somebody joins it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models import Waitlist, line
from models.reading import Query, Row
from tests.factories import make_subscriber, make_waitlist
from tests.models.test_line_archived import archive


def once_after_the_next_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen right after the next statement of a read, before the one after it."""
    ask = Query.all

    def ask_and_let_it_happen(query: Query, parameters: dict[str, Any]) -> list[Row]:
        rows = ask(query, parameters)
        monkeypatch.setattr(Query, "all", ask)
        happens()
        return rows

    monkeypatch.setattr(Query, "all", ask_and_let_it_happen)


def second_place(waitlist: Waitlist) -> tuple[int, int]:
    """How many entries the second page of one has, and the total beside it."""
    page = line.page(waitlist, offset=1, limit=1)
    return len(page.entries), page.total


def test_a_page_is_not_empty_where_its_total_says_that_somebody_is_on_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist)
    once_after_the_next_read(monkeypatch, lambda: make_subscriber(waitlist))

    with app.app_context():
        assert second_place(waitlist) in {(0, 1), (1, 2)}
        assert second_place(waitlist) == (1, 2)


def test_so_it_is_for_a_line_that_was_archived_meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist)
    once_after_the_next_read(monkeypatch, lambda: (make_subscriber(waitlist), archive(waitlist)))

    with app.app_context():
        assert second_place(waitlist) in {(0, 1), (1, 2)}
        assert second_place(waitlist) == (1, 2)
