"""The index of a log leads to every line, whatever a job prints."""

import io
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.jobs import log_index
from app.services.jobs.log_index import BLOCK_LINES, LogIndex, build_index

_unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _index(data: bytes):
    return build_index(io.BytesIO(data))


def _check(data: bytes, index: LogIndex | None = None) -> None:
    index = index or _index(data)
    assert bool(index.blocks) == bool(data)
    if not data:
        return
    assert index.size == len(data)
    assert index.lines == data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)
    ends = [block.start for block in index.blocks[1:]] + [len(data)]
    for block, end in zip(index.blocks, ends, strict=True):
        assert block.line == data[: block.start].count(b"\n") + 1
        assert block.start == 0 or data[block.start - 1 : block.start] == b"\n"
        assert block.lines == data[block.start : end].count(b"\n") + (0 if data[end - 1 : end] == b"\n" else 1)


@_unhurried
@given(st.lists(st.sampled_from([b"\n", b"ab", b"\r", b"x" * 40, b"section_", b"\x1b[1m"]), max_size=60).map(b"".join))
def test_blocks_begin_with_lines_and_hold_what_they_say(data):
    whole = log_index.BLOCK_BYTES
    try:
        for size in (7, 32, whole):
            log_index.BLOCK_BYTES = size
            _check(data)
    finally:
        log_index.BLOCK_BYTES = whole


_PIECES = [
    b"\n",
    b"ab\n",
    b"\x1b[1m\n",
    b"\x1b[0m",
    b"section_start:1:a\r\n",
    b"section_end:2:a\r\n",
    b"section_start:3:b\r\n",
]


@_unhurried
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join), st.lists(st.integers(0, 400), max_size=3))
def test_an_index_that_is_added_to_piece_by_piece_says_the_same(data, cuts):
    whole = log_index.BLOCK_BYTES
    try:
        log_index.BLOCK_BYTES = 200
        index = LogIndex()
        for cut in [*sorted(cuts), len(data)]:
            index = build_index(io.BytesIO(data[:cut]), index)
            _check(data[:cut], index)
        assert index.sections == _index(data).sections
    finally:
        log_index.BLOCK_BYTES = whole


def test_a_long_line_is_a_block_of_its_own_and_is_not_kept_in_memory():
    data = b"first\n" + b"x" * 3_000_000 + b"\nlast\n"
    index = _index(data)
    _check(data)
    assert any(block.lines == 1 for block in index.blocks)


def test_a_line_without_end_is_not_read_again_and_again():
    class Counting(io.BytesIO):
        count = 0

        def read(self, size=-1, /):
            data = super().read(size)
            Counting.count += len(data)
            return data

    line, index = b"x" * 10_000_000, None
    for size in range(1_000_000, len(line) + 1, 1_000_000):
        index = build_index(Counting(line[:size]), index)
    assert Counting.count < 2 * len(line)
    index = build_index(Counting(line + b"\nnext\n"), index)
    index = build_index(Counting(line + b"\nnext\nlast"), index)
    assert [(block.start, block.line, block.lines) for block in index.blocks] == [
        (0, 1, 1),
        (len(line) + 1, 2, 1),
        (len(line) + 6, 3, 1),
    ]
    assert (index.size, index.lines) == (len(line) + 10, 3)


def test_a_log_of_empty_lines_has_blocks_of_a_bearable_size():
    index = _index(b"\n" * 300_000)
    assert index.lines == 300_000
    assert max(block.lines for block in index.blocks) <= BLOCK_LINES + 1


def test_sections_have_their_lines_and_times():
    index = _index(
        b"before\n"
        b"section_start:100:outer\r\x1b[0KOuter\n"
        b"section_start:101:inner[collapsed=true]\r\x1b[0KInner\nx\n"
        b"section_end:105:inner\r\x1b[0Ksection_end:107:outer\r\x1b[0Ksection_start:107:next\r\x1b[0KNext\n"
        b"section_end:1:never_opened\r\n"
    )
    found = [(one.name, one.line, one.end_line, one.started_at, one.ended_at, one.collapsed) for one in index.sections]
    assert found == [
        ("outer", 2, 5, 100, 107, False),
        ("inner", 3, 5, 101, 105, True),
        ("next", 5, None, 107, None, False),
    ]


def test_a_section_that_ends_takes_those_inside_with_it():
    index = _index(b"section_start:1:a\r\nsection_start:2:b\r\nsection_end:3:a\r\n")
    assert [(section.name, section.end_line) for section in index.sections] == [("a", 3), ("b", 3)]


def test_markers_that_are_none_are_not_taken_for_sections():
    assert _index(b"section_start:x:a\r\nsection_start:1:\r\nsection_start:1:a b\r\nsection_start:1:a\n").sections == []


def test_the_colour_in_force_is_told_for_each_block():
    line = b"y" * 1000 + b"\n"
    index = _index(b"\x1b[1m\x1b[0m\x1b[31m" + line * 100 + b"\x1b[0mplain\n" + line * 100)
    assert [block.style for block in index.blocks][:3] == ["", "\x1b[0m\x1b[31m", "\x1b[0m"]


def test_a_job_cannot_make_the_index_large_by_its_colours_or_sections():
    index = _index((b"\x1b[1m" * 50 + b"\n") * 2000 + b"section_start:1:a\r\n" * 20_000)
    assert all(len(block.style) <= 256 for block in index.blocks)
    assert len(index.sections) == log_index.MAX_SECTIONS


def test_a_log_of_50_mb_is_indexed_within_seconds():
    data = b"the quick brown seal slides over the wet rock and into the sea, again and again\n" * 640_000
    before = time.process_time()
    assert _index(data).lines == 640_000
    assert time.process_time() - before < 3
