"""Mutants: small faults put into the modules of [tool.coverage.run], one after the other, that tests must notice.

`python -m tests.mutants [module…]` works on a copy of the checkout, by mutmut, with the tests of the mutated module
alone (tests/models/test_token.py, test_token_….py), and on SQLite alone but for modules that have a way of their own on
PostgreSQL. Prints each survivor's difference and a table;
ends with status 1 where a module's score is below SCORE. mutmut leaves module-level statements and properties alone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from tests.databases import start_postgres
from tests.source import ROOT

SCORE = 90  # per cent
CHILDREN = os.cpu_count() or 1
KILLED = {"killed", "timeout"}
RESULT = re.compile(r"^ *([\w.ǁ]+__mutmut_\d+): (.+)$", re.MULTILINE)

# Modules that work while they are imported (decorators, statements put together once): each mutant is imported anew.
# It is slower; and what breaks the import shows as a timeout.
AT_IMPORT = ("decorators", "joining", "line", "line_count", "search")

TOLD_BY_TESTS_OF = {"line_count": ("line",)}  # whose statements are put together from it
ON_BOTH_ENGINES = ("joining", "search")  # one mutant at a time: they share a database

CONFIGURATION = """
[tool.mutmut]
source_paths = ["models", "blueprints"]
only_mutate = [{module!r}]
also_copy = ["app.py", "config.py", "migrations", "templates", "static", "tests", "docs", "README.md", "pyproject.toml"]
pytest_add_cli_args = {arguments!r}
pytest_add_cli_args_test_selection = {tests!r}
process_isolation = {isolation!r}
forkserver_warmup = "none"
"""


class Outcome(NamedTuple):
    """What became of a module's mutants."""

    module: str
    counts: Counter[str]
    survivors: list[str]

    @property
    def score(self) -> float:
        """The share of mutants that a test noticed, in per cent; one that no test reaches is not noticed."""
        return 100 * sum(self.counts[verdict] for verdict in KILLED) / max(1, self.counts.total())

    @property
    def row(self) -> str:
        """The line of a Markdown table."""
        others = ", ".join(
            f"{count} {verdict}" for verdict, count in sorted(self.counts.items()) if verdict != "killed"
        )
        return f"| {self.module} | {self.counts.total()} | {self.counts['killed']} | {others} | {self.score:.1f} % |"


def modules() -> list[str]:
    """The modules that are mutated: those whose every branch is covered."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(settings["tool"]["coverage"]["run"]["include"])


def tests_of(module: str) -> list[str]:
    """The test files that belong to a module."""
    folder, own = ROOT / "tests" / Path(module).parent, Path(module).stem
    names = (own, *TOLD_BY_TESTS_OF.get(own, ()))
    found = {file for name in names for form in ("", "_*") for file in folder.glob(f"test_{name}{form}.py")}
    return sorted(str(file.relative_to(ROOT)) for file in found)


def mutate(module: str, folder: Path) -> Outcome:
    """Mutate one module in a fresh copy of the checkout."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    name = Path(module).stem
    isolation = "forkserver" if name in AT_IMPORT else "fork"
    engines = [] if name in ON_BOTH_ENGINES else ["-k", "not postgresql"]
    arguments = [*engines, "-p", "no:cacheprovider"]
    with (folder / "pyproject.toml").open("a") as settings:
        settings.write(
            CONFIGURATION.format(module=module, tests=tests_of(module), isolation=isolation, arguments=arguments)
        )
    ran = mutmut(folder, "run", "--max-children", "1" if name in ON_BOTH_ENGINES else str(CHILDREN))
    found = dict(RESULT.findall(mutmut(folder, "results", "--all", "true")))
    if not found:
        raise SystemExit(f"{module}: no mutants were made.\n{ran[-3000:]}")
    if name in AT_IMPORT:  # mutmut's server of processes has imported some of them before it chose the mutant
        alone = [mutant for mutant, verdict in found.items() if verdict not in KILLED]
        found |= {mutant: "killed" for mutant in alone if dies_alone(folder, mutant, [*arguments, *tests_of(module)])}
    survivors = [mutant for mutant, verdict in found.items() if verdict not in KILLED]
    for mutant in survivors:
        click.echo(mutmut(folder, "show", mutant))
    return Outcome(module, Counter(found.values()), survivors)


def dies_alone(folder: Path, mutant: str, arguments: Sequence[str]) -> bool:
    """Whether a test notices the mutant in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", *arguments]
    environment = os.environ | {"MUTANT_UNDER_TEST": mutant}
    ran = subprocess.run(command, cwd=folder / "mutants", env=environment, capture_output=True, check=False)
    return ran.returncode != 0


def mutmut(folder: Path, *arguments: str) -> str:
    """Run mutmut and give back what it wrote; all its runs share one PostgreSQL."""
    start_postgres()
    command = [sys.executable, "-m", "mutmut", *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def main(wanted: Sequence[str]) -> int:
    """Mutate the modules that are named, or all; the exit status."""
    outcomes = []
    for module in wanted or modules():
        with tempfile.TemporaryDirectory(prefix="queuekey-mutants-") as folder:
            outcomes.append(mutate(module, Path(folder)))
            click.echo(outcomes[-1].row)
    click.echo("\n| Module | Mutants | Killed | Others | Score |\n| --- | --- | --- | --- | --- |")
    for outcome in outcomes:
        click.echo(outcome.row)
    return int(any(outcome.score < SCORE for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
