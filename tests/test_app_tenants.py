"""No organisation reaches another's: every address, kind of id, method and visitor, a new address included."""

import pytest
from flask import Flask

from tests.queries import recorded
from tests.tenants import (
    METHODS,
    NOBODYS,
    Tenant,
    choices,
    filled,
    make_tenant,
    rows,
    rules_with_ids,
    rules_without_ids,
    shape,
)


@pytest.fixture
def ours(app: Flask) -> Tenant:
    """The organisation that tries."""
    return make_tenant(app, "Mallory")


@pytest.fixture
def theirs(app: Flask) -> Tenant:
    """The organisation that must not notice."""
    return make_tenant(app, "Victoria")


def test_somebody_elses_id_is_answered_like_one_of_nothing_and_changes_nothing(
    app: Flask, ours: Tenant, theirs: Tenant
) -> None:
    before, statuses = rows(), set()

    for rule in rules_with_ids(app):
        foreign, unknown = filled(rule, theirs.ids), filled(rule, NOBODYS)
        for name, visitor in ours.visitors.items():
            for method in METHODS:
                found, expected = (shape(visitor.send(method, path), path) for path in (foreign, unknown))
                assert found == expected, (name, method, rule)
                assert found[0] in {302, 400, 401, 403, 404, 405} or method == "OPTIONS"
                statuses.add((name, found[0]))

    assert rows() == before
    assert {("admin", 404), ("both", 404), ("nobody", 302), ("nobody", 401), ("member", 403)} <= statuses


def test_no_kind_of_id_in_the_place_of_another_leads_anywhere(app: Flask, ours: Tenant, theirs: Tenant) -> None:
    before = rows()

    for rule in rules_with_ids(app):
        for kind in rule.arguments:
            for value in choices(kind, theirs.ids):
                path = filled(rule, dict(NOBODYS) | {kind: value})
                for visitor in (ours.visitors["admin"], ours.visitors["both"]):
                    for method in ("GET", "POST"):
                        answer = visitor.send(method, path)
                        assert answer.status_code in {302, 400, 401, 404, 405}, (method, path)
                        if answer.status_code != 302:  # to sign in, with the address that was wanted
                            assert [secret for secret in theirs.secrets if secret in answer.text] == []

    assert rows() == before


def test_an_id_of_ones_own_is_answered(app: Flask, ours: Tenant) -> None:
    """The control: the same visitors and methods get in where the ids are their own."""
    for rule in rules_with_ids(app):
        door = "both" if rule.rule.startswith("/v1/api/") else "admin"
        for method in (rule.methods or set()) & {"GET", "HEAD", "POST"}:
            answer = ours.visitors[door].send(method, filled(rule, ours.ids))
            assert answer.status_code in {200, 201, 302, 303}, (method, rule, answer.text)


def test_what_names_no_id_shows_nothing_of_another_organisation(app: Flask, ours: Tenant, theirs: Tenant) -> None:
    pages = dict.fromkeys(ours.visitors, "")
    queries = ("", "?q=ctori", "?org=2&organisation_id=2", "?page=1&limit=200", "?actor=user")
    strays = {"X-Org-Id": "2", "X-Tenant-ID": "2", "X-Forwarded-Host": "victoria.example"}

    for rule in rules_without_ids(app):
        for name, visitor in ours.visitors.items():
            token = {} if visitor.token is None else {"Authorization": f"Bearer {visitor.token}"}
            for query in queries:
                answer = visitor.client.get(rule.rule + query, headers=strays | token)
                assert answer.status_code < 500
                pages[name] += answer.text

    for page in pages.values():
        assert [secret for secret in theirs.secrets if secret in page] == []
    assert {"Mallory", ours.ids["waitlist_id"]} <= {word for word in ours.secrets if word in pages["admin"]}


def test_somebody_elses_id_costs_as_many_queries_as_one_of_nothing(app: Flask, ours: Tenant, theirs: Tenant) -> None:
    def cost(method: str, path: str) -> list[int]:
        counts = []
        for visitor in ours.visitors.values():
            visitor.send(method, path)  # the first use in a minute is noted, at the cost of a statement
            with recorded(app) as statements:
                visitor.send(method, path)
            counts.append(len(statements))
        return counts

    for rule in rules_with_ids(app):
        for method in ("GET", "POST"):
            assert cost(method, filled(rule, theirs.ids)) == cost(method, filled(rule, NOBODYS)), (method, rule)
