"""How much of a log counts is noted beside its bytes; the job's row is written seldom, and for good at the end."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from app.models import Job, write
from app.services.jobs.finish_job import finish
from app.services.jobs.log_end import log_end, row_end
from app.services.jobs.read_trace import open_trace
from app.services.locks import lock_job
from app.services.runners import append_trace as append_module
from app.services.runners.append_trace import append_trace, restart_trace
from app.services.runners.claim_job import claim_job, give_back
from app.services.runners.job_authority import NotProcessing
from app.storage.base import End


@pytest.fixture
def runner(world):
    return world.runner(tags=["t"])


@pytest.fixture
def job(world):
    return world.job()


@pytest.fixture
def claimed(core, job, runner):
    return claim_job(core, runner.id, runner.managers[0].id, frozenset())


def statements(core, act):
    """The first words of what `act` asks of the database."""
    said, engine = [], core.session.get_bind()

    def note(_connection, _cursor, statement, *_):
        said.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return [word for word in said if word != "BEGIN"]


def log(core, job):
    with open_trace(core, job) as trace:
        return trace.read()


def test_a_piece_is_no_transaction_until_the_lease_has_become_older(core, world, clock, job, claimed):
    def send(start, data):
        return statements(core, lambda: append_trace(core, claimed.job_id, claimed.token, start, data))

    assert "UPDATE" in send(0, b"hello"), "the first sign of life is written down"
    assert row_end(world.read(job)) == End.of(b"hello")
    clock.pass_seconds(9)
    assert send(5, b" world") == [], "the one question that is left goes to the driver (`DirectSelect`)"
    read = world.read(job)
    assert (row_end(read), log_end(core, read)) == (End.of(b"hello"), End.of(b"hello world"))
    assert log(core, read) == b"hello world", "readers need not wait for the row"
    expires = read.lease_expires_at
    clock.pass_seconds(2)
    assert "UPDATE" in send(11, b"!")
    assert (row_end(world.read(job)), world.read(job).lease_expires_at > expires) == (End.of(b"hello world!"), True)


def test_however_a_job_ends_its_row_counts_all_of_its_log(core, world, job, claimed):
    for start, data in ((0, b"hello"), (5, b" world")):
        append_trace(core, claimed.job_id, claimed.token, start, data)
    with write(core.session):
        finish(core, lock_job(core, claimed.job_id), "canceled")
    assert row_end(world.read(job)) == End.of(b"hello world")
    with core.traces.hold(job.id, "a piece that was on its way", End.of(b"")) as held:
        held.append(b"late, and longer than all before", 0.0)
    assert log_end(core, world.read(job)) == End.of(b"hello world")


@pytest.mark.parametrize("change", [restart_trace, None], ids=["damaged", "handed back"])
def test_a_log_that_begins_anew_has_nothing_of_the_one_before(core, world, job, claimed, runner, change):
    append_trace(core, claimed.job_id, claimed.token, 0, b"the one before")
    with write(core.session):
        held = lock_job(core, claimed.job_id)
        if change:
            change(held)
        else:
            give_back(core, held)
    again = claimed if change else claim_job(core, runner.id, runner.managers[0].id, frozenset())
    assert log(core, world.read(job)) == b""
    refused = append_trace(core, again.job_id, again.token, 14, b"more")
    assert (refused.accepted, refused.size) == (False, 0)
    assert append_trace(core, again.job_id, again.token, 0, b"anew").accepted
    assert log(core, core.session.get_one(Job, job.id)) == b"anew"


@pytest.mark.parametrize("erased", [True, False], ids=["erased", "handed back"])
def test_a_piece_that_was_overtaken_changes_nothing(core, world, job, claimed, runner, monkeypatch, erased):
    def overtake():
        with write(core.session):
            held = lock_job(core, job.id)
            finish(core, held, "canceled") if erased else give_back(core, held)
        if erased:
            core.traces.remove(job.id)
        else:
            again = claim_job(core, runner.id, runner.managers[0].id, frozenset())
            append_trace(core, again.job_id, again.token, 0, b"anew")

    running, moves = append_module._running, [overtake]

    def seen(*given):
        row = running(*given)
        if moves:
            moves.pop()()
        return row

    monkeypatch.setattr(append_module, "_running", seen)
    with pytest.raises(NotProcessing):
        append_trace(core, claimed.job_id, claimed.token, 0, b"late")
    kept = b"" if erased else b"anew"
    assert (core.traces.path(job.id).read_bytes(), log(core, world.read(job))) == (kept, kept)


def test_a_line_of_the_servers_own_stands_once_whatever_became_of_its_transaction(
    core, world, job, claimed, monkeypatch
):
    """As when the server is killed between the line and the commit: the runner sends the piece again."""
    small = replace(core, config=replace(core.config, trace_limit=8))
    append_trace(small, claimed.job_id, claimed.token, 0, b"12345678")

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(append_module, "finish", killed)
        append_trace(small, claimed.job_id, claimed.token, 8, b"9")
    assert world.read(job).status == "running"
    again = append_trace(small, claimed.job_id, claimed.token, 8, b"9")
    assert (again.accepted, again.size > 8) == (False, True)
    with pytest.raises(NotProcessing):
        append_trace(small, claimed.job_id, claimed.token, again.size, b"9")
    ended = world.read(job)
    assert (ended.status, ended.failure_reason) == ("failed", "trace_size_exceeded")
    assert log(core, ended).count(b"which is the limit here") == 1
    assert row_end(ended) == End.of(core.traces.path(job.id).read_bytes())
