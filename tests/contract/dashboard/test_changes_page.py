"""What changed since a branch was green: commits and new error lines."""

from itertools import pairwise

import pytest

from app.git.build import Person, Placed, write_blob, write_commit, write_tree
from app.models import Job, write
from app.services.reports import what_changed as service
from app.services.reports.new_errors import reference_job
from tests.factories import make_job, make_pipeline, print_trace

PAYLOAD = "<script>alert(3)</script>"


@pytest.fixture
def commit(site, core):
    """Makes a commit in the project's repository; its id."""
    repository = core.repositories.open(site.project.id)
    ada = Person("Ada", "ada@example.com")

    def make(message, parent=None, lines=1):
        blob = write_blob(repository, b"line\n" * lines)
        tree = write_tree(repository, None, [Placed("file", "100644", blob)])
        return write_commit(repository, tree, parent, message, ada, ada, core.now())

    return make


@pytest.fixture
def ran(site, core):
    """A pipeline at a commit whose job `unit` printed these lines."""

    def make(sha, *lines, status="success", **given):
        pipeline = make_pipeline(core, site.project, sha=sha, status=status, finished_at=core.now(), **given)
        job = make_job(core, pipeline, name="unit", status=status, finished_at=core.now())
        print_trace(core, job.id, ("\n".join(lines) + "\n").encode())
        return pipeline

    return make


def changes_of(site, pipeline, name="reporter"):
    return " ".join(site.visitor(name).get(f"/skerry/hello/-/pipelines/{pipeline.id}/changes").text.split())


def test_commits_since_the_last_green_run_and_errors_that_it_had_not(site, commit, ran):
    good = commit("All is well")
    between = commit(f"Break it {PAYLOAD}", good)
    bad = commit("Polish", between, lines=5)
    green = ran(good, "ERROR: retrying after 3 s", "ok")
    ran(between, "ERROR: retrying after 4 s", "E AssertionError: 1", status="failed")
    ran(commit("Elsewhere"), ref="topic")
    red = ran(bad, "ERROR: retrying after 5 s", f"E AssertionError: 2 {PAYLOAD}", "at 10:00:01 ok", status="failed")
    page = changes_of(site, red)
    assert f'was last green with <a href="/skerry/hello/-/pipelines/{green.id}">' in page
    assert "2 commits since then" in page
    assert '<span class="added">+4</span>' in page
    assert page.index("Polish") < page.index("Break it")
    assert "All is well" not in page
    assert "E AssertionError: 2 &lt;script&gt;" in page
    assert "retrying" not in page
    assert PAYLOAD not in page
    assert "Polish" not in changes_of(site, red, "guest"), "guests may not read the repository"
    assert "E AssertionError: 2" in changes_of(site, red, "guest")
    assert f"/pipelines/{red.id}/changes" in site.visitor("guest").get(f"/skerry/hello/-/pipelines/{red.id}").text
    assert "/changes" not in site.visitor("guest").get(f"/skerry/hello/-/pipelines/{green.id}").text


def test_what_there_is_nothing_to_compare_with_is_said(site, core, commit, ran, monkeypatch):
    first = ran(commit("The first"), "fatal: no", status="failed")
    page = changes_of(site, first)
    assert "was not green before" in page
    assert "fatal: no" in page
    assert "no earlier run to compare" in page
    assert "The first" in page
    green = ran(commit("Good"), "fine")
    again = ran(green.sha, "panic: flaky", status="failed")
    assert "None: this is the commit that was green." in changes_of(site, again)
    lost = ran(commit("Rewritten"), status="failed")
    assert "The history was rewritten" in changes_of(site, lost)
    assert "Good" in changes_of(site, lost)
    unknown = ran("d" * 40, status="failed")
    assert "does not know these commits" in changes_of(site, unknown)
    ids = [green.sha]
    for number in range(4):
        ids.append(commit(f"Step {number}", ids[-1]))
    monkeypatch.setattr(service, "MOST_COMMITS", 3)
    many = changes_of(site, ran(ids[-1], status="failed"))
    assert "3 or more commits" in many
    assert ["Step 3" in many, "Step 1" in many, "Step 0" in many] == [True, True, False]
    assert "No job of this pipeline failed" in changes_of(site, green)
    monkeypatch.setattr(service, "LOOKED_BACK", 1)
    assert "was not green before" in changes_of(site, ran(ids[0], status="failed"))


def test_a_log_that_may_not_be_read_is_not_told_of(site, core, commit, ran):
    red = ran(commit("Secret"), "error: password is hunter2", status="failed")
    with write(core.session):
        job = core.session.query(Job).filter_by(pipeline_id=red.id).one()
        job.plan = {**job.plan, "variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]}
    assert "hunter2" not in changes_of(site, red, "reporter")
    assert "does not show this log" in changes_of(site, red, "reporter")
    assert "hunter2" in changes_of(site, red, "developer")
    assert site.visitor("stranger").get(f"/skerry/hello/-/pipelines/{red.id}/changes").status_code == 404


def test_a_job_is_compared_with_its_own_branch_first_then_the_default_one_then_its_last_failure(site, core, ran):
    def reference(pipeline):
        job = core.session.query(Job).filter_by(pipeline_id=pipeline.id, name="unit").one()
        found = reference_job(core, pipeline, job)
        return found and found.pipeline_id

    runs = [
        ran("1" * 40, status="failed", ref="topic"),
        ran("2" * 40, status="failed", ref="topic"),
        ran("3" * 40, ref="main"),
        ran("4" * 40, status="failed", ref="topic"),
        ran("5" * 40, ref="topic"),
        ran("6" * 40, status="failed", ref="topic"),
    ]
    ids = [run.id for run in runs]
    assert all(one < other for one, other in pairwise(ids))
    assert [reference(run) for run in runs] == [None, ids[0], None, ids[2], ids[2], ids[4]]
