"""The bars that the product is to reach, and what was measured against each; nothing here bends them."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any, NamedTuple

from benchmarks.growth import PRIMARY_KEY

Results = Mapping[str, Any]

LEAST, MOST = "at least", "at most"
SMALL, LARGE = "10000", "1000000"  # as JSON has the sizes
FLAT = ("first page", "last page", "random page", "position", "rare search")
PAGES = ("first page", "last page", "random page")
NOT_MEASURED = "not measured"


class Bar(NamedTuple):
    """One bar: what is compared, on which side of the figure the measure must be, and the measure if there is one."""

    what: str
    side: str
    figure: float
    measured: float | None
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Whether it was reached."""
        if self.measured is None:
            return NOT_MEASURED
        is_reached = self.measured >= self.figure if self.side == LEAST else self.measured <= self.figure
        return "reached" if is_reached else "**not reached**"


def rate(part: Results, name: str) -> float | None:
    """The median of a contestant's requests per second."""
    return middle(part, name, "per_second")


def middle(part: Results, name: str, figure: str) -> float | None:
    """The median of one of a contestant's figures over the rounds."""
    rounds = part.get("figures", {}).get(name)
    return median(each[figure] for each in rounds) if rounds else None


def milliseconds(growth: Results, engine: str, operation: str, size: str) -> float | None:
    """The median time of an operation on a line of this size."""
    rounds = growth.get("milliseconds", {}).get(engine, {}).get(operation, {}).get(size)
    return median(rounds) if rounds else None


def ratio(above: float | None, below: float | None) -> float | None:
    """One figure against another, if both were taken."""
    return above / below if above and below else None


def bars(results: Results) -> list[Bar]:
    """Every bar, in the order in which they were set."""
    lists, creates = results.get("list", {}), results.get("create", {})
    ours = rate(lists, "Queuekey")
    joins = rate(creates, "Queuekey")
    against = [
        ("list call against the bare Flask route", 0.40, ours, rate(lists, "bare Flask route")),
        ("list call against Django REST framework", 8, ours, rate(lists, "Django REST framework")),
        ("list call against FastAPI, SQLAlchemy", 8, ours, rate(lists, "FastAPI, SQLAlchemy")),
        ("list call against FastAPI, constant total", 3.5, ours, rate(lists, "FastAPI, SQLAlchemy, constant total")),
        ("list call against Directus", 25, ours, rate(lists, "Directus")),
        ("list call against Strapi", 35, ours, rate(lists, "Strapi")),
        ("create call against Django REST framework", 3, joins, rate(creates, "Django REST framework")),
        ("create call against FastAPI, SQLAlchemy", 3, joins, rate(creates, "FastAPI, SQLAlchemy")),
    ]
    speed = [Bar(what, LEAST, figure, ratio(one, other)) for what, figure, one, other in against]
    return [*speed, *_growth_bars(results.get("growth", {})), *_hashing_bars(results.get("hashing", {}))]


def _growth_bars(growth: Results) -> Iterator[Bar]:
    for engine in ("sqlite", "postgresql"):
        for operation in FLAT:
            large, small = (milliseconds(growth, engine, operation, size) for size in (LARGE, SMALL))
            yield Bar(f"{operation}, 1M against 10k, {engine}", MOST, 2, ratio(large, small))
        last, first = (milliseconds(growth, engine, operation, LARGE) for operation in ("last page", "first page"))
        yield Bar(f"last page against first page at 1M, {engine}", MOST, 2, ratio(last, first))
    limit = milliseconds(growth, "sqlite", PRIMARY_KEY, LARGE)
    pages = [milliseconds(growth, "sqlite", operation, LARGE) or 0.0 for operation in PAGES]
    yield Bar(
        f"25 rows with places (slowest page) against {PRIMARY_KEY} at 1M, sqlite", MOST, 15, ratio(max(pages), limit)
    )


def _hashing_bars(hashing: Results) -> Iterator[Bar]:
    yield Bar("queries that find the key of a token", MOST, 1, hashing.get("queries"))
    times = hashing.get("microseconds", {})
    share = (
        ratio(100 * sum(times[name] for name in ("digest", "shape and checksum")), times["list call"])
        if times
        else None
    )
    yield Bar("hashing's share of the list call's time", MOST, 5, share, unit=" %")
