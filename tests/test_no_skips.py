"""The rule that nothing is skipped in CI."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SKIPPING = (
    "def test_it(): pytest.skip('no such program')",
    "@pytest.mark.skip(reason='no such program')\ndef test_it(): pass",
    "@pytest.fixture\ndef it(): pytest.skip('no such program')\ndef test_it(it): pass",
    "pytest.skip('no such program', allow_module_level=True)",
)
RUNNING = "def test_it(): pass\n@pytest.mark.xfail\ndef test_known(): assert False"


def run_tests(folder: Path, ci: str) -> tuple[int, str]:
    """Exit status and output of the tests in a folder."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-rfE", "--continue-on-collection-errors"]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_skip_is_a_failure_in_ci_alone(tmp_path: Path) -> None:
    for number, test in enumerate((*SKIPPING, RUNNING)):
        (tmp_path / f"test_{number}.py").write_text(f"import pytest\n{test}")

    status, printed = run_tests(tmp_path, ci="true")
    assert status == 1
    assert "1 failed, 1 passed, 1 xfailed, 3 errors" in printed
    assert printed.count("In CI a skip is a failure. Skipped: no such program") >= len(SKIPPING)

    status, printed = run_tests(tmp_path, ci="")
    assert status == 0
    assert "1 passed, 4 skipped, 1 xfailed" in printed
