"""`python -m queuekey smoke` for CI, and `python -m queuekey export`. The token comes from QUEUEKEY_TOKEN alone."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from queuekey.answers import ExportedSubscriber
from queuekey.client import Queuekey
from queuekey.errors import QueuekeyError
from queuekey.smoke import MARKED_EMAIL, steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if all went well, 1 if not, 2 for wrong arguments."""
    given = _parser().parse_args(arguments)
    try:
        return _smoke(given) if given.command == "smoke" else _export(given)
    except BrokenPipeError:  # whoever reads has had enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # lives as long as the process
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m queuekey", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    smoke = commands.add_parser("smoke", help="check token, list and, with --create, creating: a line for each")
    smoke.add_argument("--create", action="store_true", help="create a marked subscriber, and find it")
    smoke.add_argument("--email", default=MARKED_EMAIL, help="whom --create creates (default: %(default)s)")
    export = commands.add_parser("export", help="write every subscriber as a JSON line, in the order of joining")
    export.add_argument("--after", metavar="ID", help="only those who joined after this subscriber")
    for command in (smoke, export):
        waitlist = os.environ.get("QUEUEKEY_WAITLIST", "")
        command.add_argument("--waitlist", default=waitlist, metavar="wl_…", help="default: QUEUEKEY_WAITLIST")
        command.add_argument("--url", help="where Queuekey answers (default: QUEUEKEY_URL)")
    return parser


def _smoke(given: argparse.Namespace) -> int:
    is_well = True
    for step in steps(lambda: Queuekey(url=given.url), given.waitlist, given.email if given.create else ""):
        print(step, flush=True)
        is_well = is_well and step.is_well
    return 0 if is_well else 1


def _export(given: argparse.Namespace) -> int:
    last = given.after
    try:
        with Queuekey(url=given.url) as queuekey:
            for subscriber in queuekey.export(given.waitlist, after=last):
                print(_line(subscriber))
                last = subscriber.id
            sys.stdout.flush()
    except QueuekeyError as error:
        print(f"{error}{f' Go on with --after {last}.' if last else ''}", file=sys.stderr)
        return 1
    return 0


def _line(subscriber: ExportedSubscriber) -> str:
    joined_at = subscriber.joined_at.isoformat().replace("+00:00", "Z")
    return json.dumps(asdict(subscriber) | {"joined_at": joined_at}, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
