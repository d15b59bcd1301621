"""A run's life as its statuses tell it, moved by a stock runner; its runners; and how much is asked of the database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.layerci_v1.entities import RUNNER_STATUSES, STATUSES, go_time
from app.api.layerci_v1.ids import run_id_of, uuid_of
from app.domain import calculated_status as calculated
from app.domain import failure, status
from app.domain.errors import NotFound
from app.models import Job, write
from app.services.jobs.play_job import play_job
from app.services.jobs.retry_job import retry_job
from app.services.locks import lock_job
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.runners.claim_job import give_back
from app.services.runners.create_runner import create_runner
from tests.conftest import LiveServer
from tests.contract.runner_protocol.stock import StockJob, StockRunner
from tests.databases import BOTH, POSTGRESQL
from tests.factories import make_job, make_pipeline, make_project
from tests.support.layerci import LayerCi

CONFIGURATION = """
stages: [test, deploy]
one: {stage: test, script: [a]}
two: {stage: test, script: [b]}
ship: {stage: deploy, script: [c], when: manual}
"""
RUNNERS = {"NEW", "RUNNING", "SUCCESS", "FAILURE", "ERROR", "WAITING_PARENTS", "CANCELLED"}


@pytest.fixture
def runner(layerci: LayerCi, server: LiveServer) -> StockRunner:
    layerci.commit({".gitlab-ci.yml": CONFIGURATION})
    layerci.create()
    return StockRunner(server.url, create_runner(layerci.core)[1])


@pytest.fixture
def now(layerci: LayerCi) -> Callable[[], tuple[str, str]]:
    """The statuses of the newest run, which the filter by status finds too."""

    def read() -> tuple[str, str]:
        job = layerci.get("/run/repo_name/search").json["job"]
        again = layerci.get("/run/repo_name/search", search=f"status:{job['calculated_status'].lower()}")
        assert again.json["job"] == job
        return job["status"], job["calculated_status"]

    return read


def runners(layerci: LayerCi, number: int = 1) -> list[tuple[str, str]]:
    return [(row["id"], row["status"]) for row in layerci.get(f"/runners/repo_name/{number}").json["runners"]]


def job_of(layerci: LayerCi, name: str) -> Job:
    layerci.core.session.rollback()
    return layerci.core.session.query(Job).filter_by(name=name, retried=False).one()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_run_that_succeeds(layerci: LayerCi, runner: StockRunner, now: Any) -> None:
    assert (now(), layerci.run(1).calculated_status_at) == (("NEW", "NEW"), None)
    assert runners(layerci) == [("one", "NEW"), ("two", "NEW"), ("ship", "WAITING_PARENTS")]
    one = runner.take()
    assert now() == ("STARTING_RUNNERS", "STARTING_RUNNERS")
    assert runners(layerci)[0] == ("one", "NEW")
    one.update("running")
    assert now() == ("SEE_RUNNERS", "RUNNING")
    assert runners(layerci)[0] == ("one", "RUNNING")
    one.finish()
    two = runner.take()
    assert now() == ("SEE_RUNNERS", "RUNNING")
    two.finish()
    assert now() == ("SEE_RUNNERS", "SUCCEEDED")
    assert runners(layerci) == [("one", "SUCCESS"), ("two", "SUCCESS"), ("ship", "WAITING_PARENTS")]
    assert layerci.run(1).calculated_status_at == layerci.run(1).finished_at
    play_job(layerci.core, job_of(layerci, "ship"), layerci.owner)
    assert now() == ("SEE_RUNNERS", "RUNNING")
    runner.take().finish()
    assert now() == ("SEE_RUNNERS", "SUCCEEDED")


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_one_failed_job_is_a_failure_at_once_and_its_retry_counts_instead(
    layerci: LayerCi, runner: StockRunner, now: Any
) -> None:
    one, two = runner.take(), runner.take()
    two.print(b"hello")
    assert now() == ("SEE_RUNNERS", "RUNNING")
    one.finish("failed", failure_reason="script_failure", exit_code=1)
    assert now() == ("SEE_RUNNERS", "FAILURE")
    assert layerci.get("/run/repo_name/search", search="running failed").status_code == 200
    assert layerci.get("/run/repo_name/search", search="done").status_code == 404
    retry_job(layerci.core, job_of(layerci, "one"), layerci.owner)
    assert now() == ("SEE_RUNNERS", "RUNNING")
    rows = layerci.get("/runners/repo_name/1").json["runners"]
    kept = {"layerfile_relative_path": ".gitlab-ci.yml"}
    assert rows[0] == kept | {"id": "one", "status": "FAILURE", "was_retried": True, "runner_index": 1}
    assert rows[1] == kept | {"id": "one-2", "status": "NEW", "was_retried": False, "runner_index": 2}
    two.finish()
    runner.take().finish()
    assert now() == ("SEE_RUNNERS", "SUCCEEDED")


@pytest.mark.parametrize(
    ("reason", "expected", "of_runner"),
    [
        ("runner_system_failure", "RUNNER_ERROR", "ERROR"),
        ("script_failure", "FAILURE", "FAILURE"),
        (None, "FAILURE", "FAILURE"),
    ],
)
def test_a_failure_says_whose_it_is(
    layerci: LayerCi, runner: StockRunner, now: Any, reason: str | None, expected: str, of_runner: str
) -> None:
    runner.take().finish("failed", **({"failure_reason": reason} if reason else {}))
    assert now() == ("SEE_RUNNERS", expected)
    assert runners(layerci)[0] == ("one", of_runner)


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_run_that_is_canceled_or_handed_back(layerci: LayerCi, runner: StockRunner, now: Any) -> None:
    one = runner.take()
    assert now() == ("STARTING_RUNNERS", "STARTING_RUNNERS")
    with write(layerci.core.session):
        give_back(layerci.core, lock_job(layerci.core, one.id))
    assert now() == ("NEW", "NEW")
    StockJob(runner, runner.take().payload).update("running")
    cancel_pipeline(layerci.core, layerci.run(1), layerci.owner)
    assert now() == ("SEE_RUNNERS", "RUNNER_CANCELLED")
    assert {status for _, status in runners(layerci)} == {"CANCELLED"}


@pytest.mark.parametrize("database", POSTGRESQL, indirect=True)
def test_a_start_that_meets_a_held_run_is_shown_as_soon_as_it_is_free(
    layerci: LayerCi, runner: StockRunner, now: Any, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    """Waiting for a pipeline while holding a job could deadlock, so the job is heard first and the run told after."""
    one = runner.take()
    heard = Thread(target=lambda: one.update("running"))
    with layerci.core.session.get_bind().connect() as other:
        other.exec_driver_sql("SELECT 1 FROM pipelines FOR NO KEY UPDATE")
        heard.start()
        wait_for(lambda: job_of(layerci, "one").heard_at is not None)
        assert now() == ("STARTING_RUNNERS", "STARTING_RUNNERS")
    heard.join(10)
    assert now() == ("SEE_RUNNERS", "RUNNING")


def test_a_run_is_found_by_number_and_by_uuid_in_its_own_repository_alone(layerci: LayerCi) -> None:
    uuid = layerci.post(name="token").json["job"]["uuid"]
    by_uuid = layerci.get(f"/runners/repo_name/{uuid}")
    assert by_uuid.json == layerci.get("/runners/layerdemo%2Frepo_name/1").json
    assert [row["id"] for row in by_uuid.json["runners"]] == ["build", "run-and-deploy"]
    value = UUID(uuid).int
    wrong = ("2", "0", "x", "9" * 30, str(UUID(int=value + 1)), str(UUID(int=value ^ 1 << 100)), str(UUID(int=0)))
    for reference in (*wrong, str(UUID(int=value ^ 1 << 70)), "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"):
        answer = layerci.get(f"/runners/repo_name/{reference}")
        assert answer.status_code == 404
        assert answer.json == {
            "error": f"There is no run for layerdemo matching uuid {reference}.",
            "status": "error",
        }
    elsewhere = make_pipeline(layerci.core, _other(layerci))
    assert layerci.get(f"/runners/repo_name/{uuid_of(elsewhere.id, elsewhere.created_at)}").status_code == 404


@pytest.mark.parametrize("path", ["/runners/repo_name/{}/{}", "/repo_name/{}/{}"])
def test_a_runner_that_is_asked_for_a_snapshot_soon_is_shown(layerci: LayerCi, path: str) -> None:
    uuid = layerci.post(name="token").json["job"]["uuid"]
    runner = next(row for row in layerci.get(f"/runners/repo_name/{uuid}").json["runners"] if row["id"] == "build")
    for run in (uuid, "1"):
        answer = layerci.post(path.format(run, "build") + "/prioritize-snapshot")
        assert (answer.status_code, answer.json) == (200, {"status": "ok", "job": runner})
    refused = layerci.post(path.format("1", "nobody") + "/prioritize-snapshot")
    assert (refused.status_code, refused.json["status"]) == (404, "error")


def _other(layerci: LayerCi) -> Any:
    return make_project(layerci.core, "layerdemo/other", creator=layerci.owner)


@given(st.integers(1, 2**62 - 1), st.datetimes(timezones=st.just(UTC)))
def test_a_uuid_gives_its_id_back(run_id: int, created_at: Any) -> None:
    if created_at.year >= 1970:
        uuid = uuid_of(run_id, created_at)
        assert (uuid.version, run_id_of(uuid)) == (8, run_id)


@given(st.uuids(version=1) | st.uuids(version=4))
def test_a_uuid_of_another_kind_is_none_of_ours(uuid: UUID) -> None:
    with pytest.raises(NotFound):
        run_id_of(uuid)


@pytest.mark.parametrize(
    ("microsecond", "printed"),
    [(123456, ".123456"), (179550, ".17955"), (0, ""), (100000, ".1"), (5, ".000005")],
)
def test_times_are_printed_as_go_does(microsecond: int, printed: str) -> None:
    moment = datetime(2020, 5, 5, 7, 11, 44, microsecond, tzinfo=timezone(timedelta(hours=2)))
    assert go_time(moment) == f"2020-05-05 05:11:44{printed} +0000 UTC"


def test_every_status_has_its_words() -> None:
    assert STATUSES.keys() == set(calculated.AVAILABLE)
    assert {internal for internal, _ in STATUSES.values()} == {"NEW", "ERROR", "STARTING_RUNNERS", "SEE_RUNNERS"}
    assert RUNNER_STATUSES.keys() == set(status.AVAILABLE)
    assert set(RUNNER_STATUSES.values()) | {"ERROR"} == RUNNERS


def test_the_number_of_statements_does_not_grow(layerci: LayerCi, queries: Callable[[Callable[[], Any]], int]) -> None:
    def counts(number: int) -> list[int]:
        uuid = f"/runners/repo_name/{number}"
        calls = (lambda: layerci.get("/run/repo_name/search", search="ada"), lambda: layerci.get(uuid))
        return [queries(call) for call in calls]

    small = make_pipeline(layerci.core, layerci.project)
    make_job(layerci.core, small)
    layerci.get("/run/repo_name/search")  # the first use of a token writes that down
    before = counts(1)
    for _ in range(5):
        large = make_pipeline(layerci.core, layerci.project)
    for _ in range(10):
        make_job(layerci.core, large, status="failed", failure_reason=failure.SCRIPT_FAILURE)
    assert counts(6) == before
