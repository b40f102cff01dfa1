"""Whether anything that the lock files lock has a known hole: `python -m tests.advisories`, by pip-audit.

Ends with status 1 where something has. Where the service with the advisories cannot be reached, or knows none of the
packages, it says that nothing was audited, and ends with status 0: a machine without a network is no fault of the code.
"""

import json
import subprocess
import sys
from typing import Any

import click

from tests.source import ROOT

LOCKS = ("requirements-gates.txt", "benchmarks/requirements.txt")  # the first holds those of the product and the tests
UNREACHABLE = ("requests.exceptions.", "ConnectionError", "Timeout")


def ask() -> subprocess.CompletedProcess[str]:
    """Let pip-audit look up every locked version."""
    files = [argument for lock in LOCKS for argument in ("-r", lock)]
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
    command = [sys.executable, "-m", "pip_audit", *files, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def verdict(output: str, errors: str) -> tuple[int, str]:
    """The exit status, and what to say, of what pip-audit wrote to its two outputs."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1][:300]
        if any(name in errors for name in UNREACHABLE):
            return 0, f"NOT AUDITED: the service with the advisories cannot be reached. {last}"
        return 1, f"pip-audit failed: {last}"
    holes = [(each["name"], each["version"], hole) for each in packages for hole in each.get("vulns", ())]
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    if holes:
        lines = (f"{name} {version}: {hole['id']}, mended in {hole['fix_versions']}" for name, version, hole in holes)
        return 1, "Known holes:\n" + "\n".join(lines)
    if len(skipped) == len(packages):
        return 0, f"NOT AUDITED: the service knows none of the {len(packages)} packages. Is this its mirror?"
    said = f"{len(packages) - len(skipped)} packages audited, no known holes."
    return 0, said + (f" NOT AUDITED: {', '.join(skipped)}." if skipped else "")


if __name__ == "__main__":
    answer = ask()
    status, words = verdict(answer.stdout, answer.stderr)
    click.echo(words)
    raise SystemExit(status)
