"""A revoked key is refused by every worker from the next request on."""

from concurrent.futures import ThreadPoolExecutor

from models import ApiKey, Plan
from tests.api_client import subscribers_path
from tests.factories import all_rows, make_api_key, make_organisation, make_waitlist, revoke, set_plan
from tests.system.server import Server

FOLLOW_UPS = 200


def send_many(server: Server, path: str, token: str) -> set[tuple[int, object]]:
    """What comes back to many requests, each over a connection of its own, so that every worker gets some."""
    with ThreadPoolExecutor(8) as clients:
        replies = clients.map(lambda _: server.send("GET", path, token), range(FOLLOW_UPS))
        return {(reply.status, reply.json().get("code")) for reply in replies}


def test_every_request_after_a_revocation_is_401_on_every_worker(server: Server) -> None:
    organisation = make_organisation()
    path = subscribers_path(make_waitlist(organisation))
    key, token = make_api_key(organisation)
    _, other = make_api_key(organisation)
    assert send_many(server, path, token) == {(200, None)}

    revoke(key)

    assert send_many(server, path, token) == {(401, "invalid_token")}
    assert server.send("GET", path, other).status == 200


def test_every_request_after_a_downgrade_is_403_until_the_plan_is_restored(server: Server) -> None:
    organisation = make_organisation()
    path = subscribers_path(make_waitlist(organisation))
    key, token = make_api_key(organisation)
    assert server.send("GET", path, token).status == 200

    set_plan(organisation, Plan.FREE)
    assert send_many(server, path, token) == {(403, "feature_not_allowed")}

    set_plan(organisation, Plan.TEAM)
    assert send_many(server, path, token) == {(200, None)}
    assert [row.revoked_at for row in all_rows(ApiKey) if row.id == key.id] == [None]
