"""What load balancers and supervisors ask."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from models import db
from tests.factories import in_context


@in_context
def pretend_migration(revision: str) -> str:
    """Set the database's migration; returns the one it had."""
    present = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    db.session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    db.session.commit()
    return str(present)


def test_a_process_that_answers_is_healthy(client: FlaskClient) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_health_asks_nothing_of_the_database(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT secrets", {}, Exception("the secret of the house"))

    monkeypatch.setattr(db.session, "connection", away)
    monkeypatch.setattr(db.session, "execute", away)

    assert client.get("/healthz").status_code == 200


def test_a_migrated_database_is_ready(client: FlaskClient) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_without_the_newest_migration_it_is_not_ready(client: FlaskClient) -> None:
    present = pretend_migration("0000_older")
    try:
        response = client.get("/readyz")
    finally:
        pretend_migration(present)

    assert response.status_code == 503
    assert response.get_json() == {"status": "migrations missing", "present": "0000_older", "wanted": present}
    assert response.headers["Retry-After"].isdigit()
    assert client.get("/readyz").status_code == 200


def test_without_a_database_it_is_not_ready(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("SELECT secrets", {}, Exception("the secret of the house"))

    with monkeypatch.context() as patch:
        patch.setattr(db.session, "connection", away)
        response = client.get("/readyz")

    assert (response.status_code, response.get_json()) == (503, {"status": "database away"})
    assert response.headers["Retry-After"].isdigit()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_come_by_any_address(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Host": "10.1.2.3:5000"})

    assert response.status_code == 200
    assert "10.1.2.3" not in response.text + str(response.headers)
    assert client.get("/login", headers={"Host": "10.1.2.3:5000"}).status_code == 400
