"""What a long run measured: a JSON line per figure, for the report.

SOAK_REPORT names the file that the lines are appended to; without it they go to standard output.
SOAK_SCALE shortens a run: 0.01 makes a hundredth of the trials, to see whether a test still works.
"""

import json
import os
import sys
from pathlib import Path


def trials(full: int, least: int = 1) -> int:
    """How many trials to make: as many as the figure asks for, unless SOAK_SCALE says otherwise."""
    return max(least, int(full * float(os.environ.get("SOAK_SCALE", "1"))))


def figure(name: str, value: object, trials: int) -> None:
    """Tell one figure: what was measured, what came out, in how many trials."""
    line = json.dumps({"name": name, "value": value, "trials": trials}, ensure_ascii=False) + "\n"
    if file := os.environ.get("SOAK_REPORT"):
        with Path(file).open("a", encoding="utf-8") as report:
            report.write(line)
    else:
        sys.stdout.write(line)
