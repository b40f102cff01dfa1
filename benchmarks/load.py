"""The load driver: wrk where it is installed, else processes of our own (client.py).

A result with a single answer that was not asked for is refused: a server that fails quickly is not fast.
"""

import json
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.client import Order, Sight

ROOT = Path(__file__).parent.parent
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_WRONG = re.compile(r"(Non-2xx or 3xx responses: [0-9]+|Socket errors: .*)")
_P99 = re.compile(r"99%\s+([0-9.]+)(us|ms|s|m)\b")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class WrongAnswers(Exception):
    """The server gave answers that were not asked for; the result is worth nothing."""


class Call(NamedTuple):
    """A request that is sent again and again, and the status that it must have."""

    port: int
    method: str
    path: str
    headers: dict[str, str]
    body: str = ""
    status: int = 200

    @property
    def head(self) -> str:
        """Request line and headers as they go over the wire, without the last line break."""
        headers = {"Host": f"127.0.0.1:{self.port}"} | self.headers
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines)


class Figures(NamedTuple):
    """What one measurement gave."""

    per_second: float
    p99_ms: float
    slowest_ms: float = 0.0
    least_share: float = 0.0  # of the client that got the fewest answers, against an equal share


def driver() -> str:
    """What sends the requests of `read`."""
    return "wrk" if shutil.which("wrk") else "benchmarks/client.py"


def read(call: Call, seconds: int, connections: int) -> Figures:
    """Send the same GET over so many connections. Raises WrongAnswers."""
    return _wrk(call, seconds, connections) if driver() == "wrk" else write(call, seconds, connections)


def write(call: Call, seconds: int, clients: int) -> Figures:
    """Send from so many clients, each one request after the other, each of them unique. Raises WrongAnswers."""
    sights = _clients(call, seconds, clients)
    wrong = [status for sight in sights for status in sight.wrong]
    if wrong:
        raise WrongAnswers(f"{call.method} {call.path}: {len(wrong)} answers like {wrong[0]}")
    times = sorted(time for sight in sights for time in sight.milliseconds)
    fewest = min(len(sight.milliseconds) for sight in sights)
    return Figures(
        per_second=sum(len(sight.milliseconds) / (sum(sight.milliseconds) / 1000) for sight in sights),
        p99_ms=times[int(len(times) * 0.99)],
        slowest_ms=times[-1],
        least_share=fewest * clients / len(times),
    )


def _wrk(call: Call, seconds: int, connections: int) -> Figures:
    headers = [part for name, value in call.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", *headers]
    command.append(f"http://127.0.0.1:{call.port}{call.path}")
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wrong, rate, p99 = _WRONG.search(printed), _RATE.search(printed), _P99.search(printed)
    if wrong or not rate or not p99:
        raise WrongAnswers(f"{call.path}: {wrong[0] if wrong else printed}")
    return Figures(float(rate[1]), float(p99[1]) * _MILLISECONDS[p99[2]])


def _clients(call: Call, seconds: int, clients: int) -> list[Sight]:
    """Start them all, let them go at the same moment, and gather what they saw."""
    round_name = secrets.token_hex(4)
    command = [sys.executable, "-m", "benchmarks.client"]
    started = []
    for nth in range(clients):
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        order = Order(call.port, call.head, call.body, f"{round_name}-{nth}-", seconds, call.status)
        _tell(process, json.dumps(order._asdict()))
        started.append(process)
    for process in started:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise WrongAnswers("a client did not start")
    for process in started:
        _tell(process, "go")
    printed = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise WrongAnswers(f"{call.method} {call.path}: a client lost its connection")
    return [Sight(**json.loads(line)) for line in printed]


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
