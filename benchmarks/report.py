"""docs/performance.md: the bars beside what was measured, then every figure; ratios first, no machine's name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import plot
from benchmarks.bars import LEAST, NOT_MEASURED, Bar, bars, middle, ratio
from benchmarks.plot import TITLES

Results = Mapping[str, Any]
ENOUGH_ROUNDS, ENOUGH_SECONDS = 7, 2

HEAD = """\
# Performance

This page is written by `make bench`; [benchmarks/README.md](../benchmarks/README.md) says how each figure is taken.
Figures are medians over interleaved rounds (A B C A B C …), ratios are those of medians in one run: a ratio
travels from machine to machine, a number of requests per second does not.
"""
SMALL_RUN = """
> **A small run.** It shows that the programs work; its figures say little about the product.
"""
LIST = """
## The list call

`GET …/subscribers`, 25 rows of {size:,} with their places and an exact total, {engine}, {workers} worker processes for
everybody, {connections} connections ({driver}). The bare Flask route does nothing but return the same bytes.
"""
CREATE = """
## The create call

`POST …/subscribers` with its activity event, {engine}, committed with the same durability by everybody,
{workers} worker processes, {writers} writers, a line of {size:,}.
"""
WRITERS = """
## Many writers at once

Queuekey alone: {writers} writers join one waitlist without a pause. The fewest creates of one writer are given
against an equal share of all.
"""
GROWTH = """
## Growth

The models called directly, in milliseconds. A page has 25 rows with their places; a search is for a term that 20
addresses contain (rare), 1 % of them (medium), 40 % (frequent), or for two letters (short). Its total is exact, so
that what counts many matches grows with them. Joins are committed durably. “25 rows by primary key” is the physical
limit.

![Milliseconds by the length of the line](performance.svg)
"""
KEYS = """
## Finding the key

In one process, without a server.
"""


def write(results: Results, folder: Path) -> None:
    """Write the page, and the plot if growth was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    if "growth" in results:
        plot.draw(results["growth"], folder / "performance.svg")
    (folder / "performance.md").write_text(
        "\n".join(_lines(results)).replace("\n\n\n", "\n\n") + "\n", encoding="utf-8"
    )


def _lines(results: Results) -> Iterator[str]:
    yield HEAD
    yield from _circumstances(results)
    if any(_is_small(part) for part in results.values()):
        yield SMALL_RUN
    yield "\n## The bars\n"
    yield from _table(("What", "Bar", "Measured", ""), [_bar_row(bar) for bar in bars(results)])
    for name, title in (("list", LIST), ("create", CREATE)):
        if name in results:
            yield title.format(**results[name] | {"engine": TITLES[results[name]["engine"]]})
            yield from _comparison(results[name])
    if "writers" in results:
        yield from _writers(results["writers"]["engines"])
    if "growth" in results:
        yield GROWTH
        yield from _growth(results["growth"])
    if "hashing" in results:
        yield KEYS
        times = results["hashing"]["microseconds"]
        rows = [(name, f"{time:.1f}", f"{100 * time / times['list call']:.1f} %") for name, time in times.items()]
        yield from _table(("", "Microseconds", "Of the list call"), rows)


def _circumstances(results: Results) -> Iterator[str]:
    rows = [
        (name, part["date"], part["processors"], part["rounds"], part["python"], part["sqlite"], part["postgresql"])
        for name, part in results.items()
    ]
    heads = ("Part", "Date", "Processors", "Rounds", "Python", "SQLite", "PostgreSQL")
    yield from _table(heads, [tuple(map(str, row)) for row in rows])


def _is_small(part: Results) -> bool:
    return bool(part["rounds"] < ENOUGH_ROUNDS or part["seconds"] < ENOUGH_SECONDS)


def _bar_row(bar: Bar) -> tuple[str, ...]:
    measured = "" if bar.measured is None else f"{_short(bar.measured)}{bar.unit or _times(bar)}"
    return bar.what, f"{bar.side} {bar.figure:g}{bar.unit or _times(bar)}", measured, bar.verdict


def _times(bar: Bar) -> str:
    return "" if bar.what.startswith("queries") else " times"


def _comparison(part: Results) -> Iterator[str]:
    """Requests per second of everybody, and how many times as many are ours."""
    ours, rows = middle(part, "Queuekey", "per_second"), []
    for name, rounds in part["figures"].items():
        rates = [each["per_second"] for each in rounds]
        times = ratio(ours, median(rates)) or 0.0
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        p99 = f"{median(each['p99_ms'] for each in rounds):,.0f}"
        rows.append((name, f"{median(rates):,.0f}", spread, p99, "" if name == "Queuekey" else _short(times)))
    yield from _table(("", "Per second", "Lowest and highest round", "p99, ms", "Queuekey is … times as fast"), rows)


def _writers(engines: Results) -> Iterator[str]:
    yield WRITERS.format(**next(iter(engines.values())))
    rows = []
    for engine, part in engines.items():
        figures = [middle(part, "Queuekey", name) or 0 for name in ("per_second", "p99_ms", "slowest_ms")]
        share = middle(part, "Queuekey", "least_share") or 0
        rows.append((TITLES[engine], *(f"{figure:,.0f}" for figure in figures), f"{share:.0%}"))
    heads = ("", "Creates per second", "p99, ms", "Slowest of a round, ms", "Fewest of one writer")
    yield from _table(heads, rows)


def _growth(growth: Results) -> Iterator[str]:
    for engine, operations in growth["milliseconds"].items():
        sizes = [f"{size:,}" for size in growth["sizes"]]
        rows = []
        for operation, by_size in operations.items():
            times = [median(rounds) for rounds in by_size.values()]
            rows.append((operation, *map(_short, times), _short(times[-1] / times[0])))
        yield f"\n### {TITLES[engine]}\n"
        yield from _table(("Milliseconds", *sizes, "Largest against smallest"), rows)


def _short(number: float) -> str:
    """Three digits that mean something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def summary(results: Results) -> Iterator[str]:
    """The bars that were measured, for the terminal."""
    for bar in bars(results):
        if bar.verdict != NOT_MEASURED:
            side = "≥" if bar.side == LEAST else "≤"
            yield f"{bar.what}: {_short(bar.measured or 0)} ({side} {bar.figure:g}) {bar.verdict.strip('*')}"
