"""A revoked key is refused by every worker from the next request on."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from models import ApiKey, Plan
from tests.api_client import subscribers_path
from tests.factories import all_rows, make_api_key, make_organisation, make_waitlist, set_plan
from tests.system.revocations import Desk, answers_afterwards, wrong_round
from tests.system.server import Server

REVOCATIONS = 10
FOLLOW_UPS = 50
ROUNDS = 4
CLIENTS = 16


def send_many(server: Server, path: str, token: str) -> set[tuple[int, object]]:
    """What comes back to many requests, each over a connection of its own, so that every worker gets some."""
    with ThreadPoolExecutor(8) as clients:
        replies = clients.map(lambda _: server.send("GET", path, token), range(FOLLOW_UPS * 2))
        return {(reply.status, reply.json().get("code")) for reply in replies}


def test_every_request_after_a_revocation_is_401_on_every_worker(server: Server) -> None:
    desk = Desk(server)
    _, other = make_api_key(desk.organisation)

    answers = sum((answers_afterwards(desk, FOLLOW_UPS) for _ in range(REVOCATIONS)), Counter[tuple[int, object]]())

    assert answers == {(401, "invalid_token"): REVOCATIONS * FOLLOW_UPS}
    assert server.send("GET", desk.path, other).status == 200


def test_no_request_sent_after_the_answer_to_a_revocation_signs_anybody_up(server: Server) -> None:
    desk, seed = Desk(server), random.randrange(2**32)
    chance = random.Random(seed)

    for _ in range(ROUNDS):
        came, wrong = wrong_round(desk, CLIENTS, chance)

        assert wrong == [], f"seed {seed}"
        assert came.keys() <= {201, 401}
        assert came[401] >= CLIENTS


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
