"""How every figure is taken: in interleaved rounds, and compared by the medians of one run."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

T = TypeVar("T")


class Setup(NamedTuple):
    """How thoroughly is measured, and on what."""

    rounds: int
    seconds: int
    workers: int
    connections: int
    writers: int
    sizes: tuple[int, ...]
    engines: tuple[str, ...]
    peer_engine: str
    cache: Path


def interleaved(tasks: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Do the tasks in turn, A B C A B C and so on, so that a noisy minute falls on all of them alike."""
    results: dict[str, list[T]] = {name: [] for name in tasks}
    for nth in range(rounds):
        for name, task in tasks.items():
            click.echo(f"\r\033[K  round {nth + 1} of {rounds}: {name}", nl=False, err=True)
            results[name].append(task())
    click.echo("\r\033[K", nl=False, err=True)
    return results


def timed(call: Callable[[], object], budget_seconds: float, at_least: int = 3, at_most: int = 500) -> list[float]:
    """Milliseconds of each of some calls: as many as fit into the budget."""
    times: list[float] = []
    end = time.perf_counter() + budget_seconds
    while len(times) < at_least or (time.perf_counter() < end and len(times) < at_most):
        before = time.perf_counter()
        call()
        times.append((time.perf_counter() - before) * 1000)
    return times
