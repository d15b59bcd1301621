"""Processing: examples from gitlab.md C.3, and properties of random pipelines."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import status
from app.domain.processing import JobState, Move, dependents_to_reset, process

WHENS = ("on_success", "on_failure", "always", "manual", "delayed")


def job(job_id: int, stage: int = 0, state: str = "created", **fields) -> JobState:
    return JobState(id=job_id, name=f"job {job_id}", stage_index=stage, status=state, **fields)


def after(jobs: list[JobState]) -> dict[int, str]:
    moves = {move.job_id: move.status for move in process(jobs)}
    return {job.id: moves.get(job.id, job.status) for job in jobs}


@st.composite
def pipelines(draw: st.DrawFn) -> list[JobState]:
    """Jobs in any state, in up to four stages; needs point to the same stage or earlier, and never in a circle."""
    stages = sorted(draw(st.lists(st.integers(0, 3), min_size=1, max_size=12)))
    ids = draw(st.permutations(range(1, len(stages) + 1)))
    jobs: list[JobState] = []
    for job_id, stage in zip(ids, stages, strict=True):
        known = [other.id for other in jobs]
        needs = draw(st.none() | st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else None
        jobs.append(
            JobState(
                id=job_id,
                name=f"job {job_id}",
                stage_index=stage,
                status=draw(st.just("created") | st.sampled_from(status.AVAILABLE)),
                when=draw(st.sampled_from(WHENS)),
                allow_failure=draw(st.booleans()),
                needs=None if needs is None else tuple(needs),
                start_in=draw(st.none() | st.just(60)),
            )
        )
    return jobs


@given(pipelines())
def test_a_second_pass_finds_nothing_to_do(jobs: list[JobState]) -> None:
    now = after(jobs)
    assert process([replace(job, status=now[job.id]) for job in jobs]) == []


@given(pipelines(), st.randoms())
def test_the_order_of_the_jobs_does_not_matter(jobs: list[JobState], random) -> None:
    shuffled = list(jobs)
    random.shuffle(shuffled)
    assert process(shuffled) == process(jobs)


@given(pipelines())
def test_only_created_jobs_move_and_only_by_the_table(jobs: list[JobState]) -> None:
    states = {job.id: job.status for job in jobs}
    for move in process(jobs):
        assert states[move.job_id] == "created"
        assert status.may_move("created", move.status)


@given(pipelines())
def test_no_job_starts_before_what_it_waits_for_has_ended(jobs: list[JobState]) -> None:
    now = after(jobs)
    by_id = {job.id: job for job in jobs}
    for move in process(jobs):
        moved = by_id[move.job_id]
        if moved.needs is None:
            before = [other for other in jobs if other.stage_index < moved.stage_index]
        else:
            before = [by_id[need] for need in moved.needs]
        optional = {other.id for other in before if now[other.id] == "manual" and other.allow_failure}
        skipped = {other.id for other in before if now[other.id] == "skipped"}
        # One skipped need decides for all: then the job is skipped, or started, while others still run.
        decided = (
            moved.needs is not None and (skipped | optional) and (move.status == "skipped" or moved.when == "always")
        )
        assert decided or all(other.id in optional or now[other.id] in status.COMPLETED for other in before)


@given(pipelines())
def test_a_job_that_runs_on_success_never_starts_after_a_failure(jobs: list[JobState]) -> None:
    now = after(jobs)
    by_id = {job.id: job for job in jobs}
    for move in process(jobs):
        moved = by_id[move.job_id]
        if moved.when != "on_success" or move.status != "pending":
            continue
        before = (
            [other for other in jobs if other.stage_index < moved.stage_index]
            if moved.needs is None
            else [by_id[need] for need in moved.needs]
        )
        assert not [other for other in before if now[other.id] in ("failed", "canceled") and not other.allow_failure]


@given(pipelines())
def test_every_pipeline_ends_when_its_jobs_do(jobs: list[JobState]) -> None:
    jobs = [replace(job, status="created") for job in jobs]
    for _ in range(len(jobs) + 1):
        now = after(jobs)
        ended = {"pending": "success", "manual": "success", "scheduled": "success"}
        jobs = [replace(job, status=ended.get(now[job.id], now[job.id])) for job in jobs]
    assert {job.status for job in jobs} <= {"success", "skipped"}


def test_the_first_stage_starts_and_the_second_waits() -> None:
    assert process([job(1), job(2), job(3, 1)]) == [Move(1, "pending"), Move(2, "pending")]


def test_a_skip_runs_on_through_the_stages_at_once() -> None:
    jobs = [job(1, 0, when="on_failure"), job(2, 1), job(3, 2, when="on_failure"), job(4, 3)]
    assert process(jobs) == [Move(1, "skipped"), Move(2, "pending")]
    failed = [job(1, 0, "failed"), job(2, 1), job(3, 2), job(4, 3, when="always")]
    assert process(failed) == [Move(2, "skipped"), Move(3, "skipped"), Move(4, "pending")]


@pytest.mark.parametrize(
    ("when", "earlier", "expected"),
    [
        ("on_success", "success", "pending"),
        ("on_success", "skipped", "pending"),
        ("on_success", "failed", "skipped"),
        ("on_success", "canceled", "skipped"),
        ("on_failure", "failed", "pending"),
        ("on_failure", "success", "skipped"),
        ("on_failure", "canceled", "skipped"),
        ("always", "failed", "pending"),
        ("always", "skipped", "pending"),
        ("always", "canceled", "skipped"),
        ("manual", "success", "manual"),
        ("manual", "failed", "skipped"),
        ("delayed", "success", "scheduled"),
        ("on_success", "running", "created"),
        ("always", "manual", "created"),
    ],
)
def test_what_a_stage_does_to_the_next(when: str, earlier: str, expected: str) -> None:
    assert after([job(1, 0, earlier), job(2, 1, when=when, start_in=5)])[2] == expected


@pytest.mark.parametrize(
    ("when", "needed", "expected"),
    [
        ("on_success", "success", "pending"),
        ("on_success", "skipped", "skipped"),
        ("manual", "skipped", "skipped"),
        ("always", "skipped", "pending"),
        ("on_failure", "failed", "pending"),
        ("on_success", "running", "created"),
    ],
)
def test_what_a_need_does_to_the_job(when: str, needed: str, expected: str) -> None:
    assert after([job(1, 0, needed), job(2, 1, when=when, needs=(1,))])[2] == expected


def test_a_job_without_needs_to_wait_for_starts_at_once() -> None:
    assert after([job(1), job(2, 3, needs=())]) == {1: "pending", 2: "pending"}


def test_an_optional_manual_job_holds_up_the_stage_behind_it_no_longer_but_a_blocking_one_does() -> None:
    assert after([job(1, when="manual", allow_failure=True), job(2, 1)]) == {1: "manual", 2: "pending"}
    assert after([job(1, when="manual"), job(2, 1)]) == {1: "manual", 2: "created"}


def test_a_need_on_an_optional_manual_job_skips_until_it_is_played() -> None:
    assert after([job(1, when="manual", allow_failure=True), job(2, 1, needs=(1,))]) == {1: "manual", 2: "skipped"}


def test_always_waits_for_its_needs_until_one_is_skipped() -> None:
    assert after([job(1, 0, "failed"), job(2, 0, "running"), job(3, 1, when="always", needs=(1, 2))])[3] == "created"
    assert after([job(1, 0, "skipped"), job(2, 0, "running"), job(3, 1, when="always", needs=(1, 2))])[3] == "pending"


def test_a_failure_that_is_allowed_counts_as_success() -> None:
    assert after([job(1, 0, "failed", allow_failure=True), job(2, 1)])[2] == "pending"
    assert after([job(1, 0, "canceled", allow_failure=True), job(2, 1)])[2] == "pending"


def test_a_need_that_is_not_there_or_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="job 1 needs job 9"):
        process([job(1, needs=(9,))])
    with pytest.raises(ValueError, match="wait for each other"):
        process([job(1, needs=(2,)), job(2, needs=(1,))])


def test_a_thousand_jobs_with_needs_are_processed_without_a_quadratic_scan() -> None:
    jobs = [
        job(i, i // 100, "success" if i < 900 else "created", needs=(i - 100,) if i >= 100 else None)
        for i in range(1000)
    ]
    assert len(process(jobs)) == 100


def test_reset_finds_what_waits_by_need_however_far_and_by_stage() -> None:
    jobs = [
        job(1, 0, "manual"),
        job(2, 0, "skipped", needs=(1,)),
        job(3, 1, "skipped", needs=(2,)),
        job(4, 1, "skipped", needs=(5,)),
        job(5, 0, "failed"),
        job(6, 2, "skipped"),
        job(7, 3, "skipped", needs=(6,)),
        job(8, 2, "success"),
    ]
    assert dependents_to_reset(1, jobs) == [2, 3, 6, 7]


@given(pipelines(), st.data())
def test_reset_finds_only_skipped_jobs_and_never_the_job_itself(jobs: list[JobState], data) -> None:
    played = data.draw(st.sampled_from(jobs))
    found = dependents_to_reset(played.id, jobs)
    states = {job.id: job.status for job in jobs}
    assert played.id not in found
    assert {states[found_id] for found_id in found} <= {"skipped"}
    assert len(set(found)) == len(found)


def test_a_job_of_a_resource_group_waits_for_its_resource() -> None:
    assert after([job(1, resource_group=7), job(2, when="manual", resource_group=7)]) == {
        1: "waiting_for_resource",
        2: "manual",
    }


def test_a_job_that_somebody_asked_for_waits_for_nobody_but_for_what_comes_before_it() -> None:
    asked = {"enqueue_immediately": True, "start_in": 5}
    for when in ("manual", "delayed"):
        assert after([job(1, 0, "running"), job(2, 1, when=when, **asked)])[2] == "created"
        assert after([job(1, 0, "success"), job(2, 1, when=when, **asked)])[2] == "pending"
        assert after([job(1, 0, "failed"), job(2, 1, when=when, **asked)])[2] == "skipped"
    held = job(2, 1, when="manual", resource_group=1, **asked)
    assert after([job(1, 0, "success"), held])[2] == "waiting_for_resource"
