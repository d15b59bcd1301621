"""Trigger jobs of other projects, who may start them, and jobs that follow an upstream (gitlab.md C.9)."""

import pytest

from app.domain import failure
from app.domain.permissions import Role
from app.models import Job, Project, ProtectedRef, User, write
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.search_pipelines import PipelineFilter, given_variables, pipelines
from tests.factories import make_member, make_user
from tests.support.triggering import CHILD, two


def test_another_project_runs_its_own_configuration(lab):
    upper, lower = two(lab, "{project: $CI_PROJECT_NAMESPACE/lower, strategy: depend}", "  variables: {A: b}\n")
    made = lab.run(upper)
    lab.beat()
    down = lab.newest()
    assert (down.project_id, down.source, down.ref, down.user_id) == (lower.id, "pipeline", "main", lab.user.id)
    assert {one.key: one.value for one in given_variables(lab.core, down)} == {"A": "b"}
    lab.end(down, "work")
    lab.beat()
    assert lab.statuses(made)["start"] == "success"
    listed = lab.core.session.scalars(pipelines(lower, PipelineFilter())).all()
    assert [one.id for one in listed] == [down.id]


def test_inputs_reach_the_other_projects_configuration(lab):
    lower = {".gitlab-ci.yml": "spec: {inputs: {who: }}\n---\nhello $[[ inputs.who ]]: {script: x}"}
    upper, _ = two(lab, "{project: group/lower, inputs: {who: $CI_COMMIT_REF_NAME}}", lower=lower)
    lab.run(upper)
    lab.beat()
    assert lab.statuses(lab.newest()) == {"hello main": "pending"}


def test_canceling_leaves_other_projects_alone(lab):
    upper, _ = two(lab, "{project: group/lower, strategy: depend}")
    made = lab.run(upper)
    lab.beat()
    cancel_pipeline(lab.core, made, lab.user)
    assert (lab.read(made).status, lab.newest().status) == ("canceled", "pending")


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [
        ("group/nowhere", failure.DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND),
        ("'2'", failure.DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND),
        ("$EMPTY", failure.DOWNSTREAM_PROJECT_TRIGGER_RESOLVED_TO_EMPTY),
        ("group/upper", failure.INVALID_BRIDGE_TRIGGER),
        ("{project: group/lower, branch: nowhere}", failure.DOWNSTREAM_PIPELINE_CREATION_FAILED),
    ],
)
def test_what_cannot_be_started_fails_with_its_reason(lab, trigger, reason):
    upper, _ = two(lab, trigger)
    made = lab.run(upper)
    lab.beat()
    job = lab.jobs(made)["start"]
    assert (job.status, job.failure_reason, len(lab.pipelines())) == ("failed", reason, 1)
    assert job.failure_message


@pytest.mark.parametrize(
    ("role", "protected", "reason"),
    [
        (Role.NONE, False, failure.DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND),
        (Role.REPORTER, False, failure.INSUFFICIENT_BRIDGE_PERMISSIONS),
        (Role.DEVELOPER, True, failure.INSUFFICIENT_BRIDGE_PERMISSIONS),
        (Role.DEVELOPER, False, None),
        (Role.MAINTAINER, True, None),
    ],
)
def test_the_user_who_started_the_job_has_to_be_allowed_there(lab, role, protected, reason):
    upper, lower = two(lab)
    member = make_user(lab.core)
    make_member(lab.core, member, upper, Role.MAINTAINER)
    if role:
        make_member(lab.core, member, lower, role)
    with write(lab.core.session):
        lab.core.session.query(ProtectedRef).filter_by(project_id=lower.id).delete()
        if protected:
            lab.core.session.add(
                ProtectedRef(project_id=lower.id, kind="branch", pattern="main", push_role=int(Role.MAINTAINER))
            )
    made = lab.run(upper, member)
    lab.beat()
    assert lab.jobs(made)["start"].failure_reason == reason
    assert len(lab.pipelines(lower)) == (0 if reason else 1)


def test_a_blocked_user_and_one_who_is_gone_start_nothing(lab):
    upper, lower = two(lab)
    member = make_user(lab.core)
    for project in (upper, lower):
        make_member(lab.core, member, project, Role.MAINTAINER)
    blocked, gone = lab.run(upper, member), lab.run(upper, member)
    with write(lab.core.session):
        lab.core.session.get_one(User, member.id).blocked = True
        lab.core.session.query(Job).filter_by(pipeline_id=gone.id).update({"user_id": None})
    lab.beat()
    reasons = {lab.jobs(one)["start"].failure_reason for one in (blocked, gone)}
    assert reasons <= {failure.DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND, failure.INSUFFICIENT_BRIDGE_PERMISSIONS}
    assert lab.pipelines(lower) == []


def test_projects_that_start_each_other_stop_after_one_more_round(lab):
    lab.project({".gitlab-ci.yml": "start: {trigger: group/b}"}, path="group/a")
    lab.project({".gitlab-ci.yml": "start: {trigger: group/a}"}, path="group/b")
    lab.run(_project(lab, "group/a"))
    lab.beat(10)
    last = lab.jobs(lab.newest())["start"]
    assert (last.status, last.failure_reason) == ("failed", failure.PIPELINE_LOOP_DETECTED)
    assert len(lab.pipelines()) == 6


def _project(lab, path):
    return lab.core.session.query(Project).filter_by(full_path=path).one()


def test_a_job_follows_the_newest_pipeline_of_its_upstream(lab):
    lower = lab.project({".gitlab-ci.yml": CHILD}, path="group/lower")
    upper = lab.project({".gitlab-ci.yml": "follow: {needs: {pipeline: group/lower}}"}, path="group/upper")
    made = lab.run(upper)
    lab.beat()
    assert lab.statuses(made) == {"follow": "pending"}
    assert lab.jobs(made)["follow"].waiting_reason == "The upstream project has no pipeline yet."
    up = lab.run(lower)
    lab.beat()
    assert f"#{up.id} of group/lower" in lab.jobs(made)["follow"].waiting_reason
    lab.end(up, "work", "failed")
    lab.beat()
    assert lab.statuses(made) == {"follow": "failed"}


def test_an_upstream_that_may_not_be_read_fails_the_job(lab):
    lab.project({".gitlab-ci.yml": CHILD}, path="group/lower", public_jobs=False)
    upper = lab.project({".gitlab-ci.yml": "follow: {needs: {pipeline: group/lower}}"}, path="group/upper")
    stranger, guest = make_user(lab.core), make_user(lab.core)
    make_member(lab.core, guest, _project(lab, "group/lower"), Role.GUEST)
    reasons = []
    for user in (stranger, guest):
        make_member(lab.core, user, upper, Role.MAINTAINER)
        made = lab.run(upper, user)
        lab.beat()
        reasons.append(lab.jobs(made)["follow"].failure_reason)
    assert reasons == [failure.UPSTREAM_BRIDGE_PROJECT_NOT_FOUND, failure.INSUFFICIENT_UPSTREAM_PERMISSIONS]


@pytest.mark.parametrize(("how", "started"), [("success", 1), ("failed", 0)])
def test_a_job_that_follows_and_triggers_starts_once_its_upstream_succeeded(lab, how, started):
    lower = lab.project({".gitlab-ci.yml": CHILD}, path="group/lower")
    text = "both: {needs: {pipeline: group/lower}, trigger: {include: child.yml}}"
    upper = lab.project({".gitlab-ci.yml": text, "child.yml": CHILD}, path="group/upper")
    up, made = lab.run(lower), lab.run(upper)
    lab.beat()
    assert lab.statuses(made) == {"both": "pending"}
    lab.end(up, "work", how)
    lab.beat()
    assert lab.statuses(made) == {"both": how}
    assert len(lab.pipelines(upper)) == 1 + started
