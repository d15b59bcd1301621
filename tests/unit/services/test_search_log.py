"""Searching in a log finds what a person would have seen."""

import io

from hypothesis import given
from hypothesis import strategies as st

from app.domain.plain_log import plain_lines
from app.services.jobs import search_log as searching
from app.services.jobs.search_log import Found, search_log

_PIECES = st.sampled_from([b"seal", b"SE", b"al", b"\x1b[1m", b"\n", b"\r", b" ", b"section_start:1:seal\r"])


@given(st.lists(_PIECES, max_size=60).map(b"".join), st.sampled_from([3, 16, 1 << 18]))
def test_every_line_that_holds_the_words_is_told_once_however_the_log_is_cut(data, piece):
    before = searching.PIECE
    searching.PIECE = piece
    try:
        found = search_log(io.BytesIO(data), "Seal")
    finally:
        searching.PIECE = before
    lines = plain_lines(data)
    assert found.lines == [number for number, line in enumerate(lines, 1) if "seal" in line.lower()]
    assert found.total == len(found.lines)
    assert found.scanned == len(lines)


def test_beyond_the_most_lines_are_counted_but_not_told():
    found = search_log(io.BytesIO(b"seal\nrock\n" * (searching.MOST + 5)), "seal")
    assert (len(found.lines), found.total) == (searching.MOST, searching.MOST + 5)
    assert found.lines[-1] == 2 * searching.MOST - 1


def test_no_words_find_nothing():
    assert search_log(io.BytesIO(b"text\n"), "") == Found()


def test_a_line_longer_than_memory_should_be_is_searched_in_its_beginning():
    log = b"start " + b"x" * (3 * searching.LONGEST_LINE) + b"\nend\n"
    assert search_log(io.BytesIO(log), "start").lines == [1]
    assert search_log(io.BytesIO(log), "end").lines == [2]
