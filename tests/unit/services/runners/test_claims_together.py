"""Claims that are served together come out as if they had come one after the other."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy.exc import IntegrityError

from app.models import Job, Project, Runner, write
from app.services.core import Core
from app.services.runners import claim_job as claims
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

    def serve(self, mine: _Ask, work: Callable[[Sequence[_Ask]], None]) -> None:
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

    monkeypatch.setattr(claims, "try_pipeline", lambda *_: None)
    monkeypatch.setattr(claims, "_start_pipeline_later", fails)
    first, second = jobs_of(core, make_project(core), 2)
    other, mine = asks(core, *[make_runner(core)[0]] * 2)
    monkeypatch.setitem(claims._turns, core.session.get_bind(), Crowd(other))
    claimed = claim_job(core, mine.runner_id, mine.manager_id, frozenset())
    assert [each and each.job_id for each in (other.answer, claimed)] == [first, second]
