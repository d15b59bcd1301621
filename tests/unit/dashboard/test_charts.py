"""Where bars and lines of a chart lie."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dashboard.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, bar_chart, line_chart
from app.dashboard.wording import duration

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(4)]
TEXTS = ["a", "b", "c", "d"]
FLOOR = HEIGHT - BOTTOM


def test_a_line_passes_over_days_without_a_value():
    chart = line_chart("Took", DAYS, {"p50": [10.0, 20.0, None, 40.0]}, TEXTS, duration)
    (line,) = chart.lines
    assert [x for x, _ in line.dots] == [118.0, 226.0, 442.0]
    assert line.dots[-1][1] == TOP
    assert line.path.split()[-1] == "442.0,12.0"
    assert [label for _, label in chart.ticks] == ["0 s", "10 s", "20 s", "30 s", "40 s"]
    assert [text for _, text in chart.labels] == ["1 Mar", "2 Mar", "3 Mar", "4 Mar"]


def test_bars_stand_on_each_other():
    chart = bar_chart("Runs", DAYS, {"success": [3, 0, 0, 1], "failed": [1, 0, 2, 0]}, TEXTS)
    first, second = chart.bars[0:4:1][0], next(bar for bar in chart.bars if bar.tone == "failed")
    assert (first.tone, first.y + first.height) == ("success", pytest.approx(FLOOR))
    assert second.y + second.height == pytest.approx(first.y)
    assert [label for _, label in chart.ticks] == ["0", "1", "2", "3", "4"]
    assert len(chart.bars) == 4


def test_a_chart_without_values_is_empty():
    assert bar_chart("", DAYS, {"success": [0, 0, 0, 0]}, TEXTS).empty
    assert line_chart("", DAYS, {"a": [None] * 4}, TEXTS, duration).empty
    assert not line_chart("", DAYS, {"a": [None, 0.0, None, None]}, TEXTS, duration).empty


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=90), st.booleans())
def test_every_point_lies_in_the_picture_and_every_value_below_the_top(values, percent):
    days = [DAYS[0] + timedelta(days=number) for number in range(len(values))]
    chart = line_chart("", days, {"a": values}, [""] * len(values), str, percent=percent)
    assert len(chart.lines[0].dots) == sum(value is not None for value in values)
    for x, y in chart.lines[0].dots:
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP - 0.1 <= y <= FLOOR
    assert 2 <= len(chart.ticks) <= 6
    assert len(chart.labels) <= 8
