"""The shipped server does what the published description says, whoever calls: the short form of tests/soak."""

import pytest

from tests.fuzzed import KINDS, run
from tests.system.server import Server

EXAMPLES = 4


@pytest.mark.parametrize("kind", KINDS)
def test_schemathesis_finds_nothing(server: Server, kind: str) -> None:
    found = run(server.url, kind, EXAMPLES, seed=KINDS.index(kind))

    assert not found.findings, "\n\n".join(found.findings[:5])
    assert found.cases["coverage"] > 100
    assert found.cases["fuzzing"] > 5
    assert found.cases["stateful"] > 10 or kind not in {"both", "write"}
