"""A project with some weeks behind it, as the pictures of the main pages show it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.junit import Case
from app.domain.plan import JobPlan, Need, Step
from app.git.build import Person, Placed, write_blob, write_commit, write_tree
from app.models import Job, Pipeline, Project, write
from app.services.reports.read_report import ReadReport, keep_report
from tests.browser.windows import Place
from tests.factories import make_commit, make_job, make_manager, make_pipeline, make_project, make_runner, print_trace

LOG = b"""section_start:1:prepare_script\r\x1b[0KPreparing the workspace of acme/rocket
section_end:2:prepare_script\r\x1b[0Ksection_start:2:step_script\r\x1b[0KExecuting "step_script" stage of the job script
\x1b[32;1m$ make test\x1b[0;m
\x1b[36mengine\x1b[0m    42 passed
\x1b[36mguidance\x1b[0m  17 passed
\x1b[36mlanding\x1b[0m   \x1b[31m1 failed\x1b[0m, 12 passed
  legs_are_down: AssertionError: expected 4 legs, found 3
make: *** [Makefile:12: test] Error 2
section_end:9:step_script\r\x1b[0K\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m
"""
GREEN_LOG = LOG.replace(b"\x1b[31m1 failed\x1b[0m, 12 passed", b"13 passed").partition(b"  legs")[0]
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
#: How many hours ago, what its commit says, and how its `landing` ended. The first is the newest.
PIPELINES = (
    (0, "Land on three legs", "failed"),
    (20, "Count legs", "success"),
    (30, "Trim the landing gear", "success"),
    (50, "Fold the solar panels before the burn", "success"),
)
#: Of the days before these, each seventh and the one after it are free; the others have a short and a long pipeline.
DAYS = 27
TITLES = (
    "Weigh the fuel again", "Name the thrusters", "Turn the antenna home", "Spare a kilogram of paint",
    "Read the gyroscope twice", "Sleep through the cruise", "Log what the radar sees",
)  # fmt: skip
WRONG = (
    "AssertionError: expected 4 legs, found 3\n\n  landing/test_gear.py:41: in test_legs_are_down\n    assert legs == 4"
)
ADA = Person("Ada", "ada@example.com")


@dataclass(frozen=True, slots=True)
class Rocket:
    """The newest pipeline, and its job `landing`, which failed."""

    pipeline_id: int
    failed: int


def make_rocket(place: Place) -> Rocket:
    """The project acme/rocket with its runners, pipelines, tests and logs."""
    core = place.core
    builder, _ = make_runner(core, description="builder", tags=["linux"])
    make_manager(core, builder, executor="podman", version="0.1.0", platform="linux", architecture="amd64")
    slow, _ = make_runner(core, description="raspberry", tags=["arm64"], run_untagged=False)
    make_manager(
        core, slow, "s_ba9876543210", executor="podman", version="0.1.0", platform="linux", architecture="arm64"
    )
    with write(core.session):
        builder.contacted_at, slow.contacted_at = core.now(), core.now() - timedelta(hours=5)
    project = make_project(core, "acme/rocket", creator=place.admin)
    for day in range(DAYS, 2, -1):
        if day % 7 not in (3, 4):
            _plain_pipeline(place, project, day, 0, builder.id)
            _plain_pipeline(place, project, day, 1, builder.id)
    shas = _commits(place, project, [title for _, title, _ in reversed(PIPELINES)])
    for (hours, title, status), sha in zip(reversed(PIPELINES), shas, strict=True):
        begin = core.now() - timedelta(hours=hours, minutes=3)
        made = _pipeline(place, project, make_commit(sha, begin, title), begin, status)
        ids = {job[0]: _job(place, made, builder.id, status, *job) for job in JOBS}
        _landed(place, ids["landing"], status)
    waiting = make_pipeline(
        core, make_project(core, "acme/station", creator=place.admin), user=place.admin, status="pending"
    )
    make_job(core, waiting, name="simulate", tags=["gpu"], waiting_reason="No runner has the tag gpu.")
    return Rocket(made.id, ids["landing"])


def _commits(place: Place, project: Project, titles: Sequence[str]) -> list[str]:
    """A commit for each title, each on top of the one before."""
    repository, shas = place.core.repositories.open(project.id), list[str]()
    for lines, title in enumerate(titles, 3):
        blob = write_blob(repository, b"leg\n" * lines)
        tree = write_tree(repository, None, [Placed("gear.py", "100644", blob)])
        shas.append(write_commit(repository, tree, shas[-1] if shas else None, title, ADA, ADA, place.core.now()))
    return shas


def _plain_pipeline(place: Place, project: Project, day: int, second: int, runner_id: int) -> None:
    """A pipeline of one job; how long it waited and took wanders, and some fail at first."""
    chance = hashlib.sha1(f"{day} {second}".encode()).digest()
    begin, title = place.core.now() - timedelta(days=day, hours=-3 * second), TITLES[(2 * day + second) % len(TITLES)]
    status, took = "failed" if chance[0] < 30 else "success", 48 + chance[1] // 16 + second * (12 + chance[2] // 8)
    made = _pipeline(place, project, make_commit(chance.hex(), begin, title), begin, status, took)
    given = {"queued_at": begin - timedelta(seconds=1 + chance[3] // 20), "coverage": 76 + (DAYS - day) / 4}
    _job(place, made, runner_id, status, "landing", "test", None, 0, took, **given)
    if status == "failed":
        _job(place, made, runner_id, "success", "landing", "test", None, took, took + 40, attempt=2)


def _pipeline(
    place: Place, project: Project, commit: dict, begin: datetime, status: str, seconds: int = 66
) -> Pipeline:
    given = {"status": status, "calculated_status": "failure" if status == "failed" else "succeeded"}
    made = make_pipeline(place.core, project, user=place.admin, sha=commit["id"], commit=commit, **given)
    with write(place.core.session):
        made.created_at = made.started_at = begin
        made.finished_at, made.duration = begin + timedelta(seconds=seconds), seconds
    return made


def _job(
    place: Place, pipeline: Pipeline, runner_id: int, landing: str, name, stage, needs, start, end, **given
) -> int:
    """A job that ran then; `landing` ended with that status, the others passed."""
    status = landing if name == "landing" else "success"
    if landing == "failed" and name == "launch":
        return make_job(place.core, pipeline, plan=_plan(name, stage, needs), status="skipped").id
    began, ended = (pipeline.started_at + timedelta(seconds=seconds) for seconds in (start, end))
    failure = {"failure_reason": "script_failure", "exit_code": 2} if status == "failed" else {}
    times = {"queued_at": began, "started_at": began, "finished_at": ended}
    job = make_job(
        place.core,
        pipeline,
        plan=_plan(name, stage, needs),
        status=status,
        runner_id=runner_id,
        **times | failure | given,
    )
    with write(place.core.session):
        for step in job.steps:
            step.status, step.started_at, step.finished_at, step.exit_code = (
                status,
                began,
                ended,
                failure.get("exit_code"),
            )
    return job.id


def _plan(name: str, stage: str, needs: Sequence[str] | None) -> JobPlan:
    found = None if needs is None else tuple(Need(need) for need in needs)
    return JobPlan(name, stage, (Step("script", ("make test",)),), needs=found)


def _landed(place: Place, job_id: int, status: str) -> None:
    """The log and the tests of a job `landing`."""
    print_trace(place.core, job_id, LOG if status == "failed" else GREEN_LOG)
    legs = {"status": "failed", "output": WRONG} if status == "failed" else {}
    cases = (
        Case("landing", "gear", "legs_are_down", "test_gear.py", 0.41, **legs),
        Case("landing", "gear", "hatch_is_shut", "test_gear.py", 0.18),
        Case("landing", "radar", "sees_the_ground", "test_radar.py", 2.7),
        Case("landing", "radar", "sees_a_boulder", "test_radar.py", 1.9),
        Case("landing", "radar", "works_at_night", "test_radar.py", 0.0, "skipped"),
    )
    with write(place.core.session):
        job = place.core.session.get_one(Job, job_id)
        job.coverage = 82.5 if status == "failed" else 83.1
        keep_report(place.core, job, ReadReport("junit", {}, cases))
