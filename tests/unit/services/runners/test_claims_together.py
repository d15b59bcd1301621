"""Claims that are served together come out as if they had come one after the other."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.models import Job, Project, Runner, TagSet, write
from app.services.core import Core
from app.services.jobs import finish_job
from app.services.runners import claim_job as claims
from app.services.runners import job_payload, take_job
from app.services.runners.claim_job import _Ask, _serve, claim_job
from app.services.runners.known_runner import look_up
from tests.databases import BOTH
from tests.factories import make_job, make_manager, make_pipeline, make_project, make_runner

both = pytest.mark.parametrize("database", BOTH, indirect=True)


def jobs_of(core: Core, project: Project, count: int) -> list[int]:
    return [make_job(core, make_pipeline(core, project)).id for _ in range(count)]


def asks(core: Core, *runners: Runner) -> list[_Ask]:
    managers = [(runner.id, make_manager(core, runner, f"s_{place}").id) for place, runner in enumerate(runners)]
    return [_Ask(runner, manager, frozenset(), look_up(core, runner)) for runner, manager in managers]


def served(core: Core, together: list[_Ask]) -> list[int | None]:
    """Which job each was given."""
    _serve(core, together)
    assert all(ask.answered for ask in together)
    return [ask.answer.job_id if ask.answer else None for ask in together]


@both
def test_each_gets_a_job_of_its_own_and_the_project_with_fewest_comes_first(core: Core) -> None:
    first, second, third = jobs_of(core, make_project(core), 3)
    fourth, fifth = jobs_of(core, make_project(core), 2)
    runner = make_runner(core)[0]
    assert served(core, asks(core, *[runner] * 6)) == [first, fourth, second, fifth, third, None]
    running = core.session.query(Job).filter_by(status="running", runner_id=runner.id)
    assert len({job.token_hash for job in running}) == len({job.runner_manager_id for job in running}) == 5


@both
def test_each_gets_only_what_it_may_take(core: Core) -> None:
    project, other = make_project(core), make_project(core)
    ids, foreign = jobs_of(core, project, 2), jobs_of(core, other, 1)
    paused = make_runner(core, paused=True)[0]
    of_project = make_runner(core, runner_type="project_type", project=project)[0]
    of_other = make_runner(core, runner_type="project_type", project=other)[0]
    together = asks(core, paused, of_project, of_other, of_project, of_other)
    assert served(core, together) == [None, ids[0], foreign[0], ids[1], None]


def test_a_job_that_cannot_run_fails_and_the_others_are_served_all_the_same(core: Core) -> None:
    run = make_pipeline(core, make_project(core))
    given = make_job(core, run, name="given", status="success")
    with write(core.session):
        core.session.get_one(Job, given.id).artifacts_expire_at = core.now()
    lacking = make_job(core, run, name="lacking", plan=None)
    with write(core.session):
        row = core.session.get_one(Job, lacking.id)
        row.plan = row.plan | {"dependencies": ["given"]}
    able = [make_job(core, run).id for _ in range(2)]
    runner = make_runner(core)[0]
    assert served(core, asks(core, runner, runner, runner)) == [*able, None]
    assert core.session.get_one(Job, lacking.id).failure_reason == "missing_dependency_failure"


class Crowd:
    """Whoever asks leads, and `others` were there before."""

    def __init__(self, *others: _Ask) -> None:
        self.others = others

    def serve(self, mine: _Ask, work: Callable[[Sequence[_Ask]], None], before_waiting: object) -> None:
        work([*self.others, mine])


@both
def test_who_leads_gets_its_job_though_another_one_fails(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    job, _ = jobs_of(core, make_project(core), 2)
    runner = make_runner(core)[0].id
    manager = make_manager(core, core.session.get_one(Runner, runner)).id
    removed = _Ask(runner, manager + 1, frozenset(), None)
    monkeypatch.setitem(claims._turns, core.session.get_bind(), Crowd(removed))
    claimed = claim_job(core, runner, manager, frozenset())
    assert (claimed and claimed.job_id, removed.answered) == (job, False)
    monkeypatch.setitem(claims._turns, core.session.get_bind(), Crowd())
    with pytest.raises(IntegrityError):
        claim_job(core, runner, manager + 1, frozenset())


def test_a_claimed_job_reaches_its_runner_whatever_fails_behind_it(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the database went away")

    monkeypatch.setattr(take_job, "try_pipeline", lambda *_: None)
    monkeypatch.setattr(claims, "_start_pipeline_later", fails)
    first, second = jobs_of(core, make_project(core), 2)
    other, mine = asks(core, *[make_runner(core)[0]] * 2)
    monkeypatch.setitem(claims._turns, core.session.get_bind(), Crowd(other))
    claimed = claim_job(core, mine.runner_id, mine.manager_id, frozenset())
    assert [each and each.job_id for each in (other.answer, claimed)] == [first, second]


@both
@pytest.mark.parametrize("change", [{"paused": True}, {"token_hash": "of another token"}], ids=["paused", "replaced"])
def test_a_runner_that_changed_while_its_claim_waited_gets_no_job_and_costs_others_none(
    core: Core, change: dict[str, object]
) -> None:
    job = jobs_of(core, make_project(core), 1)[0]
    changed, other = make_runner(core)[0], make_runner(core)[0]
    changed_id = changed.id
    together = asks(core, changed, other)
    offered = claims._offered(core, together)
    with write(core.session):
        core.session.execute(update(Runner).where(Runner.id == changed_id).values(**change))
    claimed, _ = claims._claim_each(core, offered)
    assert {ask.runner_id: answer.job_id for ask, answer in claimed.items()} == {other.id: job}
    assert served(core, [together[0]]) == [None]


class Damaged:
    """Whatever is done for these jobs fails at that place, until it has failed `times` times."""

    def __init__(self, *job_ids: int, times: int = 99) -> None:
        self.job_ids, self.times = job_ids, times

    def __call__(self, _: Core, job: Job | int, *__: object) -> bool:
        if (job if isinstance(job, int) else job.id) in self.job_ids and self.times:
            self.times -= 1
            raise ValueError("its plan cannot be read")
        return False


@both
def test_a_job_that_nobody_can_claim_ends_with_a_reason_and_those_behind_it_go_on(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(core)
    damaged, hopeless, able, last = jobs_of(core, project, 4)
    monkeypatch.setattr(take_job.dependencies, "are_gone", Damaged(damaged, hopeless))
    monkeypatch.setattr(finish_job, "_retry", Damaged(hopeless))  # so its end fails as well
    runner = make_runner(core)[0]
    assert served(core, asks(core, runner, runner)) == [able, last]
    for job_id in (damaged, hopeless):
        job = core.session.get_one(Job, job_id)
        assert (job.status, job.failure_reason) == ("failed", "data_integrity_failure")
        assert (job.failure_message, job.token_hash) == ("The server could not begin the job.", None)
        assert job.pipeline.status == "failed"


def test_what_a_claim_cannot_write_is_the_fault_of_its_job_alone(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_pipeline(core, make_project(core))
    damaged, able = make_job(core, run, delivers=True).id, make_job(core, run).id
    monkeypatch.setattr(take_job, "job_claimed", lambda core, _: core.session.add(TagSet(id=1, tags_key="", tags=[])))
    runner = make_runner(core)[0]
    assert served(core, asks(core, runner, runner)) == [able, None]
    assert core.session.get_one(Job, damaged).failure_reason == "data_integrity_failure"


def test_a_claim_that_fails_once_harms_no_job(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = jobs_of(core, make_project(core), 2)
    monkeypatch.setattr(take_job.dependencies, "are_gone", Damaged(first, times=1))
    runner = make_runner(core)[0]
    assert served(core, asks(core, runner, runner)) == [first, second]


def test_a_database_that_fails_ends_no_job(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> bool:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    job = jobs_of(core, make_project(core), 1)[0]
    monkeypatch.setattr(take_job.dependencies, "are_gone", locked)
    with pytest.raises(OperationalError):
        _serve(core, asks(core, make_runner(core)[0]))
    assert core.session.get_one(Job, job).status == "pending"


def test_a_claimed_job_that_cannot_be_described_ends_whatever_its_plan_says(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    hopeless = jobs_of(core, make_project(core), 2)[1]
    monkeypatch.setattr(
        job_payload, "job_payload", lambda _, claimed, __: Damaged(claimed.job_id)(core, claimed.job_id)
    )
    monkeypatch.setattr(finish_job, "_retry", Damaged(hopeless))
    runner = make_runner(core)[0]
    for ask in asks(core, runner, runner):
        _serve(core, [ask])
        assert ask.answer
        assert job_payload.payload_or_failure(core, ask.answer, frozenset()) is None
        job = core.session.get_one(Job, ask.answer.job_id)
        assert (job.status, job.failure_reason) == ("failed", "scheduler_failure")
