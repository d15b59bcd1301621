"""New, known and flaky: what the history of a project says of a test."""

from datetime import timedelta

import pytest

from app.domain.junit import Case
from app.domain.test_history import case_key, outcomes
from app.models import FlakyTest, Job, JunitCase, Pipeline, write
from app.services.reports import flaky_tests
from app.services.reports.case_history import case_history
from app.services.reports.find_cases import Wish, find_cases
from app.services.reports.flaky_tests import flakiest_tests
from app.services.reports.judge_cases import Judgement, judge_cases
from app.services.reports.read_report import ReadReport, keep_report
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project


def report(core, pipeline, *cases, name="unit", **given):
    """A job of `pipeline` with a report of cases, each as its name and status."""
    job = make_job(core, pipeline, name=name, status="success", **given)
    with write(core.session):
        found = [Case(classname="shop", name=title, status=status) for title, status in cases]
        keep_report(core, core.session.get_one(Job, job.id), ReadReport("junit", {}, found))
    return job


def judged(core, pipeline):
    cases = core.session.query(JunitCase).join(Job, Job.id == JunitCase.job_id).filter_by(pipeline_id=pipeline.id).all()
    found = judge_cases(core, core.session.get_one(Pipeline, pipeline.id), cases)
    return {case.name: found[case.id] for case in cases}


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_failure_is_new_when_the_last_run_of_the_target_branch_did_not_have_it(core):
    project = make_project(core)
    first = make_pipeline(core, project, status="failed")
    report(core, first, ("old", "failed"), ("mended", "failed"), ("fine", "success"))
    last = make_pipeline(core, project, status="failed")
    report(core, last, ("old", "error"), ("mended", "success"), ("fine", "success"))
    running = make_pipeline(core, project, status="running")
    report(core, running, ("fine", "failed"))
    topic = make_pipeline(core, project, ref="topic", status="failed")
    report(core, topic, ("old", "failed"), ("mended", "failed"), ("fine", "failed"), ("good", "success"))
    report(core, topic, ("old", "failed"), name="nightly")
    found = judged(core, topic)
    assert found["mended"] == found["fine"] == Judgement(new=True, flaky=0)
    assert found["good"] == Judgement(new=None, flaky=0)
    assert judged(core, last)["old"] == Judgement(new=False, flaky=0)
    assert judged(core, first)["old"] == Judgement(new=None, flaky=0), "there was no run before"
    listed = find_cases(core, topic, Wish(suite="unit", status="failed"))
    assert {case.name: listed.judgements[case.id].new for case in listed.cases} == {
        "old": False,
        "mended": True,
        "fine": True,
    }
    alone = find_cases(core, topic, Wish(suite="nightly"))
    assert [alone.judgements[case.id].new for case in alone.cases] == [None], "this suite never ran there"


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_test_is_flaky_when_it_fails_and_passes_on_one_commit(core):
    project, sha = make_project(core), "a" * 40
    first, again = make_pipeline(core, project, sha=sha), make_pipeline(core, project, sha=sha)
    report(core, first, ("retried", "failed"), ("rerun", "success"), ("broken", "failed"), retried=True)
    report(core, first, ("retried", "success"), ("broken", "error"), ("twice", "failed"), ("twice", "success"))
    report(core, again, ("rerun", "error"), ("retried", "failed"), ("broken", "failed"), ("twice", "success"))
    report(core, again, ("broken", "success"), name="unit: [other]")
    elsewhere = make_pipeline(core, project, sha="b" * 40)
    report(core, elsewhere, ("broken", "success"))
    since = core.now() - timedelta(days=1)
    found = flakiest_tests(core, project, since, 10)
    assert {one.title: one.commits for one in found} == {"shop \u203a retried": 1, "shop \u203a rerun": 1}
    assert judged(core, elsewhere)["broken"].flaky == 0
    assert judged(core, again)["retried"].flaky == 1
    second = make_pipeline(core, project, sha="c" * 40)
    report(core, second, ("rerun", "failed"))
    report(core, second, ("rerun", "success"))
    found = flakiest_tests(core, project, since, 10)
    assert [(one.title, one.commits) for one in found] == [("shop \u203a rerun", 2), ("shop \u203a retried", 1)]
    assert flakiest_tests(core, project, core.now() + timedelta(seconds=1), 10) == []
    assert flakiest_tests(core, make_project(core), since, 10) == []


def test_a_pipeline_without_a_commit_compares_with_nothing(core):
    project = make_project(core)
    for status in ("failed", "success"):
        report(core, make_pipeline(core, project, sha="0" * 40), ("same", status))
    assert core.session.query(FlakyTest).count() == 0


def test_many_failures_are_compared_in_batches(core, monkeypatch):
    monkeypatch.setattr(flaky_tests, "_BATCH", 2)
    pipeline = make_pipeline(core, make_project(core))
    report(core, pipeline, *((f"case {number}", "failed") for number in range(5)), retried=True)
    report(core, pipeline, *((f"case {number}", "success") for number in range(5)))
    report(core, pipeline, *((f"case {number}", "failed") for number in range(5)))
    assert core.session.query(FlakyTest).count() == 5


def test_a_test_is_known_by_all_its_names_and_what_is_ambiguous_is_neither():
    case = Case("suite", "shop", "buys")
    keys = {
        case_key(1, "unit", case),
        case_key(2, "unit", case),
        case_key(1, "e2e", case),
        case_key(1, "unit", Case("", "shop", "buys")),
        case_key(1, "unit", Case("suite", "shop", "sells")),
        case_key(1, "unit", Case("suite", "sho", "pbuys")),
    }
    assert len(keys) == 6
    assert all(0 <= key < 2**63 for key in keys)
    assert case_key(1, "unit", Case("suite", "shop", "buys", "x.py", 3.0, "failed")) in keys
    found = outcomes([(1, "failed"), (1, "success"), (2, "error"), (3, "success"), (4, "skipped"), (2, "failed")])
    assert (found.failed, found.passed) == ({2}, {3})


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_history_of_a_test_is_that_of_a_branch_newest_first(core):
    project, other = make_project(core), make_project(core)
    for ref, status in (("main", "success"), ("topic", "failed"), ("main", "error")):
        report(core, make_pipeline(core, project, ref=ref), ("buys", status))
    key = case_key(project.id, "unit", Case(classname="shop", name="buys"))
    history = case_history(core, project, key, "main")
    assert (history.title, history.suite, history.failed) == ("shop \u203a buys", "unit", 1)
    assert [(run.status, run.ref) for run in history.runs] == [("error", "main"), ("success", "main")]
    assert [run.ref for run in case_history(core, project, key, "").runs] == ["main", "topic", "main"]
    with pytest.raises(Exception, match="Test"):
        case_history(core, other, key, "")


def test_cases_come_a_page_at_a_time_filtered_or_the_slowest_first(core, monkeypatch):
    monkeypatch.setattr("app.services.reports.find_cases.PAGE", 2)
    pipeline = make_pipeline(core, make_project(core))
    job = make_job(core, pipeline, name="unit", status="success")
    cases = [
        Case(name=f"n{number}", classname="50%_off" if number == 3 else "x", seconds=number) for number in range(4)
    ]
    cases.append(Case(name="bad", status="error", seconds=0.5))
    with write(core.session):
        keep_report(core, core.session.get_one(Job, job.id), ReadReport("junit", {}, cases))

    def names(**wish):
        found = find_cases(core, pipeline, Wish(**wish))
        return [case.name for case in found.cases], found.next

    first, after = names()
    assert first == ["bad", "n0"]
    second, after = names(after=after)
    assert second == ["n1", "n2"]
    assert names(after=after) == (["n3"], None)
    assert names(slowest=True) == (["n3", "n2"], None)
    assert names(status="failed") == (["bad"], None)
    assert names(text="%_OFF") == (["n3"], None)
    assert names(text="nothing") == ([], None)
    assert names(suite="other") == ([], None)
