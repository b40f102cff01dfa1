"""Scopes, their words, and how they are stored."""

import pytest
from sqlalchemy import text

from models import ApiKey, Scope, db
from models.scope import access_summary
from tests.factories import all_rows, make_api_key

READ, WRITE = Scope.SUBSCRIBERS_READ, Scope.SUBSCRIBERS_WRITE


def test_scopes_carry_the_words_of_the_contract() -> None:
    assert [(scope.label, scope.value, scope.hint) for scope in Scope] == [
        ("Read subscribers", "subscribers:read", "lets the key list subscribers, page by page"),
        ("Create subscribers", "subscribers:write", "lets the key submit signups from a server"),
    ]


@pytest.mark.parametrize(
    ("scopes", "summary"), [({READ, WRITE}, "Full access"), ({READ}, "Read-only"), ({WRITE}, "Create-only")]
)
def test_access_is_summed_up_in_a_word_or_two(scopes: set[Scope], summary: str) -> None:
    assert access_summary(frozenset(scopes)) == summary


@pytest.mark.parametrize("scopes", [(READ,), (WRITE,), (READ, WRITE), (WRITE, READ)])
@pytest.mark.usefixtures("app")
def test_a_key_keeps_exactly_its_scopes(scopes: tuple[Scope, ...]) -> None:
    make_api_key(scopes=scopes)

    (key,) = all_rows(ApiKey)
    assert key.scopes == frozenset(scopes)


@pytest.mark.usefixtures("context")
def test_a_stored_name_that_nobody_knows_grants_nothing() -> None:
    make_api_key(scopes=[READ])
    db.session.execute(text("UPDATE api_keys SET scopes = 'subscribers:readwrite subscribers:write admin'"))

    assert db.session.scalars(db.select(ApiKey)).one().scopes == {WRITE}
