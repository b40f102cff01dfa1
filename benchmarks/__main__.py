"""`python -m benchmarks`: measures, keeps the results in the cache folder and writes docs/performance.md."""

import json
import os
import platform
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg

from benchmarks import calls, growth, hashing, report
from benchmarks.databases import ENGINES, store
from benchmarks.rounds import Setup

HERE = Path(__file__).parent
PARTS: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "list": calls.list_call,
    "create": calls.create_call,
    "writers": calls.writers,
    "growth": growth.growth,
    "hashing": hashing.hashing,
}


def _numbers(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, ...]:
    return tuple(sorted(int(part.replace("_", "")) for part in value.split(",")))


def _names(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(value.split(","))


@click.command(context_settings={"show_default": True})
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--rounds", type=click.IntRange(1), default=9, help="Interleaved rounds; one more warms up.")
@click.option("--seconds", type=click.IntRange(1), default=3, help="Of load per round and server.")
@click.option("--sizes", default="10000,100000,1000000", callback=_numbers, help="Of the lines, for growth.")
@click.option("--engines", default=",".join(ENGINES), callback=_names, help="For growth and writers.")
@click.option("--peer-engine", type=click.Choice(ENGINES), default="sqlite", help="For list and create.")
@click.option("--workers", type=click.IntRange(1), default=2, help="Worker processes of every server.")
@click.option("--connections", type=click.IntRange(1), default=16, help="That ask for the list.")
@click.option("--writers", type=click.IntRange(1), default=8, help="That create at once.")
@click.option("--cache", type=click.Path(path_type=Path), default=HERE / ".cache", show_default="benchmarks/.cache")
@click.option("--docs", type=click.Path(path_type=Path), default=HERE.parent / "docs", show_default="docs")
def main(parts: tuple[str, ...], cache: Path, docs: Path, **options: Any) -> None:
    """Measure PARTS (all of them by default) and write the report of what has been measured so far."""
    setup = Setup(cache=cache.resolve(), **options)
    setup.cache.mkdir(parents=True, exist_ok=True)
    kept = setup.cache / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in parts or PARTS:
        click.echo(f"{name}:", err=True)
        measured = PARTS[name](setup)
        results[name] = json.loads(json.dumps(measured | _circumstances(setup)))
        kept.write_text(json.dumps(results, indent=1))
    ordered = {name: results[name] for name in PARTS if name in results}
    report.write(ordered, docs)
    for line in report.summary(ordered):
        click.echo(line)


def _circumstances(setup: Setup) -> dict[str, Any]:
    """When, and on what, without naming anybody's machine."""
    with psycopg.connect(store("postgresql", setup.cache).url("postgres")) as connection:
        postgresql = connection.info.server_version // 10000
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": postgresql,
        "rounds": setup.rounds,
        "seconds": setup.seconds,
    }


if __name__ == "__main__":
    main()
