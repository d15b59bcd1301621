"""Whole lives of pipelines of rows: people, runners and the clock do what they may in any order, on the real services.

Two pipelines of one project share resource groups and start child pipelines; the second is of a newer commit. After
each step every job has moved as the table of moves allows, no job has run twice, none before what it needs, and no
resource is held twice; in the end everything has ended.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain import status
from app.domain.plan import JobPlan, RetryPolicy, Trigger
from app.models import Job, Pipeline, Resource, ResourceGroup, User, write
from app.services.core import Core
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.finish_job import finish
from app.services.jobs.play_job import play_job
from app.services.jobs.reap_jobs import start_delayed_jobs
from app.services.jobs.retry_job import retry_job
from app.services.jobs.unschedule_job import unschedule_job
from app.services.locks import lock_job
from app.services.pipelines import start_downstream as downstream
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.cancel_redundant import cancel_redundant
from app.services.pipelines.lost_downstream import fail_forgotten
from app.services.pipelines.mirror_downstream import mirror_downstream
from app.services.pipelines.pipeline_request import NO_COMMIT, GivenConfiguration, PipelineRequest
from app.services.pipelines.retry_pipeline import retry_pipeline
from app.services.pipelines.start_downstream import start_downstream
from app.services.runners.claim_job import claim_job
from tests.support.world import Clock, World, plan

ENDS = {"success", "failed", "canceled", "skipped"}
HOLDS_A_RESOURCE = {"pending", "running", "canceling"}
STAGES = ["build", "test", "deploy"]


@st.composite
def plans(draw: st.DrawFn) -> list[JobPlan]:
    """Up to six jobs in three stages, of every kind."""
    stages = sorted(draw(st.lists(st.sampled_from(STAGES), min_size=2, max_size=6)), key=STAGES.index)
    made: list[JobPlan] = []
    for number, stage in enumerate(stages):
        known = [job.name for job in made]
        needs = draw(st.none() | st.lists(st.sampled_from(known), unique=True, max_size=2)) if known else None
        kind = {
            "when": draw(st.sampled_from(["on_success", "on_success", "on_failure", "always", "manual", "delayed"])),
            "start_in": 60,
            "interruptible": draw(st.booleans()),
            "allow_failure": draw(st.booleans()),
            "retry": RetryPolicy(max=draw(st.sampled_from([0, 0, 1]))),
            "resource_group": draw(st.sampled_from([None, None, "r", "s"])),
        }
        if kind["when"] != "delayed" and draw(st.sampled_from([False, False, True])):
            trigger = Trigger(configuration="x", strategy=draw(st.sampled_from(["", "depend", "mirror"])))
            kind |= {"trigger": trigger, "resource_group": None, "retry": RetryPolicy()}
        made.append(plan(f"job{number}", stage, needs=needs, **kind))
    return made


CHILD = """
work: {stage: build, script: x, interruptible: true}
ask: {stage: test, script: x, when: manual, allow_failure: false}
report: {stage: deploy, script: x, resource_group: r}
"""


def child_requests(mode: str) -> Callable[[Core, Job], PipelineRequest]:
    """What a trigger job starts here: always the same child, of no commit.

    Where the oldest pipeline goes first, it has no resource group: its parent, which is older, would keep the group's
    resource from it and wait for it, for ever. GitLab does the same.
    """
    text = CHILD.replace(", resource_group: r", "") if mode == "oldest_first" else CHILD
    child = GivenConfiguration("child.yml", text)

    def request(core: Core, job: Job) -> PipelineRequest:
        return PipelineRequest(
            project=job.project, ref="main", sha=NO_COMMIT, user=job.user, source="parent_pipeline", configuration=child
        )

    return request


@dataclass
class Life:
    """One example. `asked`: the names of jobs that were started anew, behind whose back others may run.

    `early`: the jobs that run always, of whose needs one was skipped: they wait for no other.
    """

    world: World
    clock: Clock
    mode: str
    failing: str
    replacing: str
    runs: Counter[int] = field(default_factory=Counter)
    seen: dict[int, str] = field(default_factory=dict)
    asked: set[tuple[int, str]] = field(default_factory=set)
    early: set[int] = field(default_factory=set)

    def begin(self, jobs: list[JobPlan]) -> None:
        core = self.world.core
        project = self.world.project(repository="none")
        self.project_id, self.user_id = project.id, self.world.user(project).id
        runner = self.world.runner(runner_type="project_type", project_id=self.project_id)
        self.runner = (runner.id, runner.managers[0].id)
        for sha in ("a", "b"):
            columns = {"stages": STAGES, "auto_cancel_on_job_failure": self.failing, "sha": sha * 40}
            columns |= {"auto_cancel_on_new_commit": self.replacing}
            made = self.world.pipeline(self.world.read(project), jobs, user=self.user(), **columns)
            self.newer_id = made.id
            self._set_modes()
        core.session.rollback()
        self.check()

    def _set_modes(self) -> None:
        with write(self.world.core.session):
            for group in self.world.core.session.query(ResourceGroup):
                group.process_mode = self.mode

    def user(self) -> User:
        return self.world.core.session.get_one(User, self.user_id)

    def jobs(self) -> list[Job]:
        """The latest attempts of this example's jobs."""
        self.world.core.session.rollback()
        rows = self.world.core.session.query(Job).filter_by(project_id=self.project_id, retried=False)
        return list(rows.order_by(Job.id))

    def may(self, action: str) -> list[int]:
        """The ids of jobs to which `action` may happen now; a runner may be at work on one that was retried, too."""
        self.world.core.session.rollback()
        query = self.world.core.session.query(Job.id).filter_by(project_id=self.project_id)
        query = query.filter(Job.status.in_(self.actions[action]))
        if action in ("claim", "succeed", "fail"):
            query = query.filter_by(bridge=False)
        if action in ("play", "unschedule"):  # a trigger job may only show what its pipeline waits for
            query = query.filter(Job.bridge.is_(False) | Job.started_at.is_(None))
        if action not in ("succeed", "fail"):
            query = query.filter_by(retried=False)
        return [job_id for (job_id,) in query.order_by(Job.id)]

    def step(self, data: st.DataObject) -> None:
        """One thing that may happen now."""
        action = data.draw(st.sampled_from(sorted(self.actions)), label="action")
        found = self.may(action)
        if found:
            self.do(action, data.draw(st.sampled_from(found), label="job"))
            self.check()

    @property
    def actions(self) -> dict[str, tuple[str, ...]]:
        """What may happen to a job in which statuses."""
        return {
            "claim": ("pending",),
            "succeed": ("running", "canceling"),
            "fail": ("running", "canceling"),
            "cancel": tuple(status.CANCELABLE),
            "play": ("manual", "scheduled"),
            "retry": tuple(status.RETRYABLE),
            "unschedule": ("scheduled",),
            "time passes": ("scheduled",),
            "cancel the pipeline": status.AVAILABLE,
            "retry the pipeline": ("failed", "canceled"),
            "replace": status.AVAILABLE,
            "background": status.AVAILABLE,
        }

    def do(self, action: str, job_id: int) -> None:
        core = self.world.core
        job = core.session.get_one(Job, job_id)
        user = core.session.get_one(User, self.user_id)
        pipeline = core.session.get_one(Pipeline, job.pipeline_id)
        if action in ("play", "retry"):
            self.asked.add((job.pipeline_id, job.name))
        if action == "retry the pipeline":
            self.asked |= {(job.pipeline_id, other.name) for other in self.jobs() if other.pipeline_id == pipeline.id}
        {
            "claim": self.claim,
            "succeed": lambda: self.end(job_id, "success"),
            "fail": lambda: self.end(job_id, "failed"),
            "cancel": lambda: cancel_job(core, job, user),
            "play": lambda: play_job(core, job, user),
            "retry": lambda: retry_job(core, job, user),
            "unschedule": lambda: unschedule_job(core, job, user),
            "time passes": self.time_passes,
            "cancel the pipeline": lambda: cancel_pipeline(core, pipeline, user),
            "retry the pipeline": lambda: retry_pipeline(core, pipeline, user),
            "replace": lambda: cancel_redundant(core, self.newer_id),
            "background": self.background,
        }[action]()

    def background(self) -> None:
        """Trigger jobs get their pipelines, and hear how these stand; nobody waits for one that is gone."""
        self.world.core.session.rollback()
        start_downstream(self.world.core)
        mirror_downstream(self.world.core)
        fail_forgotten(self.world.core)

    def time_passes(self) -> None:
        self.clock.pass_seconds(61)
        start_delayed_jobs(self.world.core)

    def claim(self) -> None:
        """The runner takes the next job; its manager was heard of just now, whatever the clock says."""
        core = self.world.core
        before = {job.id: job.status for job in self.jobs()}
        claimed = claim_job(core, *self.runner, frozenset())
        assert claimed is not None
        assert before[claimed.job_id] == "pending"
        self.runs[claimed.job_id] += 1
        assert self.runs[claimed.job_id] == 1, "a job ran twice"
        self.assert_may_run(core.session.get_one(Job, claimed.job_id))

    def assert_may_run(self, job: Job) -> None:
        """What the job waits for has ended, or is manual and optional, or was started anew by somebody."""
        if job.when == "manual" or job.id in self.early or (job.pipeline_id, job.name) in self.asked:
            return
        names = None if job.needs is None else {need["job"] for need in job.needs}
        for other in self.jobs():
            before = other.stage_index < job.stage_index if names is None else other.name in names
            if other.pipeline_id != job.pipeline_id or not before or (job.pipeline_id, other.name) in self.asked:
                continue
            if other.bridge:  # it goes on again with its pipeline
                continue
            ignored = other.status == "manual" and other.allow_failure
            assert ignored or other.status in ENDS, f"{job.name} runs before {other.name} has ended"

    def end(self, job_id: int, outcome: str) -> None:
        with write(self.world.core.session):
            job = lock_job(self.world.core, job_id)
            if job.status == "canceling":
                finish(self.world.core, job, "canceled")
            else:
                finish(self.world.core, job, outcome, "script_failure", 0 if outcome == "success" else 1)

    def check(self) -> None:
        self.check_moves()
        self.check_resources()
        self.check_pipelines()

    def check_moves(self) -> None:
        self.world.core.session.rollback()
        for job in self.world.core.session.query(Job).filter_by(project_id=self.project_id):
            before = self.seen.get(job.id, "created")
            if before == "skipped" != job.status:  # something before it was started anew
                self.asked.add((job.pipeline_id, job.name))
            # A trigger job follows its pipeline, which may go on again after its end.
            assert job.bridge or job.status in REACHABLE[before], f"{before} -> {job.status}"
            assert job.status != "waiting_for_resource" or job.resource_group_id is not None
            assert not (job.status in ENDS and job.lease_expires_at)
            self.seen[job.id] = job.status
        self.note_early()

    def note_early(self) -> None:
        """The jobs that are queued now because a need was skipped."""
        rows = {(job.pipeline_id, job.name): job for job in self.jobs()}
        for job in rows.values():
            needed = [rows[job.pipeline_id, need["job"]] for need in job.needs or ()]
            skipped = any(other.status in ("skipped", "manual") for other in needed)
            if job.when == "always" and skipped and job.status in ("pending", "waiting_for_resource"):
                self.early.add(job.id)

    def check_resources(self) -> None:
        rows = self.world.core.session.query(Job).filter(Job.project_id == self.project_id)
        in_groups = [job for job in rows if job.resource_group_id is not None]
        under_way = [job for job in in_groups if job.status in HOLDS_A_RESOURCE]
        held = Counter(job.resource_group_id for job in under_way)
        assert not [group for group, count in held.items() if count > 1], "a resource is held twice"
        assert {job.id for job in under_way} == self.holders()
        if self.mode == "unordered":
            waiting = {job.resource_group_id for job in in_groups if job.status == "waiting_for_resource"}
            assert waiting <= set(held), "a job waits for a resource that is free"

    def holders(self) -> set[int]:
        """The jobs that hold a resource of this example's project."""
        query = self.world.core.session.query(Resource.job_id).join(
            ResourceGroup, ResourceGroup.id == Resource.resource_group_id
        )
        held = query.filter(ResourceGroup.project_id == self.project_id, Resource.job_id.is_not(None))
        return {job_id for (job_id,) in held}

    def check_pipelines(self) -> None:
        for pipeline in self.world.core.session.query(Pipeline).filter_by(project_id=self.project_id):
            jobs = [(job.status, job.allow_failure) for job in self.jobs() if job.pipeline_id == pipeline.id]
            assert pipeline.status == status.pipeline_status(pipeline.status, jobs)
            over = pipeline.status in ENDS
            assert over == (pipeline.finished_at is not None)
            if pipeline.status in ("success", "failed", "canceled"):
                assert not [found for found, _ in jobs if found in status.ALIVE]

    def let_it_end(self) -> None:
        """Everybody does what is asked of them."""
        for _ in range(100):
            self.background()
            for action in ("play", "claim", "succeed"):
                while found := self.may(action):
                    self.do(action, found[0])
                    self.check_moves()
            self.check()
            if {job.status for job in self.jobs()} <= ENDS:
                break
        assert {job.status for job in self.jobs()} <= ENDS
        assert self.holders() == set()
        for pipeline in self.world.core.session.query(Pipeline).filter_by(project_id=self.project_id):
            assert pipeline.status in ENDS


def _reachable() -> dict[str, set[str]]:
    """From each status all that a job can come to be by any number of moves, staying included."""
    found = {name: {name} for name in status.AVAILABLE}
    for _ in status.AVAILABLE:
        for reached in found.values():
            reached |= {new for old in reached for new in status.MOVES[old]}
    return found


REACHABLE = _reachable()


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    jobs=plans(),
    mode=st.sampled_from(["unordered", "unordered", "oldest_first", "newest_ready_first"]),
    failing=st.sampled_from(["none", "none", "all"]),
    replacing=st.sampled_from(["conservative", "interruptible"]),
    data=st.data(),
)
def test_every_life_is_legal_and_ends(
    world: World,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    jobs: list[JobPlan],
    mode: str,
    failing: str,
    replacing: str,
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(downstream, "downstream_request", child_requests(mode))
    life = Life(world, clock, mode, failing, replacing)
    life.begin(jobs)
    for _ in range(data.draw(st.integers(0, 15), label="steps")):
        life.step(data)
    life.let_it_end()
