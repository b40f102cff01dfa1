"""An import that is killed half-way: nobody is lost, nobody stands in line twice."""

import os
import signal
import subprocess
from pathlib import Path

from models import Waitlist, line_check
from tests.factories import all_rows, events, in_context, make_organisation, make_waitlist
from tests.system.conftest import Installation
from tests.system.server import ROOT, Server, environment, flask_command, run_command

ROWS = 10_000


def test_an_import_goes_on_after_a_kill_without_a_gap_or_a_double(
    installation: Installation, server: Server, tmp_path: Path
) -> None:
    waitlist = make_waitlist(organisation := make_organisation())
    file = tmp_path / "signups.csv"
    file.write_text("email\n" + "".join(f"{number}@example.org\n" for number in range(ROWS)))
    arguments = ("subscribers", "import", str(file), "--waitlist", waitlist.public_id)

    interrupted = _start(installation, *arguments)
    while not (half := _joined(waitlist)):
        assert interrupted.poll() is None
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait(10)
    half = _joined(waitlist)
    assert 0 < half < ROWS

    told = run_command(installation.settings, *arguments).stdout
    assert told.splitlines()[0] == f"{ROWS - half:,} created, {half:,} already there, 0 bad"
    assert _joined(waitlist) == ROWS
    joined = [event for event in events("subscriber.created") if event.organisation_id == organisation.id]
    assert sorted(int(event.target_label.split("@")[0]) for event in joined) == list(range(ROWS))
    assert _differences(waitlist) == []


@in_context
def _differences(waitlist: Waitlist) -> list[line_check.Difference]:
    return line_check.differences(waitlist)


def _start(installation: Installation, *arguments: str) -> "subprocess.Popen[bytes]":
    command = flask_command(*arguments)
    settings = environment(installation.settings)
    return subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, start_new_session=True)


def _joined(waitlist: Waitlist) -> int:
    (found,) = [row for row in all_rows(Waitlist) if row.id == waitlist.id]
    return found.subscribers_count
