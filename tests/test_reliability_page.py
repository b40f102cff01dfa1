"""The page about reliability (docs/reliability.md) names tests that there are."""

import re

import pytest

from tests.source import ROOT, functions

PAGE = (ROOT / "docs" / "reliability.md").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINE = re.compile(r"\| (?P<label>[TF][0-9]{1,3}) \| (?P<what>[^|]+(?:\\\|[^|]+)*) \| (?P<held_by>.+) \|")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| [TF][0-9]+ ", line)]
NOT_COVERED = "Not covered: "


@pytest.mark.parametrize("test", sorted({f"{file}::{name}" for file, name in TEST.findall(PAGE)}))
def test_every_named_test_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert (ROOT / file).exists()
    assert name in {function.name for function in functions(file)}


def test_every_line_names_a_test_or_the_reason_why_there_is_none() -> None:
    assert ROWS
    for row in ROWS:
        found = LINE.fullmatch(row)
        assert found is not None, row
        is_excused = found["held_by"].startswith(NOT_COVERED) and len(found["held_by"]) > len(NOT_COVERED) + 10
        assert TEST.search(found["held_by"]) or is_excused, row


def test_every_label_stands_once() -> None:
    labels = [row.split()[1] for row in ROWS]
    assert sorted(set(labels)) == sorted(labels)
