"""Schedules run when they are due, once, with the rights that their owner has then."""

import threading
from datetime import timedelta

import pytest
from flask import Flask

from app.background.tasks import TASKS
from app.domain.errors import InvalidRequest, NotAllowed
from app.domain.permissions import Role
from app.domain.plan import Variable
from app.models import Job, Membership, write
from app.services.accounts.show_users import block_user
from app.services.pipelines.variables import job_variables
from app.services.schedules import run_schedules
from app.services.schedules.run_schedules import NO_OWNER, play_schedule, run_due_schedules
from app.services.schedules.save_schedule import Draft, delete_schedule, take_ownership, update_schedule
from app.services.schedules.schedule_variables import add_variable
from app.services.schedules.show_schedules import last_pipelines
from tests.databases import BOTH
from tests.factories import make_runner, make_user
from tests.support.world import START

both = pytest.mark.parametrize("database", BOTH, indirect=True)


def of_job(core, pipeline) -> dict[str, str]:
    job = core.session.query(Job).filter_by(pipeline_id=pipeline.id).one()
    return {found.key: found.value for found in job_variables(core, job, make_runner(core)[0], "glcbt-x")}


@both
def test_a_due_schedule_makes_one_pipeline_and_is_due_again_tomorrow(place, again):
    schedule = place.schedule()
    assert schedule.next_run_at == START + timedelta(hours=13)
    assert run_due_schedules(place.core) == 0
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 1
    assert run_due_schedules(place.core) == 0
    (pipeline,) = place.pipelines()
    assert (pipeline.source, pipeline.ref, pipeline.tag) == ("schedule", "main", False)
    assert pipeline.user_id == place.owner.id
    assert again(schedule).next_run_at == START + timedelta(hours=37)
    assert last_pipelines(place.core, [schedule])[schedule.id].id == pipeline.id


def test_the_background_loop_looks_every_second():
    assert [task.seconds for task in TASKS if task.run is run_due_schedules] == [1]


def test_what_was_missed_while_no_server_ran_runs_once(place, again):
    schedule = place.schedule()
    place.pass_hours(24 * 10)
    assert run_due_schedules(place.core) == 1
    assert run_due_schedules(place.core) == 0
    assert again(schedule).next_run_at == START + timedelta(days=10, hours=13)


def test_its_jobs_know_the_schedule_its_variables_and_what_was_given_in_files(place):
    schedule = place.schedule()
    add_variable(place.core, schedule, place.owner, Variable("DEPTH", "deep", public=False))
    add_variable(place.core, schedule, place.owner, Variable("PAPER", "text", public=False, file=True))
    place.pass_hours(13)
    run_due_schedules(place.core)
    values = of_job(place.core, place.pipelines()[0])
    assert values["CI_PIPELINE_SOURCE"] == "schedule"
    assert values["CI_PIPELINE_SCHEDULE_DESCRIPTION"] == "Every night"
    assert (values["DEPTH"], values["PAPER"]) == ("deep", "text")


def test_inputs_reach_the_configuration(place):
    place.checkout.commit(
        {
            ".gitlab-ci.yml": "spec:\n  inputs:\n    count: {type: number}\n    where: {default: here}\n---\n"
            "job:\n  script: ['echo $[[ inputs.count ]] $[[ inputs.where ]]']\n"
        }
    )
    assert place.checkout.push("main").ok
    place.schedule(inputs=[{"name": "count", "value": 7}])
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 1
    job = place.core.session.query(Job).one()
    assert job.plan["steps"][0]["script"] == ["echo 7 here"]


def test_a_schedule_that_is_switched_off_waits_and_does_not_catch_up(place, again):
    schedule = place.schedule(active=False)
    place.pass_hours(50)
    assert run_due_schedules(place.core) == 0
    update_schedule(place.core, again(schedule), place.owner, Draft(active=True))
    assert run_due_schedules(place.core) == 0
    assert again(schedule).next_run_at == START + timedelta(hours=61)


def test_the_schedules_of_whom_one_blocks_stop(place, again):
    schedule = place.schedule(user := place.member(Role.MAINTAINER))
    block_user(place.core, place.owner, user.id, blocked=True)
    assert again(schedule).active is False
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0


@pytest.mark.parametrize("gone", ["blocked", "removed"])
def test_a_schedule_whose_owner_is_blocked_or_gone_stops_and_says_so(place, again, gone):
    schedule = place.schedule(user := place.member(Role.MAINTAINER))
    if gone == "blocked":
        place.set(user, blocked=True)
    else:
        place.set(schedule, owner_id=None)
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0
    assert (again(schedule).active, again(schedule).last_error) == (False, NO_OWNER)
    assert place.pipelines() == []


def test_the_owners_rights_are_those_of_the_moment(place, again):
    """Main is protected: a developer could not have run it, and a maintainer may lose the role."""
    schedule = place.schedule(user := place.member(Role.MAINTAINER))
    with write(place.core.session):
        place.core.session.query(Membership).filter_by(user_id=user.id).update({"role": int(Role.DEVELOPER)})
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0
    assert "sufficient permission" in again(schedule).last_error
    assert again(schedule).active
    with write(place.core.session):
        place.core.session.query(Membership).filter_by(user_id=user.id).update({"role": int(Role.MAINTAINER)})
    place.pass_hours(24)
    assert run_due_schedules(place.core) == 1
    assert again(schedule).last_error is None


def test_a_ref_that_is_gone_is_said_and_tried_again_at_its_time(place, again):
    schedule = place.schedule(ref="later")
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0
    assert again(schedule).last_error == "Reference not found"
    assert place.checkout.push("main:later").ok
    assert run_due_schedules(place.core) == 0
    place.pass_hours(24)
    assert run_due_schedules(place.core) == 1
    assert place.pipelines()[0].ref == "later"


def test_a_broken_configuration_makes_a_failed_pipeline(place):
    place.checkout.commit({".gitlab-ci.yml": "job: {scrip: [x]}"})
    assert place.checkout.push("main").ok
    place.schedule()
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 1
    assert place.pipelines()[0].status == "failed"


def test_rules_that_leave_nothing_are_no_pipeline_and_no_error_of_the_server(place, again):
    schedule = place.schedule(description="Another one")
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0
    assert "rules configuration prevented" in again(schedule).last_error


def test_one_that_breaks_the_server_does_not_hold_up_the_others(place, again, monkeypatch):
    broken, sound = place.schedule(), place.schedule()
    prepare = run_schedules.prepare_pipeline
    calls = []

    def sometimes(core, request):
        calls.append(request)
        if len(calls) == 1:
            raise RuntimeError("the disk is gone")
        return prepare(core, request)

    monkeypatch.setattr(run_schedules, "prepare_pipeline", sometimes)
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 1
    assert again(broken).last_error == run_schedules.NOT_RUN
    assert again(broken).next_run_at == again(sound).next_run_at == START + timedelta(hours=37)


def test_an_archived_project_runs_nothing(place):
    place.schedule()
    place.set(place.project, archived=True)
    place.pass_hours(13)
    assert run_due_schedules(place.core) == 0


@both
def test_several_servers_at_once_make_one_pipeline(app: Flask, place):
    place.schedule()
    place.pass_hours(13)
    start, made = threading.Barrier(4), []

    def server() -> None:
        with app.app_context():
            start.wait(10)
            made.append(run_due_schedules(place.core))

    place.core.session.rollback()
    threads = [threading.Thread(target=server) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [0, 0, 0, 1]
    assert len(place.pipelines()) == 1


def test_playing_runs_it_for_who_plays_and_leaves_its_time(place, again):
    schedule = place.schedule()
    maintainer = place.member(Role.MAINTAINER)
    pipeline = play_schedule(place.core, schedule, maintainer)
    assert (pipeline.source, pipeline.user_id) == ("schedule", maintainer.id)
    assert of_job(place.core, pipeline)["CI_PIPELINE_SCHEDULE_DESCRIPTION"] == "Every night"
    assert again(schedule).next_run_at == START + timedelta(hours=13)
    with pytest.raises(NotAllowed):
        play_schedule(place.core, again(schedule), place.member(Role.DEVELOPER))
    with pytest.raises(InvalidRequest, match="rules configuration prevented"):
        play_schedule(place.core, place.schedule(description="Another one"), maintainer)


def test_pipelines_outlive_their_schedule(place):
    schedule = place.schedule()
    play_schedule(place.core, schedule, place.owner)
    delete_schedule(place.core, schedule, place.owner)
    (pipeline,) = place.pipelines()
    assert "CI_PIPELINE_SCHEDULE_DESCRIPTION" not in of_job(place.core, pipeline)


def test_a_stranger_owns_nothing_that_they_take(place, again):
    schedule = place.schedule()
    with pytest.raises(NotAllowed):
        take_ownership(place.core, schedule, place.member(Role.DEVELOPER))
    with pytest.raises(NotAllowed):
        take_ownership(place.core, schedule, make_user(place.core))
    maintainer = place.member(Role.MAINTAINER)
    assert take_ownership(place.core, schedule, maintainer)
    assert again(schedule).owner_id == maintainer.id
    assert not take_ownership(place.core, again(schedule), maintainer)
