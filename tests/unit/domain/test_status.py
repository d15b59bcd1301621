"""The table of moves and the composite status, held against a second writing of gitlab.md C.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import status

jobs = st.lists(st.tuples(st.sampled_from(status.AVAILABLE), st.booleans()), max_size=6)


def mapped(name: str, allow_failure: bool) -> str:
    if allow_failure and name in ("failed", "canceled"):
        return "warn"
    if allow_failure and name == "manual":
        return "ignored"
    return name


def composite_by_the_table(given_jobs: list[tuple[str, bool]], dag: bool) -> str | None:
    """The table of C.3, row by row, as it is printed."""
    seen = {mapped(*job) for job in given_jobs}

    def only(*names: str) -> bool:
        return all(name in names for name in seen)

    def any_of(*names: str) -> bool:
        return any(name in names for name in seen)

    rows = [
        (not seen, None),
        (dag and any_of("skipped", "ignored"), "skipped"),
        (only("skipped", "ignored"), "skipped"),
        (only("success", "skipped", "warn", "ignored"), "success"),
        (only("created", "warn", "ignored"), "created"),
        (only("preparing", "warn", "ignored"), "preparing"),
        (only("canceled", "success", "skipped", "warn", "ignored"), "canceled"),
        (only("pending", "created", "skipped", "warn", "ignored"), "pending"),
        (any_of("running", "pending"), "running"),
        (any_of("waiting_for_resource"), "waiting_for_resource"),
        (any_of("waiting_for_callback"), "waiting_for_callback"),
        (any_of("manual"), "manual"),
        (any_of("scheduled"), "scheduled"),
        (any_of("preparing"), "preparing"),
        (any_of("created"), "running"),
        (any_of("canceling"), "canceling"),
        (True, "failed"),
    ]
    return next(result for matches, result in rows if matches)


@given(jobs, st.booleans())
def test_the_composite_is_what_the_table_says(given_jobs: list[tuple[str, bool]], dag: bool) -> None:
    assert status.composite(given_jobs, dag) == composite_by_the_table(given_jobs, dag)


@pytest.mark.parametrize(
    ("given_jobs", "expected"),
    [
        ([], None),
        ([("success", False), ("manual", False)], "manual"),
        ([("success", False), ("manual", True)], "success"),
        ([("manual", True)], "skipped"),
        ([("success", False), ("failed", True)], "success"),
        ([("success", False), ("failed", False)], "failed"),
        ([("failed", False), ("created", False)], "running"),
        ([("canceled", False), ("success", False)], "canceled"),
        ([("canceled", False), ("failed", False)], "failed"),
        ([("success", False), ("pending", False)], "running"),
    ],
)
def test_composites_written_down_by_hand(given_jobs: list[tuple[str, bool]], expected: str | None) -> None:
    assert status.composite(given_jobs) == expected


@given(jobs, st.booleans(), st.randoms())
def test_the_composite_does_not_depend_on_the_order(given_jobs: list, dag: bool, random) -> None:
    shuffled = list(given_jobs)
    random.shuffle(shuffled)
    assert status.composite(shuffled, dag) == status.composite(given_jobs, dag)


def test_every_status_has_its_moves_and_they_lead_to_statuses() -> None:
    assert set(status.MOVES) == set(status.AVAILABLE)
    assert frozenset().union(*status.MOVES.values()) <= set(status.AVAILABLE)


def test_no_status_is_a_move_to_itself() -> None:
    assert not [name for name in status.AVAILABLE if status.may_move(name, name)]


def test_whatever_is_cancelable_may_become_canceled_and_what_ended_may_not() -> None:
    assert {name for name in status.AVAILABLE if status.may_move(name, "canceled")} == status.CANCELABLE | {"canceling"}


@pytest.mark.parametrize(
    ("old", "new", "legal"),
    [
        ("created", "pending", True),
        ("pending", "running", True),
        ("running", "success", True),
        ("running", "pending", True),
        ("canceling", "canceled", True),
        ("skipped", "created", True),
        ("manual", "pending", True),
        ("pending", "success", False),
        ("canceling", "success", False),
        ("success", "running", False),
        ("failed", "pending", False),
        ("canceled", "running", False),
    ],
)
def test_moves_written_down_by_hand(old: str, new: str, legal: bool) -> None:
    assert status.may_move(old, new) is legal


def test_the_sets_are_those_of_the_reference() -> None:
    assert {
        "created",
        "waiting_for_resource",
        "preparing",
        "waiting_for_callback",
        "pending",
        "running",
        "canceling",
    } == status.ALIVE
    assert (status.ALIVE - {"canceling"}) | {"manual", "scheduled"} == status.CANCELABLE
    assert {"success", "failed", "canceled", "skipped", "manual", "scheduled"} == status.STOPPED


def test_a_stage_never_goes_back_to_created() -> None:
    assert status.stage_status("skipped", [("created", False)]) == "skipped"
    assert status.stage_status("created", []) == "created"
    assert status.stage_status("skipped", [("pending", False)]) == "pending"


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ("created", "pending"),
        ("skipped", "pending"),
        ("manual", "pending"),
        ("running", "running"),
        ("success", "running"),
        ("failed", "running"),
        ("canceled", "running"),
        ("canceling", "running"),
    ],
)
def test_a_pipeline_that_ran_is_running_when_a_job_waits_again(current: str, expected: str) -> None:
    assert status.pipeline_status(current, [("pending", False), ("created", False)]) == expected
