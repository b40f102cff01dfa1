"""Ten thousand requests that the published description allows or forbids, on each engine, with keys of every kind."""

import itertools
import random

from tests.fuzzed import KINDS, run
from tests.soak.report import figure, trials
from tests.system.conftest import Installation, empty_database, installation, server
from tests.system.server import Server

__all__ = ["empty_database", "installation", "server"]

CASES = 10_000
EXAMPLES = 50


def test_schemathesis_finds_nothing_in_ten_thousand_cases(server: Server, installation: Installation) -> None:
    seed, wanted, done = random.randrange(2**32), trials(CASES), 0
    chance, findings = random.Random(seed), []

    for kind in itertools.cycle(KINDS):
        found = run(server.url, kind, EXAMPLES, seed=chance.randrange(2**32))
        done += found.cases.total()
        findings += [f"key {kind}: {finding}" for finding in found.findings]
        if done >= wanted and kind == KINDS[-1]:
            break

    engine = installation.settings["DATABASE_URL"].partition(":")[0]
    figure(f"schemathesis findings, {engine}, seed {seed}", len(findings), done)
    assert not findings, "\n\n".join(findings[:5])
