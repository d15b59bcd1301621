"""The tests of a pipeline, and one test through all runs."""

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project
from app.dashboard.routing import LARGEST_KEY
from app.domain.permissions import Action
from app.http.edge import core
from app.services.pipelines.show_pipeline import find_pipeline
from app.services.reports.case_history import case_history
from app.services.reports.coverage_of import pipeline_coverage
from app.services.reports.find_cases import STATUSES, Wish, find_cases
from app.services.reports.show_tests import suites_of


@pages.get("/<project:path>/-/pipelines/<key:pipeline_id>/test_report")
def pipeline_test_report(path: str, pipeline_id: int) -> ResponseReturnValue:
    """`?status=`, `?suite=`, `?search=` choose; `?sort=slowest`; `?after=` is the `next` of the page before."""
    project = open_project(path, Action.READ_PIPELINE)
    pipeline = find_pipeline(core(), project, pipeline_id)
    status, suite, text = (request.args.get(name, "") for name in ("status", "suite", "search"))
    wish = Wish(
        status=status if status in STATUSES else "",
        suite=suite,
        text=text.strip(),
        slowest=request.args.get("sort") == "slowest",
        after=_place(request.args.get("after", "")),
    )
    found = find_cases(core(), pipeline, wish)
    chosen = {"status": wish.status, "suite": suite, "search": wish.text, "sort": "slowest" if wish.slowest else ""}
    g.section = "pipelines"
    return render_template(
        "tests/list.html",
        project=project,
        pipeline=pipeline,
        suites=suites_of(core(), pipeline),
        coverage=pipeline_coverage(core(), pipeline),
        found=found,
        wish=wish,
        chosen={name: value for name, value in chosen.items() if value},
        more=f"{found.next[0]}-{found.next[1]}" if found.next else "",
    )


@pages.get("/<project:path>/-/tests/<key:case_key>")
def one_test(path: str, case_key: int) -> ResponseReturnValue:
    """The last runs of one test on the default branch; `?ref=` another one, `?ref=*` any."""
    project = open_project(path, Action.READ_PIPELINE)
    ref = request.args.get("ref", "").strip() or project.default_branch
    g.section = "pipelines"
    history = case_history(core(), project, case_key, "" if ref == "*" else ref)
    return render_template("tests/history.html", project=project, history=history, ref=ref, case_key=case_key)


def _place(text: str) -> tuple[int, int] | None:
    """Where a page goes on, None for what makes no sense."""
    rank, _, number = text.partition("-")
    if not (rank.isascii() and rank.isdigit() and number.isascii() and number.isdigit() and len(text) < 24):
        return None
    return (int(rank), int(number)) if int(number) <= LARGEST_KEY and int(rank) < 100 else None
