"""A developer's shell: bash, with this Python and pip, node, and curl or what stands in for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import playwright

NODE = Path(playwright.__file__).parent / "driver" / "node"  # which drives the browser
CURLRC = 'silent\nwrite-out = "%{stderr}%{http_code}"\n'  # the status for the tests, beside what people see
STAND_IN = f"#!/bin/sh\nexec '{sys.executable}' '{Path(__file__).parent / 'curl.py'}' \"$@\"\n"


def environment(folder: Path, *, has_curl: bool = True, **variables: str) -> dict[str, str]:
    """The variables of a shell whose commands and settings lie in `folder`, and nothing of ours but these."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (commands / "node").symlink_to(NODE)
    if not has_curl or shutil.which("curl") is None:
        (commands / "curl").write_text(STAND_IN)
        (commands / "curl").chmod(0o755)
    (folder / ".curlrc").write_text(CURLRC)
    path = os.pathsep.join((str(commands), str(Path(sys.executable).parent), os.environ["PATH"]))
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("QUEUEKEY_")}
    return theirs | {"PATH": path, "CURL_HOME": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8"} | variables


def run(script: str, folder: Path, variables: dict[str, str], stdin: str = "") -> None:
    """Run a script of bash in `folder`, every command of which must succeed; complaints lie in .err files beside it."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=variables, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + "".join(path.read_text() for path in folder.parent.glob("*.err"))
