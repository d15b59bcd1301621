"""Trigger jobs: child pipelines, pipelines of other projects, and how the job stands meanwhile (gitlab.md C.9)."""

import pytest
from sqlalchemy import delete

from app.domain import failure
from app.domain.plan import Variable
from app.models import Pipeline, PipelineLink, User, write
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.play_job import play_job, playable
from app.services.jobs.retry_job import retry_job
from app.services.pipelines import start_downstream as module
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.delete_pipeline import delete_pipeline
from app.services.pipelines.lost_downstream import fail_forgotten
from app.services.pipelines.pipeline_links import downstream_of_jobs
from app.services.pipelines.search_pipelines import PipelineFilter, given_variables, latest_pipeline, pipelines
from app.services.pipelines.start_downstream import start_bridge, start_downstream
from app.services.projects.delete_project import delete_project
from app.services.runners.job_offers import fitting_jobs
from app.services.runners.known_runner import look_up
from tests.factories import make_runner
from tests.support.triggering import CHILD, parent, two


def test_a_trigger_job_starts_one_child_and_has_succeeded(lab):
    project = lab.project(parent("{include: child.yml}"))
    made = lab.run(project)
    assert lab.statuses(made) == {"start": "pending", "after": "created"}
    lab.beat()
    child = lab.newest()
    assert lab.statuses(made) == {"start": "success", "after": "pending"}
    assert (child.source, child.ref, child.sha, child.user_id) == ("parent_pipeline", "main", made.sha, lab.user.id)
    assert (lab.statuses(child), len(lab.pipelines())) == ({"work": "pending"}, 2)


def test_no_runner_is_given_a_trigger_job_and_it_waits_for_none(lab):
    made = lab.run(lab.project(parent("{include: child.yml}")))
    runner = make_runner(lab.core)[0]
    assert lab.core.session.execute(fitting_jobs(lab.core, look_up(lab.core, runner.id))).all() == []
    assert lab.jobs(made)["start"].waiting_reason == "The pipeline that it starts is being made."


def test_a_pipeline_is_started_once_whoever_else_is_about_to(lab, monkeypatch):
    """Two leaders prepare the same job's pipeline; a crash in between leaves the job to be found again."""
    made = lab.run(lab.project(parent("{include: child.yml}")))
    job_id = lab.jobs(made)["start"].id
    write_down = module.insert_pipeline

    def crash(core, prepared):
        write_down(core, prepared)
        raise MemoryError

    monkeypatch.setattr(module, "insert_pipeline", crash)
    with pytest.raises(MemoryError):
        start_bridge(lab.core, job_id)
    assert (lab.statuses(made)["start"], len(lab.pipelines())) == ("pending", 1)
    monkeypatch.setattr(module, "insert_pipeline", write_down)
    prepare = module.prepare_pipeline

    def overtaken(core, request):
        prepared = prepare(core, request)
        monkeypatch.setattr(module, "prepare_pipeline", prepare)
        start_bridge(core, job_id)
        return prepared

    monkeypatch.setattr(module, "prepare_pipeline", overtaken)
    start_bridge(lab.core, job_id)
    assert (lab.statuses(made)["start"], len(lab.pipelines())) == ("success", 2)
    start_bridge(lab.core, job_id)
    assert len(lab.pipelines()) == 2


def test_a_job_canceled_while_its_pipeline_is_prepared_starts_none(lab, monkeypatch):
    made = lab.run(lab.project(parent("{include: child.yml}")))
    prepare = module.prepare_pipeline

    def canceled_meanwhile(core, request):
        prepared = prepare(core, request)
        cancel_pipeline(core, made, core.session.get_one(User, request.user.id))
        return prepared

    monkeypatch.setattr(module, "prepare_pipeline", canceled_meanwhile)
    start_downstream(lab.core)
    assert (lab.statuses(made)["start"], len(lab.pipelines())) == ("canceled", 1)


@pytest.mark.parametrize(
    ("strategy", "how", "shown", "then"),
    [
        ("depend", "success", "success", "pending"),
        ("depend", "failed", "failed", "skipped"),
        ("depend", "canceled", "failed", "skipped"),
        ("mirror", "success", "success", "pending"),
        ("mirror", "failed", "failed", "skipped"),
        ("mirror", "canceled", "canceled", "skipped"),
    ],
)
def test_with_a_strategy_the_job_ends_as_its_pipeline_does(lab, strategy, how, shown, then):
    made = lab.run(lab.project(parent(f"{{include: child.yml, strategy: {strategy}}}")))
    lab.beat()
    running = {"depend": "running", "mirror": "pending"}[strategy]
    assert lab.statuses(made) == {"start": running, "after": "created"}
    lab.end(lab.newest(), "work", how)
    lab.beat()
    assert lab.statuses(made) == {"start": shown, "after": then}
    if shown == "failed":
        assert lab.jobs(made)["start"].failure_message == "The pipeline that it started: failed."


def test_mirror_shows_a_blocked_pipeline_and_goes_on_with_it(lab):
    files = parent("{include: child.yml, strategy: mirror}")
    files["child.yml"] = "work: {script: x, when: manual, allow_failure: false}"
    made = lab.run(lab.project(files))
    lab.beat()
    job, child = lab.jobs(made)["start"], lab.newest()
    assert (job.status, lab.read(made).status) == ("manual", "manual")
    assert not playable(job)
    play_job(lab.core, lab.jobs(child)["work"], lab.user)
    lab.end(child, "work")
    lab.beat()
    assert lab.statuses(made) == {"start": "success", "after": "pending"}


def test_depend_runs_while_its_pipeline_is_blocked(lab):
    files = parent("{include: child.yml, strategy: depend}")
    files["child.yml"] = "work: {script: x, when: manual, allow_failure: false}"
    made = lab.run(lab.project(files))
    lab.beat()
    assert lab.statuses(made)["start"] == "running"


def test_a_job_that_failed_with_its_pipeline_runs_again_with_it(lab):
    made = lab.run(lab.project(parent("{include: child.yml, strategy: depend}")))
    lab.beat()
    child = lab.newest()
    lab.end(child, "work", "failed")
    lab.beat()
    assert lab.statuses(made) == {"start": "failed", "after": "skipped"}
    retry_job(lab.core, lab.jobs(child)["work"], lab.user)
    lab.beat()
    assert (lab.statuses(made), lab.read(made).status) == ({"start": "running", "after": "created"}, "running")
    lab.end(child, "work")
    lab.beat()
    assert lab.statuses(made) == {"start": "success", "after": "pending"}


def test_a_retried_trigger_job_starts_another_pipeline(lab):
    made = lab.run(lab.project(parent("{include: child.yml, strategy: depend}")))
    lab.beat()
    first = lab.newest()
    lab.end(first, "work", "failed")
    lab.beat()
    retry_job(lab.core, lab.jobs(made)["start"], lab.user)
    lab.beat()
    second = lab.newest()
    assert (second.id > first.id, lab.statuses(made)["start"]) == (True, "running")
    retry_job(lab.core, lab.jobs(first)["work"], lab.user)
    lab.end(first, "work")
    lab.beat()
    assert lab.statuses(made)["start"] == "running"
    lab.end(second, "work", "success")
    lab.beat()
    assert lab.statuses(made)["start"] == "success"


def test_canceling_a_pipeline_cancels_its_children_and_theirs(lab):
    files = parent("{include: child.yml, strategy: depend}")
    files["child.yml"] = "deeper: {trigger: {include: grand.yml}}\nwork: {script: x}\n"
    files["grand.yml"] = CHILD
    made = lab.run(lab.project(files))
    lab.beat()
    child, grandchild = lab.pipelines()[1:]
    cancel_pipeline(lab.core, made, lab.user)
    assert [lab.read(one).status for one in (made, child, grandchild)] == ["canceled"] * 3
    lab.beat()
    assert lab.statuses(made) == {"start": "canceled", "after": "canceled"}


def test_canceling_a_trigger_job_that_waits_cancels_its_child_and_what_that_started(lab):
    files = parent("{include: child.yml, strategy: mirror}") | {"grand.yml": CHILD}
    files["child.yml"] = "deeper: {trigger: {include: grand.yml}}\nwork: {script: x}\n"
    made = lab.run(lab.project(files))
    lab.beat()
    cancel_job(lab.core, lab.jobs(made)["start"], lab.user)
    assert [lab.read(one).status for one in lab.pipelines()] == ["canceled"] * 3
    assert lab.statuses(made) == {"start": "canceled", "after": "skipped"}
    fresh = retry_job(lab.core, lab.jobs(made)["start"], lab.user)
    lab.beat()
    assert [one.status for one in lab.pipelines()[1:]] == ["canceled", "canceled", "running", "pending"]
    assert lab.read(fresh).status == "running"


def test_a_trigger_job_that_a_person_canceled_stays_so(lab):
    upper, _ = two(lab, "{project: group/lower, strategy: depend}")
    made = lab.run(upper)
    lab.beat()
    cancel_job(lab.core, lab.jobs(made)["start"], lab.user)
    assert lab.newest().status == "pending"  # it is not ours to cancel
    lab.end(lab.newest(), "work")
    lab.beat()
    assert lab.statuses(made)["start"] == "canceled"


def test_deleting_a_pipeline_deletes_its_children(lab):
    made = lab.run(lab.project(parent("{include: child.yml}")))
    lab.beat()
    assert len(lab.pipelines()) == 2
    delete_pipeline(lab.core, made, lab.user)
    assert (lab.pipelines(), lab.core.session.query(PipelineLink).count()) == ([], 0)


@pytest.mark.parametrize("whole_project", [False, True])
def test_a_job_that_waits_for_a_pipeline_which_is_removed_fails(lab, whole_project):
    upper, lower = two(lab, "{project: group/lower, strategy: depend}")
    made = lab.run(upper)
    lab.beat()
    assert lab.statuses(made)["start"] == "running"
    if whole_project:
        delete_project(lab.core, lower, lab.user)
    else:
        delete_pipeline(lab.core, lab.newest(), lab.user)
    job = lab.jobs(made)["start"]
    assert (job.status, job.failure_reason) == ("failed", failure.UNKNOWN_FAILURE)
    assert job.failure_message == "The pipeline that it started was removed."
    assert lab.read(made).status == "failed"


def test_a_failure_that_ends_everything_ends_the_children_too(lab):
    text = "workflow: {auto_cancel: {on_job_failure: all}}\nbad: {stage: test, script: x}\n"
    made = lab.run(lab.project(parent("{include: child.yml}", text)))
    lab.beat()
    lab.end(made, "bad", "failed")
    assert [one.status for one in lab.pipelines()] == ["failed", "canceled"]


def test_a_job_whose_pipeline_went_without_a_word_fails_later(lab):
    made = lab.run(lab.project(parent("{include: child.yml, strategy: depend}")))
    lab.beat()
    fail_forgotten(lab.core)
    assert lab.statuses(made)["start"] == "running"
    with write(lab.core.session):  # as where a server is killed right after the commit
        lab.core.session.execute(delete(Pipeline).where(Pipeline.source == "parent_pipeline"))
    fail_forgotten(lab.core)
    job = lab.jobs(made)["start"]
    assert (job.status, job.failure_message) == ("failed", "The pipeline that it started was removed.")
    assert lab.read(made).status == "failed"


@pytest.mark.parametrize("kind", ["child", "project"])
def test_a_configuration_that_does_not_compile_stays_as_a_failed_pipeline(lab, kind):
    broken = "work: {scrip: x}\n"
    if kind == "child":
        upper = lab.project(parent("{include: child.yml, strategy: depend}") | {"child.yml": broken})
    else:
        upper, _ = two(lab, "{project: group/lower, strategy: mirror}", lower={".gitlab-ci.yml": broken})
    made = lab.run(upper)
    lab.beat()
    job, kept = lab.jobs(made)["start"], lab.newest()
    assert (job.status, job.failure_reason) == ("failed", failure.DOWNSTREAM_PIPELINE_CREATION_FAILED)
    assert "jobs work config should implement the script:" in job.failure_message
    assert (kept.status, kept.failure_reason, lab.jobs(kept)) == ("failed", "config_error", {})
    assert downstream_of_jobs(lab.core, [job.id])[job.id].id == kept.id
    assert lab.read(made).status == "failed"


def test_children_are_no_pipelines_of_the_list(lab):
    project = lab.project(parent("{include: child.yml}"))
    made = lab.run(project)
    lab.beat()
    listed = lab.core.session.scalars(pipelines(project, PipelineFilter())).all()
    assert [one.id for one in listed] == [made.id]
    assert latest_pipeline(lab.core, project).id == made.id
    children = lab.core.session.scalars(pipelines(project, PipelineFilter(source="parent_pipeline"))).all()
    assert [one.id for one in children] == [lab.newest().id]


def test_children_are_two_deep_and_no_deeper(lab):
    deeper = "deeper: {{trigger: {{include: {}}}}}"
    files = parent("{include: child.yml}") | {
        "child.yml": deeper.format("grand.yml"),
        "grand.yml": deeper.format("great.yml"),
        "great.yml": CHILD,
    }
    lab.run(lab.project(files))
    lab.beat()
    assert len(lab.pipelines()) == 3
    job = lab.jobs(lab.newest())["deeper"]
    assert (job.status, job.failure_reason) == ("failed", failure.REACHED_MAX_DESCENDANT_PIPELINES_DEPTH)


VARIABLES = """
variables: {GLOBAL: g, PARENT: $CI_PIPELINE_ID}
start:
  variables: {OWN: "$GLOBAL of $CI_COMMIT_REF_NAME", UNKNOWN: $NOBODY}
  trigger: {include: child.yml, forward: {yaml_variables: %s, pipeline_variables: %s}}
"""


@pytest.mark.parametrize(("yaml", "pipeline"), [("true", "false"), ("false", "true"), ("true", "true")])
def test_variables_go_along_as_the_trigger_says(lab, yaml, pipeline):
    project = lab.project({".gitlab-ci.yml": VARIABLES % (yaml, pipeline), "child.yml": CHILD})
    made = lab.run(project, variables=[Variable("GIVEN", "v", public=False), Variable("OWN", "given", public=False)])
    lab.beat()
    found = {one.key: one.value for one in given_variables(lab.core, lab.newest())}
    own = {"GLOBAL": "g", "PARENT": str(made.id), "OWN": "g of main", "UNKNOWN": "$NOBODY"}
    expected = own if yaml == "true" else {}
    assert found == expected | ({"GIVEN": "v", "OWN": "given"} if pipeline == "true" else {})


def test_rules_of_a_child_see_where_it_comes_from(lab):
    files = parent("{include: child.yml}")
    files["child.yml"] = """
work: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == "parent_pipeline", changes: [nothing.txt]}]}
never: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == "push"}]}
"""
    lab.run(lab.project(files))
    lab.beat()
    assert list(lab.statuses(lab.newest())) == ["work"]


def test_a_manual_trigger_job_waits_for_a_person_with_variables(lab):
    made = lab.run(lab.project(parent("{include: child.yml}", "  when: manual\n")))
    lab.beat()
    job = lab.jobs(made)["start"]
    assert (job.status, job.allow_failure, len(lab.pipelines())) == ("manual", True, 1)
    play_job(lab.core, job, lab.user, [Variable("PICKED", "yes", public=False)])
    lab.beat()
    assert {one.key for one in given_variables(lab.core, lab.newest())} == {"PICKED"}
    assert lab.statuses(made)["start"] == "success"
