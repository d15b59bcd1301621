"""Steps that share a shell, and what is told of each."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runner.job.groups import MarkedOutput, groups_of, stage_name
from runner.protocol.wire import Image, Step
from runner.steps import StepReport

MARKS = (b"\x1b]skerry;aaaa\x07", b"\x1b]skerry;bbbb\x07")


def step(name="a", **fields):
    return Step(name, ("true",), **fields)


def positions(*steps):
    return [group.positions for group in groups_of(steps)]


def test_a_step_joins_the_shell_before_it_only_where_it_says_so_and_can():
    joined = step(own_shell=False)
    assert positions(step(), joined, joined, step(), joined) == [(0, 1, 2), (3, 4)]
    assert positions(joined, joined) == [(0, 1)]
    assert positions(step(), step(own_shell=False, image=Image("x"))) == [(0,), (1,)]
    assert positions(step(), step(own_shell=False, timeout=5)) == [(0,), (1,)]
    assert positions(step(allow_failure=True), joined) == [(0,), (1,)]
    assert positions(step(), step("after_script"), joined) == [(0, 2)]


def test_marks_are_new_for_every_job():
    steps = (step(), step(own_shell=False))
    assert groups_of(steps)[0].marks != groups_of(steps)[0].marks


def test_a_stage_is_named_with_characters_that_a_marker_can_hold():
    assert stage_name(step("script")) == "step_script"
    assert stage_name(step("after_script")) == "after_script"
    assert stage_name(step("a b\r\x1b/é:c")) == "step_a_b_____c"


@given(
    st.lists(st.sampled_from([b"x", b"\x1b]", b"\x1b]skerry;", b"aaaa", b"\n", *MARKS]), max_size=12),
    st.lists(st.integers(0, 120), max_size=8),
)
def test_marks_are_taken_out_wherever_the_output_is_cut(pieces, cuts):
    whole = b"".join(pieces)
    events = []
    output = MarkedOutput(MARKS, lambda data: events.append(data), lambda index: events.append(index))
    borders = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    for start, end in pairwise(borders):
        output.write(whole[start:end])
    output.flush()
    expected, rest = [], whole
    for index, mark in enumerate(MARKS):
        before, found, after = rest.partition(mark)
        if not found:
            break
        expected += [before, index]
        rest = after
    expected.append(rest)
    joined = [b""]
    for event in events:
        if isinstance(event, bytes):
            joined[-1] += event
        else:
            joined += [event, b""]
    assert joined == expected


def test_a_report_says_what_is_known_and_null_for_the_rest():
    report = StepReport(3, now=lambda: datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC))
    changes = []
    report.on_change = lambda: changes.append(report.as_json()[0]["status"])
    report.start(0, 10)
    report.end(0, "failed", 25, 4)
    report.start(1, 30)
    report.close()
    assert changes == ["running", "failed", "failed"]
    first, second, third = report.as_json()
    assert first == {
        "position": 0,
        "status": "failed",
        "exit_code": 4,
        "started_at": "2026-01-02T03:04:05.678Z",
        "finished_at": "2026-01-02T03:04:05.678Z",
        "trace_start": 10,
        "trace_end": 25,
    }
    assert (second["status"], third["status"], third["started_at"]) == ("canceled", "skipped", None)
