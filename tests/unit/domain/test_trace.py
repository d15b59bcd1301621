"""Pieces of a trace: whatever is resent, the bytes end up as they were (gitlab.md A.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trace import Append, Have, Mismatch, accept


@pytest.mark.parametrize(
    ("size", "start", "length", "expected"),
    [
        (0, 0, 10, Append(10)),
        (10, 10, 5, Append(15)),
        (10, 10, 0, Append(10)),
        (15, 10, 5, Have(15)),
        (15, 10, 4, Mismatch(15)),
        (15, 0, 20, Mismatch(15)),
        (15, 16, 1, Mismatch(15)),
        (15, 3, 0, Mismatch(15)),
    ],
)
def test_pieces_by_offset(size: int, start: int, length: int, expected: object) -> None:
    assert accept(size, start, length) == expected


@given(st.binary(max_size=200), st.lists(st.integers(1, 40), max_size=30), st.data())
def test_a_sender_that_goes_on_from_the_answer_gets_every_byte_across_once(text: bytes, sizes: list[int], data) -> None:
    stored = b""
    offset = 0
    for size in sizes:
        piece = text[offset : offset + size]
        answer = accept(len(stored), offset, len(piece))
        if isinstance(answer, Append):
            stored += piece
        assert answer.size == len(stored)
        lost_answer = data.draw(st.booleans())
        offset = offset if lost_answer and not isinstance(answer, Mismatch) else answer.size
    assert text.startswith(stored)
