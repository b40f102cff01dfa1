"""Sign-ups that are under way on one of 4 workers when their key is revoked or their plan drops."""

import pytest

from tests.overlap import ENDS
from tests.system.races import run_races
from tests.system.server import Server

RACES = 21


@pytest.mark.parametrize("kind", list(ENDS))
def test_nothing_by_a_key_commits_after_its_end(server: Server, kind: str) -> None:
    statuses, wrong = run_races(server, kind, RACES)

    assert wrong == []
    refusal = ENDS[kind][1]
    assert statuses[refusal] >= RACES // 3 * 2  # all of those that the end came before
    assert statuses.keys() > {refusal}  # and some that it did not
