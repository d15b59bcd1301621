"""Lists over all projects and of jobs: they find what the search language says, and read indexes alone, on both
databases.
"""

import re
from itertools import pairwise, product

import pytest
from sqlalchemy import select, text

from app.domain.permissions import Action, Role
from app.domain.search import parse
from app.extensions import db
from app.models import Job, Pipeline, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.jobs import search_jobs as jobs_service
from app.services.jobs import walk_jobs
from app.services.jobs.search_jobs import jobs_everywhere, search_jobs
from app.services.key_pages import Cursor
from app.services.pipelines.show_pipelines import show_pipelines
from app.services.projects.readable_pipelines import readable_pipelines
from app.services.runs.runs_everywhere import runs_everywhere
from app.services.runs.search_runs import matching_runs
from app.services.runs.suggest_searches import suggest_searches
from tests.databases import BOTH
from tests.factories import make_commit, make_job, make_member, make_pipeline, make_project, make_user
from tests.support.statements import statements

pytestmark = pytest.mark.planner

SEARCHES = (
    "",
    "branch:main",
    "running",
    "done",
    "failed",
    "done failed",
    "running done",
    "status:failed",
    "mend -wall",
    "a -x",
    "repo:two",
    "repo:ACME/one mend",
    "repo:one repo:two",
    "id:3",
    "branch:main done mend",
)


@pytest.fixture
def admin(core: Core) -> User:
    return make_user(core, "admin", is_admin=True)


@pytest.fixture
def projects(core: Core, admin: User) -> list[Project]:
    """Three projects with runs that take turns, so that every page mixes them; and one without runs."""
    found = [make_project(core, f"acme/{name}", creator=admin) for name in ("one", "two", "three", "none")]
    ends = (("success", "succeeded"), ("failed", "failure"), ("running", "running"), ("failed", "runner_error"))
    for number in range(24):
        status, calculated = ends[number % 4]
        message = "Mend the roof\n" if number % 3 else "Mend the wall\n"
        commit = make_commit("a" * 40, core.now(), message)
        ref = "main" if number % 5 else "other"
        project = found[(number * number) % 3]
        source = "parent_pipeline" if number == 7 else "push"
        make_pipeline(core, project, status=status, calculated_status=calculated, commit=commit, ref=ref, source=source)
    return found


def by_the_book(core: Core, projects: list[Project], query: str) -> list[int]:
    """Every project by itself, as `matching_runs` finds its runs."""
    ids: list[int] = []
    for project in projects:
        names = {project.path, project.full_path.lower()}
        if all(name.lower() in names for name in parse(query).repositories):
            ids += (run.id for run in core.session.scalars(matching_runs(core, project, query)))
    return sorted(ids, reverse=True)


def walk(core: Core, user: User | None, query: str) -> list[int]:
    """The ids of all pages from the newest to the oldest, having looked that the way back is the same."""
    pages = [runs_everywhere(core, user, search=query, limit=5)]
    while pages[-1].older is not None:
        pages.append(runs_everywhere(core, user, search=query, limit=5, cursor=Cursor(before=pages[-1].older)))
    for newer, older in pairwise(pages):
        back = runs_everywhere(core, user, search=query, limit=5, cursor=Cursor(after=older.newer))
        assert [row.pipeline.id for row in back.rows] == [row.pipeline.id for row in newer.rows]
    return [row.pipeline.id for page in pages for row in page.rows]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_runs_of_all_projects_are_those_of_each(core: Core, admin: User, projects: list[Project]) -> None:
    assert {query: walk(core, admin, query) for query in SEARCHES} == {
        query: by_the_book(core, projects, query) for query in SEARCHES
    }
    assert len(walk(core, admin, "")) == 23
    one = show_pipelines(core, projects[0], search="mend", ref="main", status="failed")
    assert {row.pipeline.id for row in one.rows} == {
        run.id
        for run in core.session.scalars(matching_runs(core, projects[0], "mend branch:main"))
        if run.status == "failed"
    }


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_projects_in_the_lists_are_those_whose_pipelines_one_may_read(core: Core, admin: User) -> None:
    people: list[User | None] = [None, admin]
    for name in ("stranger", "guest", "reporter", "group_guest", "group_reporter"):
        people.append(make_user(core, name))
    blocked = make_user(core, "blocked", is_admin=True)
    kinds = product(("private", "internal", "public"), (True, False), (True, False))
    made = [
        make_project(core, f"acme/p{number}", creator=admin, visibility=kind, public_jobs=shown, archived=archived)
        for number, (kind, shown, archived) in enumerate(kinds)
    ]
    for project in made:
        make_member(core, people[3], project, Role.GUEST)
        make_member(core, people[4], project, Role.REPORTER)
    make_member(core, people[5], made[0].group, Role.GUEST)
    make_member(core, people[6], made[0].group, Role.REPORTER)
    with write(core.session):
        core.session.get_one(User, blocked.id).blocked = True
    for person in (*people, blocked):
        allowed = {
            project.id
            for project in core.session.query(Project)
            if not project.archived and access.may(core, Action.READ_PIPELINE, person, project)
        }
        assert set(core.session.scalars(readable_pipelines(core, person))) == allowed, person and person.username


def test_nobody_finds_runs_of_a_project_that_they_may_not_read(core: Core, projects: list[Project]) -> None:
    stranger = make_user(core, "stranger")
    make_member(core, stranger, projects[1])
    own = by_the_book(core, [projects[1]], "")
    assert walk(core, stranger, "") == own
    assert walk(core, stranger, "mend") == [run for run in by_the_book(core, projects, "mend") if run in own]
    assert walk(core, None, "") == walk(core, stranger, "repo:one") == []


@pytest.fixture
def jobs(core: Core, projects: list[Project]) -> Project:
    """A project with 30 jobs on two branches and a tag."""
    project = projects[3]
    runs = [make_pipeline(core, project, ref=ref, tag=ref == "v1") for ref in ("main", "other", "v1")]
    for number in range(30):
        name = ("unit", "Überprüfung 1/2", "lint <b>")[number % 3]
        status = ("success", "failed", "pending", "running", "manual")[number % 5]
        make_job(core, runs[number % 7 % 3], name=name, status=status)
    return project


JOB_SEARCHES = {
    "": lambda job: True,
    "unit": lambda job: job.name == "unit",
    "überPRÜFUNG -2/1": lambda job: job.name.startswith("Ü"),
    "-unit": lambda job: job.name != "unit",
    "branch:main": lambda job: job.pipeline.ref == "main",
    "branch:v1": lambda job: False,
    "failed": lambda job: job.status == "failed",
    "running": lambda job: job.status in ("pending", "running", "manual"),
    "done": lambda job: job.status in ("success", "failed"),
    "done failed": lambda job: job.status == "failed",
    "running done": lambda job: False,
    "running unit": lambda job: job.name == "unit" and job.status in ("pending", "running", "manual"),
    "status:passed": lambda job: job.status == "success",
    "status:pending lint branch:other": lambda job: (
        (job.status, job.name[:4], job.pipeline.ref) == ("pending", "lint", "other")
    ),
    "status:nonsense": lambda job: False,
    "repo:none": lambda job: True,
    "repo:other": lambda job: False,
    "id:999999999999999999999": lambda job: False,
}


def walk_of(core: Core, project: Project, query: str) -> list[int]:
    found = [search_jobs(core, project, search=query, limit=4)]
    while (older := found[-1].page.older) is not None:
        found.append(search_jobs(core, project, search=query, limit=4, cursor=Cursor(before=older)))
    return [job.id for each in found for job in each.page.rows]


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("stretch", [10_000, 3], ids=["in one go", "in stretches"])
def test_jobs_are_found_by_name_branch_status_and_state(core: Core, jobs: Project, stretch: int, monkeypatch) -> None:
    """However few jobs a page looks through, the pages together find all."""
    monkeypatch.setattr(jobs_service, "STRETCH", stretch)
    monkeypatch.setattr(walk_jobs, "PIECE", 2)
    known = core.session.scalars(select(Job).where(Job.project_id == jobs.id).order_by(Job.id.desc())).all()
    assert {query: walk_of(core, jobs, query) for query in JOB_SEARCHES} == {
        query: [job.id for job in known if holds(job)] for query, holds in JOB_SEARCHES.items()
    }
    assert walk_of(core, jobs, f"id:{known[3].id}") == [known[3].id]


def test_a_page_of_jobs_says_that_there_are_more_and_leads_both_ways(core: Core, jobs: Project, monkeypatch) -> None:
    monkeypatch.setattr(jobs_service, "STRETCH", 4)
    monkeypatch.setattr(walk_jobs, "PIECE", 2)
    first = search_jobs(core, jobs, search="nothing")
    newest = core.session.scalars(select(Job.id).order_by(Job.id.desc())).all()
    assert (first.cut_short, first.page.rows, first.page.older, first.page.newer) == (True, [], newest[3], None)
    back = search_jobs(core, jobs, search="nothing", cursor=Cursor(after=newest[9]))
    assert (back.cut_short, back.page.newer) == (True, newest[5])
    assert not search_jobs(core, jobs, search="nothing", cursor=Cursor(before=newest[-2])).cut_short


def walk_everywhere(core: Core, user: User | None, query: str) -> list[int]:
    """The ids of all pages from the newest to the oldest, having looked that the way back is the same."""
    found = [jobs_everywhere(core, user, search=query, limit=12)]
    while (older := found[-1].page.older) is not None:
        found.append(jobs_everywhere(core, user, search=query, limit=12, cursor=Cursor(before=older)))
    for newer, older_page in pairwise(found):
        if not (newer.cut_short or older_page.cut_short):
            back = jobs_everywhere(core, user, search=query, limit=12, cursor=Cursor(after=older_page.page.newer))
            assert back.page.rows == newer.page.rows, query
    return [job.id for each in found for job in each.page.rows]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_jobs_of_all_projects_are_those_of_each_that_one_may_read(
    core: Core, admin: User, jobs: Project, projects: list[Project], monkeypatch
) -> None:
    """Page by page, however few jobs a page looks through."""
    monkeypatch.setattr(walk_jobs, "PIECE", 7)
    for number in range(8):
        pipeline = make_pipeline(core, projects[number % 2], ref=("main", "other")[number % 3 % 2])
        make_job(core, pipeline, name=("unit", "deploy")[number % 2], status=("success", "failed")[number % 3 % 2])
    make_job(core, core.session.query(Pipeline).filter_by(project_id=jobs.id).first(), name="unit", status="failed")
    member = make_user(core, "member")
    make_member(core, member, projects[0], Role.REPORTER)
    for query in (
        "",
        "unit -deploy",
        "branch:main",
        "running done",
        "done",
        "status:passed",
        "repo:ACME/one",
        "repo:two u",
    ):
        everyone = [found for project in projects for found in walk_of(core, project, query)]
        assert walk_everywhere(core, admin, query) == sorted(everyone, reverse=True), query
    monkeypatch.setattr(jobs_service, "STRETCH", 11)
    everyone = [found for project in projects for found in walk_of(core, project, "unit")]
    assert walk_everywhere(core, admin, "unit") == sorted(everyone, reverse=True)
    assert walk_everywhere(core, member, "unit") == walk_of(core, projects[0], "unit")
    assert walk_everywhere(core, None, "") == walk_everywhere(core, member, "repo:two") == []


MANY = (
    """
    INSERT INTO pipelines (iid, project_id, ref, tag, protected, sha, before_sha, source, status, stages, "commit",
        search_text, calculated_status, created_at, updated_at, auto_cancel_on_new_commit, auto_cancel_on_job_failure)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)
    SELECT 1000 + n, 1 + n % 3, 'b' || (n % 50), tag, protected, sha, before_sha, 'push', 'success', stages, "commit",
        'word ' || n || ' of many', 'succeeded', created_at, updated_at, 'none', 'none'
    FROM pipelines, numbers WHERE iid = 1 AND project_id = 1
    """,
    """
    INSERT INTO jobs (project_id, pipeline_id, name, stage, stage_index, status, "when", allow_failure, plan,
        tag_set_id, protected, required_features, timeout, interruptible, enqueue_immediately, bridge, delivers,
        retried, attempt, created_at, updated_at, trace_size, trace_crc, trace_mismatches)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)
    SELECT project_id, 1 + n % 3000, 'job ' || n, stage, stage_index, 'success', "when", allow_failure, plan,
        tag_set_id, protected, required_features, timeout, interruptible, enqueue_immediately, bridge, delivers,
        retried, attempt, created_at, updated_at, 0, 0, 0
    FROM jobs, numbers WHERE id = (SELECT min(id) FROM jobs)
    """,
)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_no_page_reads_or_sorts_all_runs_or_jobs(core: Core, admin: User, jobs: Project) -> None:
    """Every statement of every list: the two big tables are only entered by an index, and what is sorted is never
    theirs.
    """
    for statement in MANY:
        core.session.execute(text(statement))
    core.session.commit()
    if not _sqlite():
        core.session.execute(text("SELECT gin_clean_pending_list('search_pipelines_text')"))
    core.session.execute(text("ANALYZE"))
    core.session.commit()
    with statements() as seen:
        for query in ("", "branch:b7", "running", "done", "failed", "id:1007", '"word 77 of"', "repo:one branch:main"):
            for cursor in (Cursor(), Cursor(before=2000), Cursor(after=2000)):
                runs_everywhere(core, admin, search=query, cursor=cursor)
        show_pipelines(core, jobs, search="failed", before=2000)
        show_pipelines(core, jobs, ref="b7", status="failed")
        for query in ("", "running", "failed", "status:manual", "id:7"):
            search_jobs(core, jobs, search=query)
            for cursor in (Cursor(), Cursor(before=2000), Cursor(after=2000)):
                jobs_everywhere(core, admin, search=query, cursor=cursor)
        jobs_everywhere(core, admin, search="77 branch:b7 repo:one")
        suggest_searches(core, admin, "branch:b")
        suggest_searches(core, admin, "branch:b", project=jobs)
    assert len(seen) > 100
    for statement, values in {statement: (statement, values) for statement, values in seen}.values():
        plan = _plan(core, statement, values)
        wrong = [line for line in plan if _WRONG.search(line)]
        # PostgreSQL may sort what it takes for few; how many it thinks there are stands behind.
        big = [line for line in plan if (found := _SORTED.search(line)) and int(found[1]) > FEW]
        assert wrong + big == [], (statement, values, plan)


FEW = 300
#: A whole table, and on SQLite any sort but of projects: the index of trigrams gives its runs in their order.
_WRONG = re.compile(r"SCAN (pipelines|jobs)\b|Seq Scan on (pipelines|jobs)\b")
_SORTED = re.compile(r"Sort  \(cost=\S+ rows=(\d+)")


def _sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _plan(core: Core, statement: str, values: object) -> list[str]:
    explain = "EXPLAIN QUERY PLAN" if _sqlite() else "EXPLAIN"
    lines = [str(row[-1]) for row in core.session.connection().exec_driver_sql(f"{explain} {statement}", values)]
    if _sqlite() and (" MATCH " in statement or "FROM projects" not in statement):
        lines = [line.replace("USE TEMP B-TREE FOR ORDER BY", "SCAN pipelines, sorting") for line in lines]
    return lines


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_newest_in_a_quiet_project_is_found_without_others(core: Core, projects: list[Project]) -> None:
    """PostgreSQL believes that runs of all projects lie mixed, and would read the newest of all until it has a page."""
    quiet = projects[0]
    core.session.execute(text(MANY[0]))
    core.session.execute(text(f"UPDATE pipelines SET project_id = {projects[1].id} WHERE id > 2000"))
    core.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE pipelines"))  # as PostgreSQL does by itself after a while
    with statements() as seen:
        show_pipelines(core, quiet)
        show_pipelines(core, quiet, before=1900)
    pages = [one for one in seen if "FROM pipelines" in one[0] and "AS head" not in one[0] and "IN (" not in one[0]]
    assert len(pages) == 2
    for statement, values in pages:
        rows = core.session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE) {statement}", values)
        removed = [int(found[1]) for row in rows if (found := re.search(r"Removed by Filter: (\d+)", row[0]))]
        assert max(removed, default=0) < 500, statement


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_suggestions_go_on_with_what_was_written(core: Core, admin: User, projects: list[Project]) -> None:
    stranger = make_user(core, "stranger")
    said = {
        "": ["status:", "branch:", "repo:", "id:", "running", "done", "failed"],
        "mend sta": ["mend status:"],
        "RUN": ["running"],
        "x status:pa": ["x status:passed"],
        "branch:": ["branch:main", "branch:other"],
        "-y branch:O": ["-y branch:other"],
        "branch:main": [],
        "repo:t": ["repo:two", "repo:three"],
        "repo:acme/o": ["repo:acme/one"],
        '"status:': [],
        "nothing:": [],
    }
    assert {query: suggest_searches(core, admin, query) for query in said} | {"repo:t": said["repo:t"]} == said
    assert set(suggest_searches(core, admin, "repo:t")) == set(said["repo:t"])
    assert suggest_searches(core, stranger, "repo:") == suggest_searches(core, stranger, "branch:") == []
    assert suggest_searches(core, admin, "repo:", project=projects[0]) == []
    assert suggest_searches(core, admin, "status:s", project=projects[0], jobs=True) == [
        "status:skipped",
        "status:scheduled",
    ]
    make_pipeline(core, projects[0], ref="two words")
    assert suggest_searches(core, admin, "branch:tw", project=projects[0]) == ['branch:"two words"']
    assert core.session.scalar(select(Pipeline.id).where(Pipeline.ref == "two words")) is not None
