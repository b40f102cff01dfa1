"""The figures of a long run as a table, for docs/reliability.md: `python -m tests.soak.table FILE`."""

import json
import sys
from pathlib import Path

import click


def rows(report: Path) -> list[str]:
    """The lines of a Markdown table: one for each figure in the report."""
    figures = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()] if report.exists() else []
    told = [f"| {each['name']} | {each['value']} | {each['trials']:,} |" for each in figures]
    return ["| Figure | Came out | Trials |", "| --- | --- | --- |", *told]


if __name__ == "__main__":
    click.echo("\n".join(rows(Path(sys.argv[1]))))
