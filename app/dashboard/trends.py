"""How a project does over time: durations, waiting, success, coverage, the slowest and the flakiest."""

from dataclasses import dataclass
from datetime import timedelta

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.charts import Chart, bar_chart, line_chart
from app.dashboard.context import open_project
from app.dashboard.wording import duration
from app.domain.permissions import Action
from app.http.edge import core
from app.services.reports.flaky_tests import flakiest_tests
from app.services.reports.trends import LISTED, WINDOWS, Trends, show_trends

DEFAULT_WINDOW = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A day of the table below the charts, all in words."""

    day: str
    cells: list[str]


@pages.get("/<project:path>/-/pipelines/charts")
def trends(path: str) -> ResponseReturnValue:
    """`?days=` one of WINDOWS; `?ref=` the pipelines of one branch or tag."""
    project = open_project(path, Action.READ_PIPELINE)
    days = next((window for window in WINDOWS if request.args.get("days") == str(window)), DEFAULT_WINDOW)
    ref = request.args.get("ref", "").strip()
    found = show_trends(core(), project, days, ref)
    g.section = "trends"
    return render_template(
        "trends/show.html",
        project=project,
        days=days,
        windows=WINDOWS,
        ref=ref,
        trends=found,
        total=sum(day.total for day in found.pipelines),
        passed=sum(day.passed for day in found.pipelines),
        charts=[chart for chart in _charts(found) if not chart.empty],
        rows=_rows(found),
        flaky_tests=flakiest_tests(core(), project, core().now() - timedelta(days=days), LISTED),
    )


def _charts(found: Trends) -> list[Chart]:
    runs, jobs = found.pipelines, found.jobs
    days = [day.day for day in runs]
    return [
        bar_chart(
            "Pipelines",
            days,
            {"success": [day.passed for day in runs], "failed": [day.total - day.passed for day in runs]},
            [f"{day.day:%-d %B}: {day.passed} passed, {day.total - day.passed} failed" for day in runs],
        ),
        line_chart(
            "Duration of pipelines",
            days,
            {"half are quicker than": [day.p50 for day in runs], "95 % are quicker than": [day.p95 for day in runs]},
            [f"{day.day:%-d %B}: half {_time(day.p50)}, 95 % {_time(day.p95)}" for day in runs],
            _axis_time,
        ),
        line_chart(
            "Waiting for a runner",
            days,
            {
                "half wait less than": [day.queue_p50 for day in jobs],
                "95 % wait less than": [day.queue_p95 for day in jobs],
            },
            [f"{day.day:%-d %B}: half {_time(day.queue_p50)}, 95 % {_time(day.queue_p95)}" for day in jobs],
            _axis_time,
        ),
        line_chart(
            "Coverage",
            days,
            {"mean of all jobs": [day.coverage for day in jobs]},
            [f"{day.day:%-d %B}: {_percent(day.coverage)}" for day in jobs],
            lambda value: f"{value} %",
            percent=True,
        ),
    ]


def _rows(found: Trends) -> list[Row]:
    """The days that have anything, newest first."""
    rows = []
    for run, job in zip(reversed(found.pipelines), reversed(found.jobs), strict=True):
        if run.total or job.total:
            cells = [str(run.total), _percent(run.success_rate), _time(run.p50), _time(run.p95)]
            cells += [_time(job.queue_p50), _time(job.queue_p95), _percent(job.coverage)]
            rows.append(Row(f"{run.day:%Y-%m-%d}", cells))
    return rows


def _time(seconds: float | None) -> str:
    return duration(seconds) or "\u2013"


def _axis_time(seconds: float) -> str:
    """Without the noughts: 4 min."""
    return duration(seconds).removesuffix(" 0 s").removesuffix(" 0 min")


def _percent(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.0f} %"
