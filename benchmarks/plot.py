"""The plot of growth: milliseconds against the length of the line, both in powers of ten."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
STYLES = {"search": "--", "join": ":", "referral": ":", "key": "-."}
COLOURS = ("black", *(f"C{nth}" for nth in range(10)))  # the ten of matplotlib, and black for the limit


def draw(growth: Mapping[str, Any], file: Path) -> None:
    """Draw one panel per engine, one curve per operation, into an SVG file."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "queuekey"  # the same figures give the same file
    from matplotlib import pyplot

    measured = growth["milliseconds"]
    figure, panels = pyplot.subplots(1, len(measured), figsize=(5.5 * len(measured), 5), sharey=True, squeeze=False)
    for panel, (engine, operations) in zip(panels[0], measured.items(), strict=True):
        for colour, (operation, sizes) in zip(COLOURS, operations.items(), strict=True):
            style = next((style for word, style in STYLES.items() if operation.endswith(word)), "-")
            times = [median(rounds) for rounds in sizes.values()]
            panel.plot(
                [int(size) for size in sizes], times, style, color=colour, marker="o", markersize=3, label=operation
            )
        panel.set(xscale="log", yscale="log", title=TITLES[engine], xlabel="subscribers on the waitlist")
        panel.grid(visible=True, which="both", alpha=0.2)
    panels[0][0].set_ylabel("milliseconds (median)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4)
    figure.tight_layout(rect=(0, 0.14, 1, 1))
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
