"""Rows of results and the table that shows them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS, RATE, SPEED, MEMORY, SIZE = "ms", "/s", "MB/s", "MB", "kB"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `limit` is the peer's or the physical limit's figure, empty where there is none.

    Samples are seconds, or what `unit` says: a rate, a speed in MB/s, MB of memory, or kB.
    """

    what: str
    ours: Sequence[float]
    against: str
    limit: Sequence[float]
    aim: str
    unit: str = SECONDS


def figure(samples: Sequence[float], unit: str = SECONDS) -> str:
    """Median, and the spread from the lowest to the highest sample where there is more than one."""
    if not samples:
        return "–"
    scale = 1000 if unit == SECONDS else 1
    low, middle, high = (_plain(value * scale) for value in (min(samples), statistics.median(samples), max(samples)))
    return f"{middle} {unit}" if len(samples) == 1 else f"{middle} {unit} ({low}–{high})"


def ratio(row: Row) -> str:
    """Ours by the limit's, of the medians; of times and memory the difference too."""
    if not row.limit:
        return "–"
    ours, limit = statistics.median(row.ours), statistics.median(row.limit)
    if not limit:
        return "–"
    more = f" ({(ours - limit) * 1000:+.0f} ms)" if row.unit == SECONDS else ""
    more = f" ({ours - limit:+.0f} MB)" if row.unit == MEMORY else more
    return f"{ours / limit:.2f} ×{more}"


def percentile(samples: Sequence[float], percent: int) -> float:
    """The value that so many percent of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def render(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table; figures are medians, with lowest and highest sample in parentheses."""
    lines = ["| what | ours | against | its figure | ratio | aim |", "|---|---|---|---|---|---|"]
    for row in rows:
        figures = (figure(row.ours, row.unit), row.against, figure(row.limit, row.unit), ratio(row), row.aim)
        lines.append(f"| {' | '.join((row.what, *figures))} |")
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 10 else f"{value:,.0f}"
