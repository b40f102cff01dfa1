"""Revocations in full: what comes back afterwards, and to whom they come in the midst of signing up."""

import random
from collections import Counter

from tests.soak.report import figure, trials
from tests.system.revocations import Desk, answers_afterwards, wrong_round
from tests.system.server import Server

REVOCATIONS = 200
FOLLOW_UPS = 500
ROUNDS = 200
CLIENTS = 64


def engine_of(server: Server) -> str:
    """What the server's database is."""
    return server.settings["DATABASE_URL"].partition(":")[0]


def test_every_request_after_a_revocation_is_401(server: Server) -> None:
    desk, number = Desk(server), trials(REVOCATIONS, 2)

    answers = sum((answers_afterwards(desk, FOLLOW_UPS) for _ in range(number)), Counter[tuple[int, object]]())

    others = answers.total() - answers[401, "invalid_token"]
    figure(f"F1: answers other than 401 after {number} revocations, {engine_of(server)}", others, answers.total())
    assert others == 0


def test_no_request_sent_after_the_answer_to_a_revocation_signs_anybody_up(server: Server) -> None:
    desk, number, seed = Desk(server), trials(ROUNDS, 2), random.randrange(2**32)
    chance, came, wrong = random.Random(seed), Counter[int](), list[str]()

    for _ in range(number):
        statuses, told = wrong_round(desk, CLIENTS, chance)
        came += statuses
        wrong += told

    what = f"{came[201]} joined, {came[401]} refused, seed {seed}"
    figure(f"T064: wrong answers while 64 clients sign people up, {engine_of(server)} ({what})", len(wrong), number)
    assert wrong == []
    assert came.keys() == {201, 401}
