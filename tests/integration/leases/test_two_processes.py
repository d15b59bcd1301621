"""Two server processes on one PostgreSQL: what happens in one is known in the other at once."""

import threading
import time

import pytest

from tests.databases import POSTGRESQL
from tests.support.world import plan

pytestmark = pytest.mark.parametrize("database", POSTGRESQL, indirect=True)


@pytest.fixture
def served_settings():
    return {"workers": 2, "threads": 32, "max_waiting": 20}


def test_a_job_wakes_a_poll_that_is_parked_in_another_process(core, served, stock, world):
    core.bus._ensure_threads()
    for _ in range(3):
        answers = []
        thread = threading.Thread(target=lambda answers=answers: answers.append(stock.request_job()))
        thread.start()
        time.sleep(1)
        started = time.monotonic()
        job = world.job()
        thread.join(10)
        assert (answers[0].status_code, answers[0].json()["id"]) == (201, job.id)
        assert time.monotonic() - started < 1.5


def test_a_pipeline_runs_through_whichever_process_answers(served, stock, world):
    pipeline = world.pipeline(jobs=[plan("a"), plan("b"), plan("t", "test")])
    for _ in range(3):
        job = stock.take()
        for number in range(5):
            stock.http.close()  # the next request may go to the other process
            job.print(b"line %d\n" % number)
        assert job.upload(b"artifact").status_code == 201
        assert job.finish().status_code == 200
    assert set(world.statuses(pipeline).values()) == {"success"}


def test_both_processes_stop_promptly(served, stock):
    thread = threading.Thread(target=stock.request_job)
    thread.start()
    time.sleep(0.5)
    assert served.stop() < 8
    thread.join(5)
