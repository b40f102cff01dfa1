"""A hundred thousand requests while keys are minted and revoked and plans change."""

import random
from pathlib import Path

from tests.soak.report import figure, trials
from tests.system.aftermath import faults, statuses
from tests.system.crowd import Crowd
from tests.system.server import Server

REQUESTS = 100_000
CLIENTS = 16


def test_no_answer_of_a_hundred_thousand_is_wrong(server: Server, tmp_path: Path) -> None:
    crowd = Crowd(server, seed=random.randrange(2**32), tenants=3)
    number = trials(REQUESTS, 500)

    crowd.run(CLIENTS, number)

    told, came = faults(server, crowd, tmp_path), statuses(crowd)
    engine = server.settings["DATABASE_URL"].partition(":")[0]
    met = f"{len(crowd.history.revoked)} revocations, {sum(map(len, crowd.history.plans.values()))} plans"
    figure(f"F4: answers that no order explains, {engine}, seed {crowd.seed} ({met})", len(told), number)
    figure(f"F5: answers of 500 and above, {engine}", sum(came[status] for status in came if status >= 500), number)
    assert told == []
    assert max(came) < 500
