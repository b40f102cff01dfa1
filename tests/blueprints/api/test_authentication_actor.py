"""Who a change through a key was made by, as its event keeps it, and what needs no key."""

from flask import Flask

from tests.api_client import ApiClient, make_caller
from tests.factories import events


def test_the_event_keeps_the_key_the_address_the_client_and_the_request(app: Flask) -> None:
    caller = make_caller(app)

    response = caller.api.post(caller.path, {"email": "ada@example.org"}, headers={"User-Agent": "crm/1.0"})

    assert response.status_code == 201
    (event,) = events("subscriber.created")
    assert (event.actor_type, event.actor_id, event.actor_prefix) == ("api_key", caller.key.id, caller.key.prefix)
    assert (event.ip, event.user_agent) == ("127.0.0.1", "crm/1.0")
    assert event.request_id == response.headers["X-Request-Id"]


def test_the_description_alone_needs_no_key(app: Flask) -> None:
    caller, nobody = make_caller(app), ApiClient(app, None)

    assert nobody.get("/v1/api/openapi.json").status_code == 200
    for path in (caller.path, "/v1/api/key"):
        assert nobody.get(path).status_code == 401
        assert caller.api.get(path).status_code == 200
