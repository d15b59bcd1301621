"""A server without HTTP: its Core on a fresh database, and builders of rows as the use cases make them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from app import crypto
from app.domain import plan_json, status
from app.domain.permissions import Role
from app.domain.plan import JobPlan, Need, Plan, Step
from app.models import (
    Group,
    Job,
    JobStep,
    Membership,
    Pipeline,
    Project,
    ProtectedRef,
    Runner,
    RunnerManager,
    TagSet,
    User,
    write,
)
from app.services.environments.deployments import add_deployments
from app.services.jobs.resources import group_ids
from app.services.pipelines.advance_pipeline import advance

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A time that only tests move."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class World:
    """Builders. Each opens its own write and returns rows of the current session."""

    def __init__(self, core) -> None:
        self.core = core
        self._number = count(1)

    @property
    def now(self):
        return self.core.now()

    def _add(self, *rows):
        with write(self.core.session):
            self.core.session.add_all(rows)
        return rows[0]

    def group(self, path=None, parent=None):
        path = path or f"group{next(self._number)}"
        full = f"{parent.full_path}/{path}" if parent else path
        parent_id = parent.id if parent else None
        return self._add(Group(path=path, full_path=full, name=path, parent_id=parent_id, created_at=self.now))

    def project(self, group=None, **columns):
        group = group or self.group()
        path = f"project{next(self._number)}"
        full = f"{group.full_path}/{path}"
        return self._add(
            Project(
                group_id=group.id,
                path=path,
                full_path=full,
                name=path,
                created_at=self.now,
                last_activity_at=self.now,
                **columns,
            )
        )

    def user(self, project=None, role=Role.DEVELOPER, **columns):
        name = f"user{next(self._number)}"
        project_id = project.id if project else None
        user = self._add(User(username=name, name=name, session_nonce="n", created_at=self.now, **columns))
        if project_id:
            self._add(Membership(user_id=user.id, project_id=project_id, role=int(role), created_at=self.now))
        return user

    def protect(self, project, pattern="main", push_role=Role.MAINTAINER):
        self._add(ProtectedRef(project_id=project.id, kind="branch", pattern=pattern, push_role=int(push_role)))

    def runner(self, *, features=None, online=True, token=None, **columns):
        """A runner with one manager. `features` None: what a stock docker runner says."""
        values = {"runner_type": "instance_type", "tags": [], "run_untagged": True} | columns
        token = token or crypto.new_token("glrt-")
        seen = self.now if online else None
        runner = Runner(token_hash=crypto.token_hash(token), created_at=self.now, contacted_at=seen, **values)
        features = {"cancel_gracefully": True, "refspecs": True} if features is None else features
        runner.managers = [RunnerManager(system_id="s_test", features=features, created_at=self.now, contacted_at=seen)]
        return self._add(runner)

    def pipeline(self, project=None, jobs: Sequence[JobPlan] = (), *, stages=None, start=True, user=None, **columns):
        """A pipeline of these plans, as create_pipeline makes it; `start` False leaves its jobs created."""
        project = project or self.project()
        stages = stages or list(dict.fromkeys(job.stage for job in jobs))
        number, project_id, user_id = next(self._number), project.id, user.id if user else None
        values = {
            "ref": "main",
            "sha": "a" * 40,
            "before_sha": "0" * 40,
            "source": "push",
            "protected": False,
        } | columns
        with write(self.core.session):
            pipeline = Pipeline(
                iid=number,
                project_id=project_id,
                user_id=user_id,
                status=status.CREATED,
                stages=stages,
                commit={},
                created_at=self.now,
                updated_at=self.now,
                **values,
            )
            self.core.session.add(pipeline)
            self.core.session.flush()
            rows = [self._job(pipeline, job, stages) for job in jobs]
            self.core.session.add_all(rows)
            self.core.session.flush()
            add_deployments(self.core, pipeline, rows)
            if start:
                advance(self.core, pipeline)
        return pipeline

    def pipeline_of(self, project, plan: Plan, *, user=None, **columns):
        """A pipeline of a whole plan."""
        modes = {name: getattr(plan, name) for name in ("auto_cancel_on_new_commit", "auto_cancel_on_job_failure")}
        return self.pipeline(project, plan.jobs, stages=list(plan.stages), user=user, **modes | columns)

    def _job(self, pipeline, plan: JobPlan, stages):
        features = [] if all(step.image is None for step in plan.steps) else ["skerry_steps"]
        return Job(
            project_id=pipeline.project_id,
            pipeline_id=pipeline.id,
            user_id=pipeline.user_id,
            bridge=plan.trigger is not None,
            name=plan.name,
            stage=plan.stage,
            stage_index=stages.index(plan.stage),
            status=status.CREATED,
            when=plan.when,
            allow_failure=plan.allow_failure,
            needs=None if plan.needs is None else [plan_json.to_json(need) for need in plan.needs],
            plan=plan_json.to_json(plan),
            tag_set_id=self.tag_set(plan.tags),
            protected=pipeline.protected,
            required_features=features,
            delivers=plan.delivers,
            timeout=plan.timeout or 3600,
            interruptible=plan.interruptible,
            resource_group_id=group_ids(self.core, pipeline.project_id, [plan.resource_group])[plan.resource_group],
            created_at=self.now,
            updated_at=self.now,
            steps=[JobStep(position=place, name=step.name, phase=step.phase) for place, step in enumerate(plan.steps)],
        )

    def tag_set(self, tags: Sequence[str]) -> int:
        key = "\n".join(sorted(tags))
        session = self.core.session
        found = session.query(TagSet).filter_by(tags_key=key).one_or_none()
        if found is None:
            found = TagSet(tags_key=key, tags=sorted(tags))
            session.add(found)
            session.flush()
        return found.id

    def job(self, project=None, **columns):
        """The only job of a new pipeline."""
        return self.jobs(self.pipeline(project, [plan("build", **columns)]))["build"]

    def read(self, row):
        """`row` as it is in the database now."""
        kind, key = type(row), row.id
        self.core.session.rollback()
        return self.core.session.get(kind, key, populate_existing=True)

    def jobs(self, pipeline):
        """The current jobs by name."""
        self.core.session.rollback()
        rows = self.core.session.query(Job).filter_by(pipeline_id=pipeline.id, retried=False)
        return {job.name: job for job in rows}

    def statuses(self, pipeline):
        return {name: job.status for name, job in self.jobs(pipeline).items()}


def plan(name, stage="build", *, needs=None, **columns) -> JobPlan:
    """A job plan with one script step. `needs`: names."""
    steps = (Step(name="script", script=("true",)),)
    edges = None if needs is None else tuple(Need(need) for need in needs)
    return JobPlan(**({"name": name, "stage": stage, "steps": steps, "needs": edges} | columns))
