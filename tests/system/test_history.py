"""Clients of 4 workers while keys are minted and revoked and plans change: one order explains every answer."""

import random
from pathlib import Path

from tests.system.aftermath import faults, statuses
from tests.system.crowd import Crowd
from tests.system.server import Server

REQUESTS = 1_500
CLIENTS = 8


def test_no_answer_is_wrong_while_keys_and_plans_change(server: Server, tmp_path: Path) -> None:
    crowd = Crowd(server, seed=random.randrange(2**32))

    crowd.run(CLIENTS, REQUESTS)

    assert faults(server, crowd, tmp_path) == []
    assert len(crowd.history.revoked) > 0
    assert statuses(crowd).keys() == {200, 201, 401, 403}
