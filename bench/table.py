"""Rows of results and the table that shows them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. Samples are seconds; `limit` is the peer's or the physical limit's, empty where there is none."""

    what: str
    ours: Sequence[float]
    against: str
    limit: Sequence[float]
    aim: str


def milliseconds(samples: Sequence[float]) -> str:
    """Median, and the spread from the fastest to the slowest run."""
    if not samples:
        return "–"
    low, middle, high = min(samples), statistics.median(samples), max(samples)
    return f"{middle * 1000:.0f} ms ({low * 1000:.0f}–{high * 1000:.0f})"


def ratio(row: Row) -> str:
    """Ours by the limit's, of the medians, and the difference."""
    if not row.limit:
        return "–"
    ours, limit = statistics.median(row.ours), statistics.median(row.limit)
    return f"{ours / limit:.2f} × (+{(ours - limit) * 1000:.0f} ms)"


def render(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table; figures are medians, with fastest and slowest run in parentheses."""
    lines = ["| what | ours | against | its figure | ratio | aim |", "|---|---|---|---|---|---|"]
    for row in rows:
        figures = (milliseconds(row.ours), row.against, milliseconds(row.limit), ratio(row), row.aim)
        lines.append(f"| {' | '.join((row.what, *figures))} |")
    return "\n".join(lines) + "\n"
