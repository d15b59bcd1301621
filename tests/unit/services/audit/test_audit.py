"""The audit log: each act leaves its row, in the transaction that does it, and no row holds a secret."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.audit import Act, Caller
from app.domain.errors import Conflict, InvalidRequest, NotFound
from app.domain.permissions import Role
from app.models import AuditEvent, Project, User, write
from app.services.accounts import (
    access_tokens,
    change_user,
    create_user,
    manage_user,
    place_tokens,
    rotate_token,
    show_users,
    sign_in,
    sign_ins,
)
from app.services.accounts.create_token import create_token
from app.services.accounts.revoke_token import revoke_token
from app.services.audit import remove_old_events
from app.services.audit.record import record
from app.services.audit.show_events import AuditFilter, show_events, subjects
from app.services.jobs.erase_job import erase_job
from app.services.pipelines import triggers
from app.services.pipelines.delete_pipeline import delete_pipeline
from app.services.projects import ci_variables, groups, job_token_scope, members
from app.services.projects.change_project import change_project
from app.services.projects.create_project import create_project
from app.services.projects.delete_project import delete_project
from app.services.projects.save_member import remove_member, save_member
from app.services.repositories import protect_refs
from app.services.runners import create_runner, manage_runner, register_runner, share_runner
from app.services.runners.registration_tokens import reset_registration_token
from app.services.runs import definition_variables
from app.services.runs.definitions import definitions_of
from app.services.schedules import save_schedule
from tests.factories import PASSWORD, make_job, make_pipeline, make_user, print_trace

SECRET = "hunter2hunter2"


class Story:
    """One server on which everything happens once; `acts` does a thing and returns the rows that it left."""

    def __init__(self, core):
        self.core = replace(core, caller=lambda: Caller(None, "", "192.0.2.7", "test"))
        self.admin = make_user(self.core, "admin", is_admin=True)
        self.bob = make_user(self.core, "bob")
        self.project = create_project(self.core, full_path="rocks/big", creator=self.admin)

    def acts(self, work):
        """(action, target, place) of each row that `work` left, and what it returned."""
        last = self.core.session.query(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(1).scalar() or 0
        made = work()
        self.core.session.rollback()
        rows = self.core.session.query(AuditEvent).filter(AuditEvent.id > last).order_by(AuditEvent.id).all()
        return made, [(row.action, row.target, row.place) for row in rows]


@pytest.fixture
def story(core):
    return Story(core)


def test_each_act_on_accounts_leaves_its_row(story):
    core, bob = story.core, story.bob
    token, plain = create_token(core, user=bob, name="deploy", scopes=["api"])
    second, _ = create_token(core, user=bob, name="other", scopes=["api"])
    cookie = sign_ins.begin_sign_in(core, bob, "192.0.2.7")
    table = [
        (lambda: create_user.create_user(core, username="carol", password=SECRET), Act.USER_CREATED, "carol"),
        (lambda: sign_in.sign_in(core, "bob", PASSWORD, "192.0.2.7"), Act.SIGNED_IN, "bob"),
        (lambda: sign_in.sign_in(core, "BOB", "wrong", "192.0.2.7"), Act.SIGN_IN_FAILED, "bob"),
        (lambda: sign_in.sign_in(core, SECRET, "wrong", "192.0.2.7"), Act.SIGN_IN_FAILED, "an unknown name"),
        (lambda: change_user.change_user(core, story.admin, bob.id, {"is_admin": True}), Act.USER_CHANGED, "bob"),
        (
            lambda: sign_ins.revoke_sign_in(core, bob, sign_ins.this_sign_in(core, bob.id, cookie)),
            Act.SESSION_REVOKED,
            "bob",
        ),
        (lambda: manage_user.end_sessions(core, bob.id), Act.SIGNED_OUT_EVERYWHERE, "bob"),
        (lambda: manage_user.change_password(core, bob, PASSWORD, SECRET, "x"), Act.PASSWORD_CHANGED, "bob"),
        (lambda: manage_user.reset_password(core, bob.id), Act.PASSWORD_CHANGED, "bob"),
        (lambda: show_users.block_user(core, story.admin, bob.id, True), Act.USER_BLOCKED, "bob"),
        (lambda: show_users.block_user(core, story.admin, bob.id, False), Act.USER_UNBLOCKED, "bob"),
        (lambda: create_token(core, user=bob, name="ci", scopes=["api"]), Act.TOKEN_CREATED, "ci"),
        (lambda: rotate_token.rotate_token(core, token), Act.TOKEN_ROTATED, "deploy"),
        (lambda: revoke_token(core, bob, second.id), Act.TOKEN_REVOKED, "other"),
    ]
    for work, act, target in table:
        assert story.acts(work)[1] == [(act, target, "")], act
    assert cookie not in _everything(core)
    assert story.acts(lambda: access_tokens.revoke(core, second))[1] == [], "it was revoked already"
    assert plain not in _everything(core)
    assert SECRET not in _everything(core)


def test_each_act_on_a_project_leaves_its_row(story):
    core, admin, bob, project = story.core, story.admin, story.bob, story.project
    pipeline = make_pipeline(core, project, user=admin, status="success")
    job = make_job(core, pipeline, name="unit", status="success")
    print_trace(core, job.id, b"text")
    definition = core.session.scalar(definitions_of(project))
    kept = {}

    def keep(name, work):
        kept[name] = work()
        return kept[name]

    draft = save_schedule.Draft(description="nightly", ref="main", cron="0 1 * * *")
    settings = {"environment_scope": "prod"}
    table = [
        (lambda: change_project(core, project, admin, {"build_timeout": 7200}), Act.PROJECT_CHANGED, "rocks/big"),
        (lambda: keep("member", lambda: save_member(core, project, admin, "bob", 30)), Act.MEMBER_ADDED, "bob"),
        (lambda: save_member(core, project, admin, "bob", 40), Act.MEMBER_CHANGED, "bob"),
        (lambda: remove_member(core, project, admin, kept["member"].id), Act.MEMBER_REMOVED, "bob"),
        (lambda: members.add_member(core, project, admin, bob.id, 20), Act.MEMBER_ADDED, "bob"),
        (lambda: members.change_member(core, project, admin, bob.id, 30), Act.MEMBER_CHANGED, "bob"),
        (lambda: members.remove_member(core, project, admin, bob.id), Act.MEMBER_REMOVED, "bob"),
        (lambda: keep("variable", lambda: ci_variables.add_variable(core, project, "KEY", SECRET, settings)),
         Act.VARIABLE_CREATED, "KEY"),
        (lambda: ci_variables.change_variable(core, kept["variable"], SECRET * 2, {}), Act.VARIABLE_CHANGED, "KEY"),
        (lambda: ci_variables.remove_variable(core, kept["variable"]), Act.VARIABLE_REMOVED, "KEY"),
        (lambda: keep("own", lambda: definition_variables.add_variable(core, definition, "OWN", SECRET)),
         Act.VARIABLE_CREATED, "OWN"),
        (lambda: definition_variables.change_variable(core, kept["own"], "x", None), Act.VARIABLE_CHANGED, "OWN"),
        (lambda: definition_variables.remove_variable(core, kept["own"]), Act.VARIABLE_REMOVED, "OWN"),
        (lambda: keep("rule", lambda: protect_refs.protect(core, project, "tag", "v*")), Act.REF_PROTECTED, "tag v*"),
        (lambda: protect_refs.change_rule(core, kept["rule"], push_role=30), Act.PROTECTION_CHANGED, "tag v*"),
        (lambda: protect_refs.unprotect(core, kept["rule"]), Act.REF_UNPROTECTED, "tag v*"),
        (lambda: keep("trigger", lambda: triggers.add_trigger(core, project, admin, "hook")),
         Act.TRIGGER_CREATED, "hook"),
        (lambda: triggers.remove_trigger(core, kept["trigger"]), Act.TRIGGER_REMOVED, "hook"),
        (lambda: keep("plan", lambda: save_schedule.create_schedule(core, project, admin, draft)),
         Act.SCHEDULE_CREATED, "nightly"),
        (lambda: save_schedule.update_schedule(core, kept["plan"], admin, save_schedule.Draft(active=False)),
         Act.SCHEDULE_CHANGED, "nightly"),
        (lambda: save_schedule.delete_schedule(core, kept["plan"], admin), Act.SCHEDULE_REMOVED, "nightly"),
        (lambda: erase_job(core, job, admin), Act.JOB_ERASED, f"unit (#{job.id})"),
        (lambda: delete_pipeline(core, pipeline, admin), Act.PIPELINE_DELETED, f"#{pipeline.id}"),
    ]  # fmt: skip
    for work, act, target in table:
        assert story.acts(work)[1] == [(act, target, "rocks/big")], (act, target)
    assert story.acts(lambda: delete_project(core, project, admin))[1] == [(Act.PROJECT_DELETED, "rocks/big", "")]
    assert core.session.query(AuditEvent).filter(AuditEvent.project_id.is_not(None)).count() == 0, (
        "no key of it is left"
    )
    assert SECRET not in _everything(core)


def test_each_act_on_runners_and_groups_leaves_its_row(story):
    core, admin = story.core, story.admin
    (runner, plain), made = story.acts(
        lambda: create_runner.create_runner(
            core, description="rock", runner_type="project_type", project=story.project, tags=["a"]
        )
    )
    named = f"#{runner.id} rock"
    assert made == [(Act.RUNNER_CREATED, named, "rocks/big")]
    table = [
        (lambda: manage_runner.change_runner(core, runner, {"paused": True}), [Act.RUNNER_PAUSED]),
        (lambda: manage_runner.change_runner(core, runner, {"paused": True}), []),
        (lambda: manage_runner.change_runner(core, runner, {"paused": False, "tags": ["b"]}),
         [Act.RUNNER_RESUMED, Act.RUNNER_CHANGED]),
        (lambda: register_runner.reset_runner_token(core, runner, plain), [Act.RUNNER_TOKEN_RESET]),
        (lambda: manage_runner.remove_runner(core, runner), [Act.RUNNER_REMOVED]),
    ]  # fmt: skip
    for work, acts in table:
        assert story.acts(work)[1] == [(act, named, "rocks/big") for act in acts]
    group, made = story.acts(lambda: groups.create_group(core, admin, name="Sea", path="sea"))
    assert made == [(Act.GROUP_CREATED, "sea", "sea")]
    assert story.acts(lambda: groups.edit_group(core, group, admin, {"name": "Sea"}))[1] == []
    assert story.acts(lambda: groups.edit_group(core, group, admin, {"name": "Lake"}))[1] == [
        (Act.GROUP_CHANGED, "sea", "sea")
    ]
    assert story.acts(lambda: groups.delete_group(core, group, admin))[1] == [(Act.GROUP_DELETED, "sea", "")]
    assert plain not in _everything(core)


def test_each_act_on_who_else_may_come_in_leaves_its_row(story):
    core, admin, bob, project = story.core, story.admin, story.bob, story.project
    other = create_project(core, full_path="sea/port", creator=admin)
    runner, _ = create_runner.create_runner(core, description="rock", runner_type="project_type", project=other)
    draft = place_tokens.Draft(name="bot", scopes=("api",), role=Role.DEVELOPER)
    scope, here = job_token_scope, "rocks/big"
    table = [
        (lambda: place_tokens.create_place_token(core, project, admin, draft), Act.TOKEN_CREATED, "bot", here),
        (lambda: scope.limit_job_tokens(core, project, False), Act.JOB_TOKENS_LIMITED, here, here),
        (lambda: scope.grant(core, project, other), Act.JOB_TOKENS_GRANTED, "sea/port", here),
        (lambda: scope.revoke_grant(core, project, Project, other.id), Act.JOB_TOKENS_REVOKED, "sea/port", here),
        (lambda: share_runner.share_runner(core, runner, project), Act.RUNNER_SHARED, f"#{runner.id} rock", here),
        (lambda: share_runner.unshare_runner(core, runner, project), Act.RUNNER_UNSHARED, f"#{runner.id} rock", here),
        (lambda: reset_registration_token(core, project), Act.REGISTRATION_RESET, here, here),
        (lambda: reset_registration_token(core, None), Act.REGISTRATION_RESET, "the installation", ""),
        (lambda: change_user.change_user(core, admin, bob.id, {"name": "Bobby"}), Act.USER_CHANGED, "bob", ""),
        (lambda: change_user.change_user(core, admin, bob.id, {"password": SECRET}), Act.PASSWORD_CHANGED, "bob", ""),
        (lambda: change_user.remove_user(core, admin, bob.id), Act.USER_REMOVED, "bob", ""),
    ]  # fmt: skip
    for work, act, target, place in table:
        assert story.acts(work)[1] == [(act, target, place)], act
    assert SECRET not in _everything(core)


def test_what_is_refused_or_rolled_back_leaves_no_row(story):
    core, project = story.core, story.project

    def fail():
        with pytest.raises(Conflict):
            change_user.change_user(core, story.admin, story.admin.id, {"is_admin": False})
        with pytest.raises(NotFound):
            change_project(core, project, story.bob, {"build_timeout": 7200})
        with pytest.raises(InvalidRequest):
            manage_user.change_password(core, story.bob, PASSWORD, "short", "x")
        with pytest.raises(RuntimeError), write(core.session):
            record(core, Act.USER_CHANGED, "bob")
            raise RuntimeError

    assert story.acts(fail)[1] == []
    assert change_project(core, project, story.admin, {"build_timeout": 3600})
    assert story.acts(lambda: change_project(core, project, story.admin, {"build_timeout": 3600}))[1] == []


def test_a_row_says_who_from_where_and_what_changed(story):
    bob = story.bob
    core = replace(story.core, caller=lambda: Caller(bob.id, "bob", "192.0.2.9", "token deploy"))
    change_project(core, story.project, story.admin, {"visibility": "public", "git_depth": 20})
    row = core.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
    assert (row.actor, row.actor_id, row.address, row.way) == ("bob", bob.id, "192.0.2.9", "token deploy")
    assert row.details == {"visibility": ["private", "public"]}
    assert row.project_id == story.project.id


def test_the_log_is_read_by_pages_and_filters(story):
    core = story.core
    for number in range(7):
        create_user.create_user(core, username=f"user{number}")
    first = show_events(core, AuditFilter(subject="user"), limit=5)
    second = show_events(core, AuditFilter(subject="user"), first.next_before, limit=5)
    names = [event.target for event in [*first.events, *second.events]]
    assert names == [*(f"user{number}" for number in reversed(range(7))), "bob", "admin"]
    assert second.next_before is None
    assert {event.place for event in show_events(core, AuditFilter(place="ROCKS")).events} == {"rocks/big"}
    assert show_events(core, AuditFilter(place="rock")).events == []
    assert [event.target for event in show_events(core, AuditFilter(actor="ADMIN")).events] == ["rocks/big"]
    project = core.session.query(Project).one()
    assert {event.project_id for event in show_events(core, AuditFilter(within=project)).events} == {project.id}
    assert show_events(core, AuditFilter(subject="nothing")).events == []
    assert "runner" in subjects()


def _everything(core) -> str:
    core.session.rollback()
    rows = core.session.query(AuditEvent).all()
    assert rows
    assert core.session.query(User).count()
    return json.dumps([[row.target, row.details, row.actor, row.way, row.place] for row in rows])


def test_old_rows_are_removed_in_pieces_and_only_where_that_is_asked_for(story, monkeypatch):
    monkeypatch.setattr(remove_old_events, "BATCH", 3)
    core, now = story.core, story.core.now()
    ages = [400, 300, 200, 100, 50, 20, 5, 1]
    with write(core.session):
        core.session.query(AuditEvent).delete()
        for days in ages:
            record(core, Act.USER_CREATED, str(days))
    with write(core.session):
        for row in core.session.query(AuditEvent):
            row.created_at = now - timedelta(days=int(row.target))

    def left_after(days):
        kept = replace(core, config=replace(core.config, audit_retention=days * 86_400))
        removed = remove_old_events.remove_old_events(kept)
        return removed, [int(row.target) for row in core.session.query(AuditEvent).order_by(AuditEvent.id)]

    assert left_after(0) == (0, ages)
    assert left_after(1000) == (0, ages)
    assert left_after(30) == (5, [20, 5, 1])
    assert left_after(30) == (0, [20, 5, 1])
