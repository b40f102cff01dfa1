"""The lock files: what they must not fall below, and that they lock everything."""

import json
import re

import pytest

from tests.advisories import verdict
from tests.source import ROOT

LOCKED = ("requirements.txt", "requirements-dev.txt", "requirements-gates.txt", "benchmarks/requirements.txt")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", re.MULTILINE)
FLOORS = {
    "flask": (3, 1, 3),  # CVE-2026-27205: some ways of reading the session left out Vary: Cookie
}


def versions(lock: str) -> dict[str, tuple[int, ...]]:
    """What a lock file locks, by name."""
    found = PINNED.findall((ROOT / lock).read_text())
    return {name.lower(): tuple(int(part) for part in re.findall(r"\d+", version)) for name, version in found}


@pytest.mark.parametrize("lock", LOCKED[:3])
@pytest.mark.parametrize("package", FLOORS)
def test_no_lock_file_falls_below_a_version_with_a_known_hole(lock: str, package: str) -> None:
    assert versions(lock)[package] >= FLOORS[package]


@pytest.mark.parametrize("package", FLOORS)
def test_what_is_asked_for_names_the_floor(package: str) -> None:
    floor = ".".join(map(str, FLOORS[package]))

    assert re.search(rf"^{package}>={re.escape(floor)}$", (ROOT / "requirements.in").read_text(), re.MULTILINE | re.I)


@pytest.mark.parametrize("lock", LOCKED)
def test_every_locked_package_has_its_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]

    assert len({re.split(r"[=[]", entry)[0].lower() for entry in entries}) == len(versions(lock)) >= 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_gates_lock_what_the_tests_lock_and_they_what_the_product_locks() -> None:
    product, tests, gates, benchmarks = map(versions, LOCKED)

    assert product.items() <= tests.items() <= gates.items()
    assert product.items() <= benchmarks.items()


SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLED = {"name": "flask", "version": "2.2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.2.5"]}]}
SKIPPED = {"name": "orjson", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([SOUND], 0, "1 packages audited, no known holes."),
        ([SOUND, SKIPPED], 0, "1 packages audited, no known holes. NOT AUDITED: orjson."),
        ([SKIPPED], 0, "NOT AUDITED: the service knows none of the 1 packages. Is this its mirror?"),
        ([SKIPPED, HOLED, SOUND], 1, "Known holes:\nflask 2.2.0: PYSEC-1, mended in ['2.2.5']"),
    ],
)
def test_a_known_hole_fails_the_gate_and_what_was_not_audited_is_said(
    packages: list[object], status: int, words: str
) -> None:
    assert verdict(json.dumps({"dependencies": packages}), "") == (status, words)


def test_a_service_that_cannot_be_reached_is_no_fault_of_the_code_but_any_other_failure_fails() -> None:
    unreachable = verdict("", "Traceback:\nrequests.exceptions.ConnectionError: no route")
    broken = verdict("", "usage: pip-audit\nerror: unrecognized arguments: --colour")

    assert unreachable[0] == 0
    assert unreachable[1].startswith("NOT AUDITED: ")
    assert broken == (1, "pip-audit failed: error: unrecognized arguments: --colour")
