"""The end mark in a stage's output."""

from hypothesis import given
from hypothesis import strategies as st

from runner.executor.podman_output import EndMark

TOKEN = "0123456789abcdef"
MARKISH = st.lists(
    st.sampled_from([b"\x1e", b"\x1e0123", b"\x1e" + TOKEN.encode(), b"\n", b"x", b" ", b"0", b"\x1e\x1e", b"\xff"]),
    max_size=12,
).map(b"".join)


def feed(mark: EndMark, data: bytes, sizes: list[int]) -> bytes:
    """What comes out when `data` goes in by pieces, up to the mark."""
    output, number, position = b"", 0, 0
    while position < len(data) and mark.status is None:
        size = sizes[number % len(sizes)]
        output += mark.feed(data[position : position + size])
        position, number = position + size, number + 1
    mark.rest += data[position:]
    return output


@given(MARKISH, MARKISH, st.integers(0, 255), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_output_comes_through_byte_for_byte_wherever_it_is_cut(
    before: bytes, after: bytes, status: int, sizes: list[int]
) -> None:
    end = f"\x1e{TOKEN} {status}\n".encode()
    if (b"\x1e" + TOKEN.encode() + b" ") in before + end[:-1].rstrip(b"0123456789")[:-1]:
        return  # the script guessed the token, which it cannot
    mark = EndMark(TOKEN)
    output = feed(mark, before + end + after, sizes)
    assert mark.status == status
    assert output == before
    assert mark.rest == after


@given(MARKISH, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_without_a_mark_everything_is_output_in_the_end(data: bytes, sizes: list[int]) -> None:
    mark = EndMark("another token")
    assert feed(mark, data, sizes) + mark.flush() == data
    assert mark.status is None


def test_a_status_that_is_no_number_is_a_failure() -> None:
    mark = EndMark(TOKEN)
    mark.feed(f"\x1e{TOKEN} what\n".encode())
    assert mark.status == 255


def test_a_mark_without_an_end_does_not_hold_back_forever() -> None:
    mark = EndMark(TOKEN)
    mark.feed(f"\x1e{TOKEN} ".encode() + b"9" * 100)
    assert mark.status is not None
