"""The log on disk, and its way to a server that does what it likes."""

import threading
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.masking import Masker
from runner.protocol.outcomes import JobAnswer, Outcome
from runner.sender import Result, Sender
from runner.trace import Trace

SUCCESS = Result("success")


class Server:
    """A client whose other end is a list of planned answers, then a server that works."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.log = bytearray()
        self.patches = []
        self.updates = []
        self.delay = 0.0
        self.interval = None
        self.canceling = False
        self.got = threading.Condition()

    def _planned(self):
        return self.answers.pop(0) if self.answers else None

    def patch_trace(self, start, data):
        time.sleep(self.delay)
        with self.got:
            self.patches.append((time.monotonic(), start, len(data)))
            self.got.notify_all()
            planned = self._planned()
            if planned is not None:
                if planned.outcome is Outcome.RESEND:
                    self.log.clear()
                return planned
            if start == len(self.log):
                self.log += data
            fits = len(self.log) == start + len(data)
            outcome = Outcome.OK if fits else Outcome.RANGE_MISMATCH
            return JobAnswer(outcome, self.canceling, self.interval, len(self.log))

    def update(self, state, **options):
        with self.got:
            self.updates.append((state, options, time.monotonic()))
            self.got.notify_all()
            if state in ("success", "failed"):
                return self._planned() or JobAnswer(Outcome.OK)
            return JobAnswer(Outcome.OK, self.canceling, self.interval)

    def wait_for(self, what, seconds=10):
        with self.got:
            assert self.got.wait_for(what, seconds)


@pytest.fixture
def trace(tmp_path):
    trace = Trace(tmp_path / "trace", Masker(), 10_000_000)
    yield trace
    trace.close()


def deliver(sender, seconds=10, give_up=None):
    return sender.deliver(SUCCESS, time.monotonic() + seconds, give_up or threading.Event())


def test_the_file_is_private_and_its_checksum_is_that_of_all_bytes(trace):
    trace.write(b"one\xff\0")
    trace.say("two")
    assert trace.path.stat().st_mode & 0o777 == 0o600
    assert trace.checksum == f"crc32:{zlib.crc32(trace.path.read_bytes()):08x}"
    assert trace.read(2, 100) == b"e\xff\0two"


def test_a_file_that_is_opened_again_goes_on_where_it_was(tmp_path):
    first = Trace(tmp_path / "t", Masker(), 1000)
    first.write(b"one ")
    first.close()
    second = Trace(tmp_path / "t", Masker(), 1000)
    second.write(b"two")
    assert (second.size, second.read(0, 100)) == (7, b"one two")
    assert second.checksum == f"crc32:{zlib.crc32(b'one two'):08x}"
    second.close()


def test_a_mark_lets_nothing_slip_over_it(tmp_path):
    trace = Trace(tmp_path / "t", Masker([b"password"]), 1000)
    trace.write(b"a pass")
    assert trace.size == 2
    assert trace.mark() == 6
    trace.write(b"word")
    trace.mark()
    assert trace.read(0, 100) == b"a password"
    trace.close()


@given(st.lists(st.binary(max_size=400), max_size=12))
@settings(max_examples=50)
def test_the_limit_holds_and_the_runners_words_still_fit(tmp_path_factory, pieces):
    trace = Trace(tmp_path_factory.mktemp("t") / "t", Masker(), 1600)
    for piece in pieces:
        trace.write(piece)
    trace.say("the end")
    content = trace.path.read_bytes()
    whole = b"".join(pieces)
    assert len(content) <= 1600
    assert content.endswith(b"the end")
    if len(whole) <= 1400:
        assert content == whole + b"the end"
    else:
        assert content.startswith(whole[:1400])
        assert content.count(b"Job's log exceeded limit of 1600 bytes.") == 1
    trace.close()


def test_a_full_disk_ends_the_log_at_a_border_that_size_and_checksum_agree_on(tmp_path, monkeypatch):
    trace = Trace(tmp_path / "t", Masker(), 10_000)
    trace.write(b"kept")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.trace.os.pwrite", full)
    trace.write(b"lost")
    monkeypatch.undo()
    trace.write(b"ignored")
    assert "No space left" in trace.problem
    assert (trace.size, trace.checksum) == (4, f"crc32:{zlib.crc32(b'kept'):08x}")
    trace.close()


def test_the_first_bytes_leave_at_once(trace):
    server = Server()
    sender = Sender(server, trace)
    sender.start()
    server.wait_for(lambda: server.updates)
    time.sleep(0.3)
    trace.write(b"hello")
    written = time.monotonic()
    server.wait_for(lambda: server.patches)
    assert server.patches[0][0] - written < 0.1
    assert deliver(sender)


def test_small_writes_are_gathered_and_big_ones_cut(trace):
    server = Server()
    sender = Sender(server, trace)
    sender.start()
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        trace.write(b"x\n")
        time.sleep(0.001)
    assert len(server.patches) <= 9
    trace.write(b"y" * 3_500_000)
    assert deliver(sender)
    assert max(length for _, _, length in server.patches) == 1024 * 1024
    assert bytes(server.log) == trace.read(0, trace.size)


def test_a_slow_server_sets_the_pace(trace):
    server = Server()
    server.delay = 0.2
    sender = Sender(server, trace)
    sender.start()
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        trace.write(b"x\n")
        time.sleep(0.01)
    assert len(server.patches) <= 4
    assert deliver(sender)


def test_an_interval_above_three_seconds_is_kept_and_a_shorter_one_means_live(trace):
    server = Server()
    server.interval = 30.0
    sender = Sender(server, trace)
    sender.start()
    trace.write(b"first")
    server.wait_for(lambda: server.patches)
    trace.write(b"second")
    time.sleep(0.5)
    assert len(server.patches) == 1
    assert deliver(sender)
    assert bytes(server.log) == b"firstsecond"


def test_touches_do_not_put_off_the_log(trace, monkeypatch):
    monkeypatch.setattr("runner.sender.SLOW", 0.01)
    monkeypatch.setattr("runner.sender.TOUCH_OURS", 0.1)
    server = Server()
    server.interval = 0.4
    sender = Sender(server, trace, steps=list)
    sender.start()
    trace.write(b"first")
    server.wait_for(lambda: server.patches)
    trace.write(b"second")
    server.wait_for(lambda: len(server.patches) == 2, seconds=2)
    assert server.patches[1][0] - server.patches[0][0] > 0.35
    assert len(server.updates) >= 3
    assert deliver(sender)


def test_a_cancel_is_passed_on_once(trace):
    server, calls = Server(), []
    server.canceling = True
    sender = Sender(server, trace, on_cancel=lambda: calls.append("cancel"))
    sender.start()
    server.wait_for(lambda: server.updates)
    trace.write(b"x")
    server.wait_for(lambda: server.patches)
    assert deliver(sender)
    assert calls == ["cancel"]


def test_an_abort_ends_the_sending(trace):
    server, aborted = Server(JobAnswer(Outcome.ABORT)), threading.Event()
    sender = Sender(server, trace, on_abort=aborted.set)
    sender.start()
    trace.write(b"x")
    assert aborted.wait(5)
    assert deliver(sender)
    assert [state for state, _, _ in server.updates] == ["running"]


@pytest.mark.parametrize(
    "answers",
    [
        [JobAnswer(Outcome.RETRY)] * 3,
        [JobAnswer(Outcome.RESEND)],
        [JobAnswer(Outcome.NOT_FOUND)],
        [JobAnswer(Outcome.RANGE_MISMATCH, size=0)],
        [JobAnswer(Outcome.RANGE_MISMATCH, size=None)],
        [JobAnswer(Outcome.REFUSED)],
    ],
)
def test_whatever_the_server_answers_once_it_gets_the_whole_log(trace, answers):
    server = Server(*answers)
    sender = Sender(server, trace)
    sender.start()
    trace.write(b"a" * 100_000)
    assert deliver(sender)
    assert bytes(server.log) == b"a" * 100_000
    state, options, _ = server.updates[-1]
    assert (state, options["checksum"], options["size"]) == ("success", trace.checksum, 100_000)


def test_a_server_that_stays_away_is_given_up_at_the_deadline_or_on_demand(trace):
    class Away(Server):
        def patch_trace(self, start, data):
            return JobAnswer(Outcome.RETRY)

    trace.write(b"x")
    assert not deliver(Sender(Away(), trace), seconds=0.5)
    give_up = threading.Event()
    timer = threading.Timer(0.2, give_up.set)
    timer.start()
    started = time.monotonic()
    assert not deliver(Sender(Away(), trace), seconds=60, give_up=give_up)
    assert time.monotonic() - started < 5


def test_a_log_that_the_server_will_not_have_does_not_hold_the_result_back(trace):
    class Closed(Server):
        def patch_trace(self, start, data):
            return JobAnswer(Outcome.REFUSED)

    server = Closed()
    trace.write(b"x")
    assert deliver(Sender(server, trace))
    assert server.updates[-1][0] == "success"


def test_a_server_that_always_finds_the_log_wrong_is_not_asked_for_ever(trace):
    class Wrong(Server):
        def update(self, state, **options):
            self.updates.append((state, options, 0))
            self.log.clear()
            return JobAnswer(Outcome.RESEND)

    server = Wrong()
    trace.write(b"x")
    assert deliver(Sender(server, trace), seconds=30)
    assert len(server.updates) == 6


def test_steps_are_told_when_they_move_and_with_the_result(trace):
    server, steps = Server(), [{"position": 0, "status": "running"}]
    sender = Sender(server, trace, steps=lambda: steps)
    sender.start()
    server.wait_for(lambda: server.updates)
    sender.report_steps()
    server.wait_for(lambda: len(server.updates) >= 2)
    assert deliver(sender)
    assert all(options["steps"] == steps for _, options, _ in server.updates)


def test_steps_of_a_moment_cost_no_request_of_their_own(trace, monkeypatch):
    monkeypatch.setattr("runner.sender.GATHER_STEPS", 60.0)
    monkeypatch.setattr("runner.sender.PACE", 60.0)
    server, steps = Server(), [{"position": 0, "status": "success"}]
    sender = Sender(server, trace, steps=lambda: steps)
    sender.start()
    trace.write(b"begun")
    server.wait_for(lambda: server.patches)
    sender.report_steps()
    sender.report_steps()
    trace.write(b", ended")
    assert deliver(sender)
    assert [(state, options["steps"]) for state, options, _ in server.updates] == [("success", steps)]
    assert bytes(server.log) == b"begun, ended"
