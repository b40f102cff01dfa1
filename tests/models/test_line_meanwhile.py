"""A page of the line while somebody joins it."""

from typing import Any

import pytest
from flask import Flask

from models import line
from models.reading import Query, Row
from tests.factories import make_subscriber, make_waitlist
from tests.models.test_line_archived import archive


def test_a_page_is_not_empty_where_its_total_says_that_somebody_is_on_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist)
    ask = Query.all

    def ask_while_somebody_joins(query: Query, parameters: dict[str, Any]) -> list[Row]:
        rows = ask(query, parameters)
        monkeypatch.setattr(Query, "all", ask)
        make_subscriber(waitlist)
        return rows

    monkeypatch.setattr(Query, "all", ask_while_somebody_joins)
    with app.app_context():
        before_or_after = line.page(waitlist, offset=1, limit=1)
        after = line.page(waitlist, offset=1, limit=1)

    assert (len(before_or_after.entries), before_or_after.total) in {(0, 1), (1, 2)}
    assert (len(after.entries), after.total) == (1, 2)


def test_so_it_is_for_a_line_that_was_archived_meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    waitlist = make_waitlist()
    make_subscriber(waitlist)
    ask = Query.all

    def ask_while_somebody_joins(query: Query, parameters: dict[str, Any]) -> list[Row]:
        rows = ask(query, parameters)
        monkeypatch.setattr(Query, "all", ask)
        make_subscriber(waitlist)
        archive(waitlist)
        return rows

    monkeypatch.setattr(Query, "all", ask_while_somebody_joins)
    with app.app_context():
        page = line.page(waitlist, offset=1, limit=1)

    assert (len(page.entries), page.total) in {(0, 1), (1, 2)}
