"""Reports of jobs are read when they come in: variables handed on, tests, coverage (gitlab.md B.4, C.2, C.14)."""

import gzip

import pytest

from app.domain.plan import Need, Variable
from app.models import DotenvReport, JunitCase, JunitReport, Pipeline, write
from app.services.artifacts.delete_artifacts import delete_artifacts
from app.services.jobs.erase_job import erase_job
from app.services.reports.dotenv_variables import dotenv_variables
from app.services.reports.show_tests import job_tests, suites_of
from tests.support.world import plan

JUNIT = """<testsuites><testsuite name="s"><testcase classname="c" name="good" time="1.5"/>
<testcase classname="c" name="bad" time="0.5" file="f.py"><failure message="no">trace</failure></testcase>
<testcase name="late"><skipped/></testcase><testcase name="broken"><error message="boom"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def running(world, project, stock):
    world.pipeline(project, [plan("a"), plan("t", "test")])
    return stock.take()


def upload(job, kind, *files, **query):
    packed = b"".join(gzip.compress(file if isinstance(file, bytes) else file.encode()) for file in files)
    return job.upload(packed, artifact_type=kind, artifact_format="gzip", name=f"{kind}.gz", **query)


def given(job):
    return {variable["key"]: variable for variable in job.payload["variables"]}


class TestDotenv:
    def test_the_jobs_after_it_get_its_variables(self, core, running, stock):
        assert upload(running, "dotenv", "VERSION=1.2\nURL=https://x/$VERSION\n").status_code == 201
        running.finish()
        found = given(stock.take())
        assert found["VERSION"] == {"key": "VERSION", "value": "1.2", "public": False, "masked": False}
        assert found["URL"]["value"] == "https://x/1.2"

    def test_values_are_sealed_in_the_database(self, core, running):
        upload(running, "dotenv", "PASSWORD=hunter2\n")
        row = core.session.query(DotenvReport).one()
        assert "hunter2" not in row.variables_sealed
        job = core.session.get(Pipeline, 1).jobs[0]
        assert dotenv_variables(core, job) == [Variable("PASSWORD", "hunter2", public=False)]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("A=1\n\n", "Invalid Format"),
            ("A=" + "x" * 6000, "Dotenv Artifact Too Big. Maximum Allowable Size: 5120"),
            ("A=" + "x" * 600_000, "the report is larger than 20480 bytes"),
            ("\n".join(f"K{number}=1" for number in range(21)), "Dotenv files cannot have more than 20 variables"),
            ("A B=1", "Validation failed: Key can contain only letters, digits and '_'."),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_kept(self, core, running, text, words):
        answer = upload(running, "dotenv", text)
        assert (answer.status_code, answer.json()) == (400, {"message": words})
        assert [path for path in (core.data_dir / "artifacts").rglob("*") if path.is_file()] == []
        assert upload(running, "dotenv", "A=1").status_code == 201

    @pytest.mark.parametrize(
        "data",
        [b"A=1\n", gzip.compress(b"A=1\n")[:-9], gzip.compress(b"A=1") + b"x"],
        ids=["plain", "cut off", "with a tail"],
    )
    def test_bytes_that_are_not_gzip_are_refused(self, running, data):
        answer = running.upload(data, artifact_type="dotenv", artifact_format="gzip")
        assert answer.status_code == 400
        assert "gzip" in answer.json()["message"]

    def test_the_same_report_again_is_fine(self, core, running):
        assert [upload(running, "dotenv", "A=1").status_code for _ in range(2)] == [201, 201]
        assert core.session.query(DotenvReport).count() == 1

    def test_files_of_one_report_are_gzip_members(self, running, stock):
        upload(running, "dotenv", "A=1\nB=1", "B=2\n")
        running.finish()
        found = given(stock.take())
        assert (found["A"]["value"], found["B"]["value"]) == ("1", "2")

    def test_they_win_over_the_jobs_own_and_lose_to_the_projects_and_the_pipelines(self, core, world, project, stock):
        own = tuple(Variable(key, "yaml") for key in ("A", "B"))
        pipeline = world.pipeline(project, [plan("a"), plan("t", "test", variables=own)])
        from app.services.pipelines.kept_variables import seal_variables

        with write(core.session):
            row = core.session.get(Pipeline, pipeline.id)
            row.variables_sealed = seal_variables(core, [Variable("B", "pipeline")], row.seal_context)
        first = stock.take()
        upload(first, "dotenv", "A=dotenv\nB=dotenv\nC=dotenv\nCI_JOB_STAGE=mine")
        first.finish()
        found = given(stock.take())
        assert [found[key]["value"] for key in ("A", "B", "C")] == ["dotenv", "pipeline", "dotenv"]
        assert found["CI_JOB_STAGE"]["value"] == "mine"

    @pytest.mark.parametrize(
        ("columns", "gets"),
        [
            ({}, True),
            ({"needs": (Need("a"),)}, True),
            ({"needs": (Need("a", artifacts=False),)}, False),
            ({"needs": ()}, False),
            ({"dependencies": ()}, False),
            ({"dependencies": ("a",)}, True),
            ({"needs": (Need("a"), Need("b")), "dependencies": ("b",)}, False),
        ],
    )
    def test_only_jobs_that_depend_on_it_get_them(self, world, project, stock, columns, gets):
        from dataclasses import replace

        world.pipeline(project, [plan("a"), plan("b"), replace(plan("t", "test"), **columns)])
        jobs = {}
        while "a" not in jobs or "b" not in jobs:
            job = stock.take()
            jobs[job.payload["job_info"]["name"]] = job
            if job.payload["job_info"]["name"] == "t":
                break
        if "t" in jobs:  # it waits for nobody
            assert columns["needs"] == ()
            assert not gets
            return
        upload(jobs["a"], "dotenv", "A=1")
        jobs["a"].finish()
        jobs["b"].finish()
        assert ("A" in given(stock.take())) == gets

    def test_of_two_jobs_the_later_one_counts(self, world, project, stock):
        world.pipeline(project, [plan("a"), plan("b", "test"), plan("c", "deploy")])
        for text in ("A=first\nB=first", "A=second"):
            job = stock.take()
            upload(job, "dotenv", text)
            job.finish()
        found = given(stock.take())
        assert (found["A"]["value"], found["B"]["value"]) == ("second", "first")


class TestJunit:
    def test_its_cases_are_kept_failures_first(self, core, running):
        assert upload(running, "junit", JUNIT).status_code == 201
        job = core.session.get(Pipeline, 1).jobs[0]
        tests = job_tests(core, job)
        assert [(case.status, case.name) for case in tests.cases] == [
            ("failed", "bad"),
            ("error", "broken"),
            ("skipped", "late"),
            ("success", "good"),
        ]
        assert (tests.cases[0].output, tests.cases[0].file, tests.cases[0].classname) == ("trace", "f.py", "c")
        assert tests.counts == {"success": 1, "failed": 1, "skipped": 1, "error": 1}
        assert tests.seconds == 2.0

    @pytest.mark.parametrize(
        "file",
        ["<a>", "no xml", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testcase name="&e;"/>'],
    )
    def test_a_broken_one_is_taken_and_its_problem_told(self, core, running, file):
        assert upload(running, "junit", file).status_code == 201
        report = core.session.query(JunitReport).one()
        assert report.problem.startswith("JUnit XML parsing failed: ")
        assert (report.total, core.session.query(JunitCase).count()) == (0, 0)
        assert running.finish().status_code == 200
        core.session.rollback()
        assert core.session.get(Pipeline, 1).jobs[0].status == "success"

    def test_a_bomb_is_not_inflated(self, core, running, monkeypatch):
        from app.services.reports import read_report

        monkeypatch.setattr(read_report, "JUNIT_LIMIT", 1_000_000)
        assert upload(running, "junit", b"<t>" + b" " * 50_000_000 + b"</t>").status_code == 201
        assert "larger than 1000000 bytes" in core.session.query(JunitReport).one().problem

    def test_instances_of_a_parallel_job_are_one_suite(self, core, world, project, stock):
        pipeline = world.pipeline(project, [plan("x 1/2"), plan("x 2/2"), plan("m: [a, b]")])
        for _ in range(3):
            upload(stock.take(), "junit", JUNIT)
        suites = suites_of(core, core.session.get(Pipeline, pipeline.id))
        assert [(suite.name, suite.total, len(suite.job_ids)) for suite in suites] == [("x", 8, 2), ("m: [a, b]", 4, 1)]

    def test_rows_are_bounded_and_all_are_counted(self, core, running, monkeypatch):
        from app.services.reports import read_report

        monkeypatch.setattr(read_report, "MOST_ROWS", 3)
        cases = "<testcase/>" * 9 + "<testcase><failure/></testcase>"
        upload(running, "junit", f"<t>{cases}</t>")
        assert core.session.query(JunitReport).one().total == 10
        assert core.session.query(JunitCase).order_by(JunitCase.id).first().status == "failed"
        assert core.session.query(JunitCase).count() == 3

    def test_erasing_the_job_forgets_them(self, core, world, project, running):
        upload(running, "junit", JUNIT)
        upload(running, "dotenv", "A=1")
        running.finish()
        erase_job(core, core.session.get(Pipeline, 1).jobs[0], world.user(is_admin=True))
        assert [core.session.query(kind).count() for kind in (JunitReport, JunitCase, DotenvReport)] == [0, 0, 0]


def test_deleted_artifacts_take_the_tests_along_and_leave_what_was_handed_on(core, world, running):
    upload(running, "junit", JUNIT)
    upload(running, "dotenv", "A=1")
    running.finish()
    delete_artifacts(core, core.session.get(Pipeline, 1).jobs[0], world.user(is_admin=True))
    assert [core.session.query(kind).count() for kind in (JunitReport, JunitCase, DotenvReport)] == [0, 0, 1]


def test_other_reports_are_kept_as_they_come(core, running):
    for kind, form in (("cobertura", "gzip"), ("sast", "raw"), ("codequality", "raw"), ("lsif", "zip")):
        assert running.upload(b"anything", artifact_type=kind, artifact_format=form).status_code == 201
    assert core.session.query(JunitReport).count() == 0


@pytest.mark.parametrize(
    ("pattern", "log", "percent"),
    [
        (r"TOTAL\s+\d+\s+\d+\s+(\d+)%", "TOTAL 9926 3489 65%\n", 65.0),
        (r"\(\d+.\d+%\) covered", "Coverage (98.29%) covered\n", 98.29),
        (r"\d+\.\d+%", "first 10.5%\nthen 20.25%\nno more\n", 20.25),
        (r"\d+%", "1% 2% 3%\n", 3.0),
        (r"cov: (\d+)%", "\x1b[32mcov:\x1b[0m 42%\n", 42.0),
        (r"^cov: (\d+)%$", "2026-01-01T00:00:00.000000Z 01O cov: 7%\r\n", 7.0),
        (r"lines: (\d+) of (\d+)", "lines: 3 of 4", 4.0),
        (r"cov \d+", "none", None),
        (r"(", "cov 1", None),
        (r"(?:x+x+)+y \d", "x" * 3000, None),
        (r"cov: .*", "cov: unknown\n", None),
        (None, "cov 1%", None),
    ],
)
def test_the_coverage_is_read_from_the_log(core, world, project, stock, pattern, log, percent):
    pipeline = world.pipeline(project, [plan("a", coverage=pattern)])
    job = stock.take()
    job.print(log.encode())
    assert job.finish().status_code == 200
    assert world.jobs(pipeline)["a"].coverage == percent


def test_the_coverage_of_a_failed_job_counts_too(world, project, stock):
    pipeline = world.pipeline(project, [plan("a", coverage=r"\d+%")])
    job = stock.take()
    job.print(b"50%\n")
    job.finish("failed", exit_code=1, failure_reason="script_failure")
    assert world.jobs(pipeline)["a"].coverage == 50.0


def test_a_long_log_is_searched_from_its_end(world, project, stock):
    pipeline = world.pipeline(project, [plan("a", coverage=r"cov (\d+)")])
    job = stock.take()
    job.print(b"cov 1\n" + b"x" * 700_000 + b"\ncov 2 " + b"y" * 300_000)
    job.print(b"z" * 600_000)
    job.finish()
    assert world.jobs(pipeline)["a"].coverage == 2.0


def test_hooks_go_to_the_runner(world, project, stock):
    from app.domain.plan import Step

    hook = Step("pre_get_sources_script", ("echo hi",), phase="pre_get_sources")
    world.pipeline(project, [plan("a", hooks=(hook,))])
    assert stock.take().payload["hooks"] == [{"name": "pre_get_sources_script", "script": ["echo hi"]}]
