"""Pictures of the main pages, light and dark, as the README and docs show them.

Every run makes them and looks for faults of the pages; `make screenshots` keeps them in docs/screenshots.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from app.domain.plan import JobPlan, Need, Step
from app.models import Pipeline, Project, write
from tests.browser.windows import Place, shared_place, watched_window
from tests.factories import make_commit, make_job, make_manager, make_pipeline, make_project, make_runner, print_trace

pytestmark = pytest.mark.browser

LOG = b"""section_start:1:prepare_script\r\x1b[0KPreparing the workspace of acme/rocket
section_end:2:prepare_script\r\x1b[0Ksection_start:2:step_script\r\x1b[0KExecuting "step_script" stage of the job script
\x1b[32;1m$ make test\x1b[0;m
\x1b[36mengine\x1b[0m    42 passed
\x1b[36mguidance\x1b[0m  17 passed
\x1b[36mlanding\x1b[0m   \x1b[31m1 failed\x1b[0m, 12 passed
  legs_are_down: expected 4 legs, found 3
make: *** [Makefile:12: test] Error 2
section_end:9:step_script\r\x1b[0K\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m
"""
#: Name, stage, needs, and when it ran, in seconds after the pipeline began.
JOBS = (
    ("compile", "build", None, 0, 41),
    ("docs", "build", None, 0, 12),
    ("unit: [3.11]", "test", ("compile",), 41, 63),
    ("unit: [3.12]", "test", ("compile",), 41, 66),
    ("unit: [3.13]", "test", ("compile",), 41, 65),
    ("landing", "test", ("compile",), 41, 58),
    ("style", "test", (), 0, 7),
    ("preview", "deploy", ("compile", "docs"), 41, 49),
    ("launch", "deploy", None, 66, 70),
)
OLDER = (
    ("Fold the solar panels before the burn", "success"),
    ("Trim the landing gear", "success"),
    ("Count legs", "failed"),
)


@pytest.fixture(scope="module")
def place(chromium: Browser, tmp_path_factory, sqlite_template) -> Iterator[Place]:
    with shared_place(chromium, tmp_path_factory.mktemp("screenshots"), sqlite_template) as place:
        yield place


@pytest.fixture(scope="module")
def pages(place: Place) -> dict[str, str]:
    """The name of each picture, and the address of its page."""
    runner, _ = make_runner(place.core, description="builder")
    make_manager(place.core, runner, executor="podman", version="0.1.0", platform="linux", architecture="amd64")
    project = make_project(place.core, "acme/rocket", creator=place.admin)
    for age, (title, status) in zip((50, 26, 3), OLDER, strict=True):
        _pipeline(place, project, title, timedelta(hours=age), status, runner.id)
    pipeline_id, failed = _pipeline(place, project, "Land on three legs", timedelta(minutes=3), "failed", runner.id)
    print_trace(place.core, failed, LOG)
    return {
        "projects": "/",
        "pipelines": "/acme/rocket/-/pipelines",
        "pipeline": f"/acme/rocket/-/pipelines/{pipeline_id}",
        "job": f"/acme/rocket/-/jobs/{failed}",
    }


def _pipeline(
    place: Place, project: Project, title: str, age: timedelta, status: str, runner_id: int
) -> tuple[int, int]:
    """A pipeline with JOBS, whose job `landing` ended with `status`; their ids."""
    core, begin = place.core, place.core.now() - age
    sha = hashlib.sha1(title.encode()).hexdigest()
    made = make_pipeline(core, project, user=place.admin, status=status, sha=sha, commit=make_commit(sha, begin, title))
    with write(core.session):
        made.created_at = made.started_at = begin
        made.finished_at, made.duration = begin + timedelta(seconds=66), 66
    ids = {job[0]: _job(place, made, runner_id, status, *job) for job in JOBS}
    return made.id, ids["landing"]


def _job(place: Place, pipeline: Pipeline, runner_id: int, landing: str, name, stage, needs, start, end) -> int:
    status = landing if name == "landing" else "success"
    if landing == "failed" and name == "launch":
        return make_job(place.core, pipeline, plan=_plan(name, stage, needs), status="skipped").id
    times = {"started_at": pipeline.started_at + timedelta(seconds=start)}
    times["finished_at"] = pipeline.started_at + timedelta(seconds=end)
    failure = {"failure_reason": "script_failure", "exit_code": 2} if status == "failed" else {}
    given = {"status": status, "runner_id": runner_id, "queued_at": times["started_at"], **times, **failure}
    return make_job(place.core, pipeline, plan=_plan(name, stage, needs), **given).id


def _plan(name: str, stage: str, needs: Sequence[str] | None) -> JobPlan:
    found = None if needs is None else tuple(Need(need) for need in needs)
    return JobPlan(name, stage, (Step("script", ("make test",)),), needs=found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_have_their_picture_taken(chromium: Browser, place: Place, pages, scheme: str, tmp_path: Path):
    folder = Path(os.environ.get("SKERRY_SCREENSHOTS") or tmp_path)
    with watched_window(chromium, place.url, storage_state=place.signed_in, color_scheme=scheme) as page:
        for name, address in pages.items():
            answer = page.goto(address)
            assert answer, address
            assert answer.ok, address
            page.wait_for_load_state()
            page.evaluate("document.fonts.ready")
            picture = page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")
            assert len(picture) > 10_000, f"{name} is nearly empty"
