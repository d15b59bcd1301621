"""The next job is found by looking at the first of each row of the queue; it is the one that reading all would find."""

import random

import pytest
from sqlalchemy import select, text

from app.models import Group, Job, Project, Runner, RunnerProject, write
from app.services.core import Core
from app.services.runners.job_offers import ENOUGH, fitting_jobs, fitting_sets, offers
from app.services.runners.known_runner import Look, look_up
from app.services.runners.queue_heads import heads
from tests.databases import BOTH
from tests.factories import make_job, make_manager, make_pipeline, make_project, make_runner, make_user

pytestmark = pytest.mark.planner

TAGS = ((), ("linux",), ("linux", "small"), ("windows",))
EVERYTHING = frozenset({"steps"})


@pytest.fixture
def runners(core: Core) -> list[Runner]:
    """Every kind of runner, on a queue of five projects that has something of everything."""
    chance, user = random.Random(7), make_user(core)
    projects = [make_project(core, f"{'own' if number < 2 else 'top'}/p{number}", creator=user) for number in range(5)]
    busy = make_runner(core)[0]
    manager = make_manager(core, busy)
    for project in projects:
        for _ in range(8):
            run = make_pipeline(core, project, protected=chance.random() < 0.5)
            more = {"required_features": ["steps"]} if chance.random() < 0.3 else {}
            more |= {"bridge": True} if chance.random() < 0.1 else {}
            if chance.random() < 0.2:
                more |= {"status": "running", "runner_id": busy.id, "runner_manager_id": manager.id}
            make_job(core, run, tags=chance.choice(TAGS), **more)
    with write(core.session):
        core.session.get_one(Project, projects[3].id).archived = True
        core.session.get_one(Project, projects[4].id).instance_runners = False
    group = core.session.scalars(select(Group).where(Group.full_path == "own")).one()
    of_one = make_runner(core, runner_type="project_type", project=projects[0], tags=["linux"])[0]
    with write(core.session):
        core.session.add(RunnerProject(runner_id=of_one.id, project_id=projects[2].id))
    return [
        make_runner(core, tags=["linux", "small"])[0],
        make_runner(core, tags=["windows"], run_untagged=False)[0],
        make_runner(core, tags=["linux"], access_level="ref_protected")[0],
        make_runner(core, runner_type="group_type", group=group, tags=["linux", "small", "windows"])[0],
        of_one,
    ]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_every_runner_is_offered_what_reading_the_whole_queue_would_find(core: Core, runners: list[Runner]) -> None:
    for runner in runners:
        look = known(core, runner)
        queue = core.session.execute(fitting_jobs(core, look)).all()
        assert queue
        for features in (EVERYTHING, frozenset()):
            able = [row.id for row in queue if features.issuperset(row.required_features)]
            offered = [offer.job_id for offer in offers(core, look, features)]
            assert offered[:1] == able[:1]
            assert set(offered) <= set(able)
            assert len(offered) >= min(len(able), ENOUGH)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_what_waits_is_found_in_the_index_of_the_queue_however_much_has_ended(core: Core) -> None:
    run = make_pipeline(core, make_project(core))
    ended, waiting = make_job(core, run, status="success"), make_job(core, run)
    runner = make_runner(core)[0]
    columns = ", ".join(f'"{each.name}"' for each in Job.__table__.columns if each.name != "id")
    numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
    copies = text(f"INSERT INTO jobs ({columns}) {numbers} SELECT {columns} FROM jobs, numbers WHERE id = :id")
    with write(core.session):
        for job, count in ((ended, 3000), (waiting, 60)):
            core.session.execute(copies, {"id": job.id, "count": count})
        core.session.execute(text("ANALYZE"))
    plan = plan_of(core, runner)
    assert sum("ix_jobs_queue_project" in line for line in plan) >= 2, plan
    assert not any("Seq Scan on jobs" in line or line.endswith("SCAN jobs") for line in plan), plan


def known(core: Core, runner: Runner) -> Look:
    found = look_up(core, runner.id)
    assert found
    return found


def on_sqlite(core: Core) -> bool:
    return bool(core.session.get_bind().dialect.name == "sqlite")


def plan_of(core: Core, runner: Runner) -> list[str]:
    statement, values = heads(runner, fitting_sets(core, known(core, runner)), 45)
    compiled = statement.params(**values).compile(core.session.get_bind(), compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if on_sqlite(core) else "EXPLAIN"
    rows = core.session.connection().exec_driver_sql(f"{explain} {compiled}")
    return [str(row[-1]) for row in rows]
