"""A runner reports on its job and sends its log (gitlab.md A.4, A.5; design, "Log")."""

import os
import threading

import pytest

from app.models import write
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.log_end import log_end, row_end
from app.services.runners.job_authority import NotProcessing
from app.storage.base import End
from tests.contract.runner_protocol.stock import checksum


@pytest.fixture
def job(world, project):
    return world.job(project)


@pytest.fixture
def running(job, stock):
    return stock.take()


def trace(core, job_id):
    with core.traces.open(job_id) as file:
        return file.read()


def test_the_first_touch_is_heard(running, job, world):
    answer = running.update("running")
    assert (answer.status_code, answer.headers["Job-Status"]) == (200, "running")
    assert answer.headers["X-GitLab-Trace-Update-Interval"] == "60"
    assert answer.headers["Content-Type"] == "application/json"
    assert world.read(job).heard_at is not None


def test_a_job_ends_as_its_runner_says(running, job, world):
    running.print(b"out\n")
    answer = running.finish("failed", failure_reason="script_failure", exit_code=3)
    assert (answer.status_code, answer.headers["Job-Status"]) == (200, "failed")
    ended = world.read(job)
    assert (ended.status, ended.failure_reason, ended.exit_code) == ("failed", "script_failure", 3)
    assert (ended.lease_expires_at, ended.pipeline.status) == (None, "failed")


def test_a_reason_that_nobody_knows_is_unknown(running, job, world):
    running.finish("failed", failure_reason="moon_phase")
    assert world.read(job).failure_reason == "unknown_failure"


def test_a_repeated_finish_is_fine_and_another_one_is_not(running, job, world):
    assert running.finish().status_code == 200
    assert running.finish().status_code == 200
    other = running.finish("failed", failure_reason="script_failure")
    assert (other.status_code, other.headers["Job-Status"]) == (403, "success")
    assert other.json()["message"] == "403 Forbidden - Job is not processing on runner"
    assert world.read(job).status == "success"


def test_an_unknown_state_is_refused(running):
    assert running.update("exploded").status_code == 400


@pytest.mark.parametrize("token", ["glcbt-wrong", "x"])
def test_a_wrong_token_learns_nothing(running, token):
    for answer in (running.update("running", token=token), running.patch(0, b"x", token=token)):
        assert answer.status_code == 403
        assert "Job-Status" not in answer.headers


def test_the_token_of_another_job_is_refused(stock, running, world, project):
    world.job(project)
    other = stock.take()
    assert running.update("running", token=other.token).status_code == 403
    assert running.patch(0, b"x", token=other.token).status_code == 403
    assert running.upload(b"x", token=other.token).status_code == 403


@pytest.mark.parametrize("number", [999_999, 2**62, 2**63, 10**30])
def test_a_job_that_is_not_there_is_refused(stock, running, number):
    answer = stock.call("PUT", f"/jobs/{number}", {"token": running.token, "state": "running"})
    assert answer.status_code in (403, 404)


def test_the_log_grows_piece_by_piece(core, running, job, world):
    first = running.print(b"hello ")
    assert (first.headers["Range"], first.headers["Job-Status"]) == ("0-6", "running")
    assert running.print(b"world\n\xff\x00").headers["Range"] == "0-14"
    assert trace(core, job.id) == b"hello world\n\xff\x00"
    assert log_end(core, world.read(job)) == End.of(b"hello world\n\xff\x00")
    running.finish()
    assert row_end(world.read(job)) == End.of(b"hello world\n\xff\x00")


def test_the_same_piece_again_changes_nothing(core, running, job):
    running.print(b"hello ")
    assert running.print(b"world").status_code == 202
    again = running.patch(6, b"world")
    assert (again.status_code, again.headers["Range"]) == (202, "0-11")
    assert trace(core, job.id) == b"hello world"


@pytest.mark.parametrize("start", [0, 3, 6, 1000])
def test_a_piece_that_does_not_fit_is_refused_with_the_size(core, running, job, start):
    running.print(b"hello")
    answer = running.patch(start, b"xyz")
    assert (answer.status_code, answer.headers["Range"]) == (416, "0-5")
    assert trace(core, job.id) == b"hello"


@pytest.mark.parametrize("given", ["", "x", "1", "-1-5", "bytes 0-5/6", "1" * 40 + "-2"])
def test_a_wrong_content_range_is_refused(running, given):
    answer = running.patch(0, b"hello", content_range=given)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("400 Bad request")


def test_the_end_that_is_claimed_plays_no_part(running):
    assert running.patch(0, b"hello", content_range="0-999").headers["Range"] == "0-5"


def test_a_piece_beyond_all_measure_is_refused(running):
    assert running.patch(0, b"x" * (5 << 20)).status_code == 413


def test_nothing_is_added_after_the_end(running):
    running.finish()
    answer = running.patch(0, b"late")
    assert (answer.status_code, answer.headers["Job-Status"]) == (403, "success")


def test_pieces_that_race_leave_one_of_them(core, running, job):
    answers = []
    threads = [
        threading.Thread(target=lambda letter=letter: answers.append(running.patch(0, letter * 1000).status_code))
        for letter in (b"a", b"b", b"c", b"d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trace(core, job.id) in [letter * 1000 for letter in (b"a", b"b", b"c", b"d")]
    # The others' pieces have the same length, so they pass for repetitions; the checksum will tell.
    assert set(answers) <= {202, 416}


def test_a_damaged_log_is_sent_again_from_its_beginning(core, running, job, world):
    running.print(b"damaged")
    answer = running.finish(data=b"whole log")
    assert (answer.status_code, answer.headers["Job-Status"]) == (412, "running")
    assert running.patch(7, b"more").headers["Range"] == "0-0"
    assert running.patch(0, b"whole log").status_code == 202
    assert running.finish(data=b"whole log").status_code == 200
    assert trace(core, job.id) == b"whole log"
    assert world.read(job).status == "success"


def test_a_log_that_stays_damaged_ends_the_job_with_a_warning(core, running, job, world):
    for _ in range(3):
        assert running.finish(data=b"never sent").status_code == 412
        assert running.patch(0, b"other").status_code == 202
    assert running.finish(data=b"never sent").status_code == 200
    assert world.read(job).status == "success"
    assert b"may be incomplete" in trace(core, job.id)


def test_a_finish_without_a_checksum_is_taken(running):
    running.print(b"x")
    assert running.update("success").status_code == 200


def test_an_empty_log_has_a_checksum_too(running):
    assert checksum(b"") == "crc32:00000000"
    assert running.finish(data=b"").status_code == 200


class TestLimit:
    @pytest.fixture
    def settings(self):
        return {"trace_limit": 1024}

    def test_a_log_that_comes_whole_is_cut_there(self, core, running, job):
        assert running.update("running", trace="é" * 600).status_code == 200
        assert len(trace(core, job.id)) == 1024

    def test_a_log_beyond_the_limit_ends_the_job(self, core, running, job, world):
        running.print(b"x" * 1024)
        answer = running.patch(1024, b"x")
        assert (answer.status_code, answer.headers["Job-Status"]) == (403, "failed")
        assert world.read(job).failure_reason == "trace_size_exceeded"
        assert trace(core, job.id)[:1024] == b"x" * 1024
        assert b"longer than 1024 bytes" in trace(core, job.id)


def test_a_watched_log_is_asked_for_more_often(core, running, job):
    with core.bus.subscribe([f"trace:{job.id}"]) as listener:
        answer = running.print(b"x")
        assert answer.headers["X-GitLab-Trace-Update-Interval"] == "3"
        assert listener.next(5).data == {"size": 1}
    assert running.print(b"y").headers["X-GitLab-Trace-Update-Interval"] == "60"


def test_a_canceled_job_is_told_to_the_runner_and_ends_gracefully(core, running, job, world, project):
    cancel_job(core, job, world.user(project))
    assert running.update("running").headers["Job-Status"] == "canceling"
    assert running.print(b"after_script").headers["Job-Status"] == "canceling"
    assert running.finish("failed", failure_reason="unknown_failure").headers["Job-Status"] == "canceled"
    assert world.read(job).status == "canceled"


def test_a_runner_without_graceful_cancel_is_cut_off(core, make_stock, job, world, project):
    running = make_stock(features={"cancel_gracefully": False}).take()
    cancel_job(core, job, world.user(project))
    for answer in (running.update("running"), running.patch(0, b"x")):
        assert (answer.status_code, answer.headers["Job-Status"]) == (403, "canceled")


def test_our_runner_hands_a_job_back(make_stock, job, world):
    ours = make_stock(features={"skerry_hand_back": True})
    first = ours.take()
    first.update("running")
    first.print(b"begun")
    assert first.update("pending").headers["Job-Status"] == "pending"
    assert world.read(job).waiting_reason
    assert first.update("running").status_code == 403
    second = ours.take()
    assert (second.id, second.token != first.token) == (first.id, True)
    assert second.print(b"again").headers["Range"] == "0-5"
    assert first.patch(5, b"x").status_code == 403
    assert second.finish().status_code == 200


def test_a_stock_runner_may_say_that_it_has_yet_to_begin(running, job, world):
    assert running.update("pending").status_code == 200
    assert world.read(job).status == "running"
    running.update("running")
    assert running.update("pending").status_code == 409


def test_steps_are_shown_as_our_runner_reports_them(make_stock, world, project):
    job = world.job(project)
    running = make_stock(features={"skerry_steps": True}).take()
    report = {
        "position": 0,
        "status": "failed",
        "exit_code": 7,
        "started_at": "2026-03-01T12:00:00.000Z",
        "finished_at": "2026-03-01T12:00:01.500Z",
        "trace_start": 10,
        "trace_end": 20,
    }
    nonsense = [{"position": 99, "status": "failed"}, {"position": "0"}, 7, {"position": 0, "status": "odd"}]
    assert running.update("running", steps=[report, *nonsense]).status_code == 200
    (step,) = world.read(job).steps
    assert (step.status, step.exit_code, step.trace_start, step.trace_end) == ("failed", 7, 10, 20)
    assert (step.finished_at - step.started_at).total_seconds() == 1.5


def test_a_file_that_is_longer_than_what_counts_is_cut_back(core, running, job):
    """The server was killed between writing the bytes and noting them."""
    running.print(b"hello")
    with core.traces.path(job.id).open("ab") as log:
        log.write(b" unconfirmed")
    assert running.print(b" world").headers["Range"] == "0-11"
    assert trace(core, job.id) == b"hello world"
    assert running.finish().status_code == 200


def test_a_file_that_lost_its_end_gets_it_again(core, running, job):
    """The host lost power before the bytes were on disk."""
    running.print(b"hello world")
    os.truncate(core.traces.path(job.id), 5)
    answer = running.patch(11, b"!")
    assert (answer.status_code, answer.headers["Range"]) == (416, "0-5")
    assert running.patch(5, b" world!").status_code == 202
    assert running.finish(data=b"hello world!").status_code == 200


def test_the_log_may_come_whole_with_an_update_that_says_no_state(core, running, job, world):
    running.print(b"hello")
    answer = running.update(None, trace="größe and more")
    assert (answer.status_code, answer.headers["Job-Status"]) == (200, "running")
    assert trace(core, job.id).decode() == "größe and more"
    for _ in range(2):  # the second one changes nothing
        running.update("success", trace="the end")
    assert (trace(core, job.id), world.read(job).status) == (b"the end", "success")
    assert running.update("failed", trace="later").status_code == 403
    assert trace(core, job.id) == b"the end"


def test_a_full_disk_is_a_reason_to_try_again(core, running, job, monkeypatch):
    import errno
    import os

    running.print(b"hello")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        answer = running.patch(5, b" world")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert running.print(b" world").status_code == 202
    assert trace(core, job.id) == b"hello world"
    assert running.finish().status_code == 200


def test_a_lease_is_renewed_by_every_sign_of_life(core, running, job, world):
    def forget():
        with write(core.session):
            core.session.get_one(type(job), job.id).lease_expires_at = core.now()

    for sign in (lambda: running.update("running"), lambda: running.print(b"x"), lambda: running.upload(b"x")):
        forget()
        sign()
        assert (world.read(job).lease_expires_at - core.now()).total_seconds() > 170


def test_refusals_say_no_more_than_they_should():
    assert str(NotProcessing()) == ""
