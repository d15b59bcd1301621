"""Charts over days as SVG: where each bar, line and label lies. The template `trends/_chart.html` draws them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 520, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 12, 24
_STEPS = (1.0, 2.0, 5.0)
#: Steps that people read durations in: seconds, minutes, hours.
_TIME_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_TICKS = 4

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's part of a stack: a rectangle in the tone of a status."""

    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series: `dots`, the days that have a value, and `path`, the points of the line through them. Days without
    one, as of a weekend, are passed over.
    """

    name: str
    place: int
    path: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Day:
    """A day's column, for its tip: `text` says everything about it."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn. `ticks` are (y, label), `labels` (x, day); `empty`: there is nothing to draw."""

    title: str
    days: list[Day]
    ticks: list[tuple[float, str]]
    labels: list[tuple[float, str]]
    bars: list[Bar]
    lines: list[Line]

    #: The frame of the picture, and of what is drawn in it.
    width, height = WIDTH, HEIGHT
    left, right, top, floor = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM

    @property
    def empty(self) -> bool:
        return not self.bars and not any(line.dots for line in self.lines)


def bar_chart(title: str, days: Sequence[date], stacks: dict[str, Sequence[int]], texts: Sequence[str]) -> Chart:
    """Stacked counts: `stacks` is tone → a number for each day, from the bottom up."""
    top, ticks = _scale(max((sum(column) for column in zip(*stacks.values(), strict=True)), default=0), _nice_step)
    bars = []
    for number in range(len(days)):
        below = 0
        for tone, counts in stacks.items():
            if counts[number]:
                below += counts[number]
                x, width = _column(number, len(days))
                height = counts[number] / top * (HEIGHT - TOP - BOTTOM)
                bars.append(Bar(_round(x + width * 0.12), _y(below, top), _round(width * 0.76), _round(height), tone))
    return Chart(title, _days(texts), _ticks(ticks, top, str), _labels(days), bars, [])


def line_chart(
    title: str,
    days: Sequence[date],
    series: dict[str, Values],
    texts: Sequence[str],
    wording: Callable[[float], str],
    *,
    percent: bool = False,
) -> Chart:
    """Lines by name; `wording` says a value on the axis. Values are seconds, or where `percent` of a hundred."""
    if percent:
        top, ticks = 100.0, [0.0, 25.0, 50.0, 75.0, 100.0]
    else:
        top, ticks = _scale(
            max((value or 0.0 for values in series.values() for value in values), default=0), _time_step
        )
    lines = [_line(name, place, values, top) for place, (name, values) in enumerate(series.items())]
    return Chart(title, _days(texts), _ticks(ticks, top, wording), _labels(days), [], lines)


def _line(name: str, place: int, values: Values, top: float) -> Line:
    dots = []
    for number, value in enumerate(values):
        if value is not None:
            x, width = _column(number, len(values))
            dots.append((_round(x + width / 2), _y(value, top)))
    return Line(name, place, " ".join(f"{x},{y}" for x, y in dots), dots)


def _scale(highest: float, step_of: Callable[[float], float]) -> tuple[float, list[float]]:
    """The top of the axis and the values of its ticks, for values up to `highest`."""
    step = step_of(highest / _TICKS)
    count = max(1, -(-int(highest * 1000) // int(step * 1000)))
    return step * count, [step * number for number in range(count + 1)]


def _nice_step(least: float) -> float:
    size = 1.0
    while True:
        for factor in _STEPS:
            if factor * size >= least:
                return factor * size
        size *= 10


def _time_step(least: float) -> float:
    return next((float(step) for step in _TIME_STEPS if step >= least), 86_400.0 * _nice_step(least / 86_400))


def _column(number: int, count: int) -> tuple[float, float]:
    width = (WIDTH - LEFT - RIGHT) / count
    return LEFT + number * width, width


def _y(value: float, top: float) -> float:
    return _round(HEIGHT - BOTTOM - min(value, top) / top * (HEIGHT - TOP - BOTTOM))


def _round(value: float) -> float:
    return round(value, 1)


def _ticks(values: Sequence[float], top: float, wording: Callable[[float], str]) -> list[tuple[float, str]]:
    return [(_y(value, top), wording(int(value) if value == int(value) else value)) for value in values]


def _labels(days: Sequence[date]) -> list[tuple[float, str]]:
    """About seven days by name, the last one among them."""
    every = max(1, -(-len(days) // 7))
    chosen = [number for number in range(len(days)) if (len(days) - 1 - number) % every == 0]
    places = [(_column(number, len(days)), days[number]) for number in chosen]
    return [(_round(x + width / 2), f"{day.day} {day:%b}") for (x, width), day in places]


def _days(texts: Sequence[str]) -> list[Day]:
    places = [_column(number, len(texts)) for number in range(len(texts))]
    return [Day(_round(x), _round(width), text) for (x, width), text in zip(places, texts, strict=True)]
