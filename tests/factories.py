"""Rows for tests, each made with one call: `make_user(core)`, `make_project(core, creator=user)`, `make_job(core,
pipeline)` …

What is not given is sensible. Users, tokens, projects and runners come from the real services; pipelines and jobs are
rows
as `create_pipeline` would have left them, without a repository behind them.
"""

import secrets
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import select

from app.domain import plan_json
from app.domain.permissions import Role
from app.domain.plan import JobPlan, Step
from app.models import (
    AccessToken,
    Group,
    Job,
    JobStep,
    Membership,
    Pipeline,
    Project,
    Runner,
    RunnerManager,
    TagSet,
    User,
    write,
)
from app.services.accounts.create_token import create_token
from app.services.accounts.create_user import create_user
from app.services.core import Core
from app.services.jobs.log_end import attempt, row_end
from app.services.projects.create_project import create_project
from app.services.runners.create_runner import create_runner

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(core: Core, username: str | None = None, **given: Any) -> User:
    """A user with the password PASSWORD."""
    values = {"username": username or f"user{next(_numbers)}", "password": PASSWORD, **given}
    return create_user(core, **values)[0]


def make_token(
    core: Core, user: User, *scopes: str, name: str = "test", expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """A personal token with the scope api, or those given; returns (row, plain text)."""
    return create_token(core, user=user, name=name, scopes=scopes or ("api",), expires_at=expires_at)


def make_project(core: Core, full_path: str | None = None, *, creator: User | None = None, **given: Any) -> Project:
    """A project with an empty repository. Columns that `create_project` does not take are set afterwards."""
    path = full_path or f"group{next(_numbers)}/project"
    direct = {key: given.pop(key) for key in ("visibility", "mirror_url", "description") if key in given}
    project = create_project(core, full_path=path, creator=creator or make_user(core), **direct)
    if given:
        with write(core.session):
            for name, value in given.items():
                setattr(project, name, value)
    return project


def make_member(core: Core, user: User, of: Project | Group, role: Role = Role.DEVELOPER) -> Membership:
    """Give `user` a role in a project or group."""
    place = {"project_id": of.id} if isinstance(of, Project) else {"group_id": of.id}
    user_id = user.id
    with write(core.session):
        member = Membership(user_id=user_id, role=int(role), created_at=core.now(), **place)
        core.session.add(member)
    return member


def make_runner(core: Core, **given: Any) -> tuple[Runner, str]:
    """An instance runner for untagged jobs; returns (row, glrt- token)."""
    return create_runner(core, **given)


def make_manager(core: Core, runner: Runner, system_id: str = "s_0123456789ab", **given: Any) -> RunnerManager:
    """A daemon of `runner`, contacted now."""
    runner_id = runner.id
    values = {"features": {}, "executor": "podman", "contacted_at": core.now(), **given}
    with write(core.session):
        manager = RunnerManager(runner_id=runner_id, system_id=system_id, created_at=core.now(), **values)
        core.session.add(manager)
    return manager


def make_pipeline(core: Core, project: Project, *, user: User | None = None, **given: Any) -> Pipeline:
    """A pipeline of one commit on `main`, with no jobs yet."""
    now, sha = core.now(), given.pop("sha", None) or secrets.token_hex(20)
    project_id, user_id = project.id, user.id if user else None
    values: dict[str, Any] = {
        "ref": "main",
        "protected": True,
        "sha": sha,
        "before_sha": "0" * 40,
        "source": "push",
        "status": "created",
        "config_path": ".gitlab-ci.yml",
        "stages": [".pre", "build", "test", "deploy", ".post"],
        "commit": make_commit(sha, now),
        **given,
    }
    with write(core.session):
        owner = core.session.get_one(Project, project_id, with_for_update=True)
        owner.last_iid += 1
        pipeline = Pipeline(
            project_id=project_id, user_id=user_id, iid=owner.last_iid, created_at=now, updated_at=now, **values
        )
        core.session.add(pipeline)
    return pipeline


def make_commit(sha: str, now: datetime, message: str = "Add a file\n") -> dict[str, Any]:
    """A commit in the shape that `Pipeline.commit` keeps (`app.git.objects.parse_commit`)."""
    who = {"author_name": "Ada", "author_email": "ada@example.com"}
    committer = {"committer_name": "Ada", "committer_email": "ada@example.com"}
    times = dict.fromkeys(("created_at", "authored_date", "committed_date"), now.isoformat(timespec="milliseconds"))
    return {
        "id": sha,
        "short_id": sha[:8],
        "parent_ids": [],
        "title": message.splitlines()[0],
        "message": message,
        "trailers": {},
        "extended_trailers": {},
        **who,
        **committer,
        **times,
    }


def make_job(core: Core, pipeline: Pipeline, *, plan: JobPlan | None = None, **given: Any) -> Job:
    """A pending job. `plan` decides what is not given: name, stage, when, tags, timeout …"""
    name = given.pop("name", None) or (plan.name if plan else f"job{next(_numbers)}")
    plan = plan or JobPlan(name=name, stage=given.pop("stage", "test"), steps=(Step("script", ("true",)),))
    tags = sorted(given.pop("tags", plan.tags))
    now, pipeline_id = core.now(), pipeline.id
    with write(core.session):
        run = core.session.get_one(Pipeline, pipeline_id)
        values: dict[str, Any] = {
            "name": name,
            "stage": plan.stage,
            "stage_index": run.stages.index(plan.stage),
            "status": "pending",
            "when": plan.when,
            "allow_failure": plan.allow_failure,
            "needs": None if plan.needs is None else [plan_json.to_json(need) for need in plan.needs],
            "plan": plan_json.to_json(plan),
            "required_features": [],
            "delivers": plan.delivers,
            "timeout": plan.timeout or 3600,
            "protected": run.protected,
            "queued_at": now,
            "user_id": run.user_id,
            **given,
        }
        job = Job(
            project_id=run.project_id,
            pipeline_id=run.id,
            tag_set=_tag_set(core, tags),
            created_at=now,
            updated_at=now,
            steps=[
                JobStep(
                    position=position, name=step.name, phase=step.phase, image=step.image.name if step.image else None
                )
                for position, step in enumerate(plan.steps)
            ],
            **values,
        )
        core.session.add(job)
    return job


def print_trace(core: Core, job_id: int, data: bytes, moment: float | None = None) -> None:
    """The job prints `data` at `moment`, on top of what it has printed so far; nobody is told."""
    with write(core.session):
        job = core.session.get_one(Job, job_id)
        with core.traces.hold(job_id, attempt(job), row_end(job)) as held:
            held.append(data, core.now().timestamp() if moment is None else moment)
        job.trace_size, job.trace_crc = held.end.size, held.end.crc


def _tag_set(core: Core, tags: list[str]) -> TagSet:
    key = "\n".join(tags)
    found = core.session.scalar(select(TagSet).where(TagSet.tags_key == key))
    return found or TagSet(tags_key=key, tags=tags)
