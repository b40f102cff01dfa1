"""A thousand sign-ups that overlap with a revocation, and with a drop of the plan, on either engine."""

import pytest

from tests.overlap import ENDS
from tests.soak.report import figure, trials
from tests.system.races import run_races
from tests.system.server import Server

RACES = 1_000


@pytest.mark.parametrize("kind", list(ENDS))
def test_nothing_by_a_key_commits_after_its_end_a_thousand_times(server: Server, kind: str) -> None:
    number = trials(RACES, 6)

    statuses, wrong = run_races(server, kind, number)

    engine = server.settings["DATABASE_URL"].partition(":")[0]
    split = ", ".join(f"{status}: {times}" for status, times in sorted(statuses.items()))
    figure(f"F2: races in which a change committed after the {kind}, {engine} ({split})", len(wrong), number)
    assert wrong == []
