"""Reports are inflated piece by piece, file by file."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidReport
from app.services.reports.report_files import PIECE, report_files


def files(data: bytes, file_format: str = "gzip", limit: int = 10_000_000) -> list[bytes]:
    return [b"".join(pieces) for pieces in report_files(io.BytesIO(data), file_format, limit)]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_each_member_is_a_file(contents: list[bytes]) -> None:
    assert files(b"".join(gzip.compress(content) for content in contents)) == contents


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
def test_any_size_comes_whole_and_in_bounded_pieces(size: int) -> None:
    data = bytes(size)
    [pieces] = [list(pieces) for pieces in report_files(io.BytesIO(gzip.compress(data)), "gzip", 10 * PIECE)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= PIECE for piece in pieces)


def test_zeros_behind_the_last_member_are_padding() -> None:
    assert files(gzip.compress(b"a", mtime=0) + bytes(3 * PIECE)) == [b"a"]
    assert files(gzip.compress(b"a", mtime=0) + bytes(10) + gzip.compress(b"b")) == [b"a", b"b"]


def test_raw_is_one_file() -> None:
    assert files(b"a" * 200_000, "raw") == [b"a" * 200_000]


@pytest.mark.parametrize("file_format", ["raw", "gzip"])
def test_all_files_together_are_bounded(file_format: str) -> None:
    data = b"x" * 600 if file_format == "raw" else gzip.compress(b"x" * 300) * 2
    assert sum(map(len, files(data, file_format, 600))) == 600
    with pytest.raises(InvalidReport, match="larger than 599 bytes"):
        files(data, file_format, 599)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"plain", "no gzip"),
        (gzip.compress(b"a", mtime=0) + b"junk", "no gzip"),
        (gzip.compress(b"a" * 1000, mtime=0)[:-1], "cut off"),
        (gzip.compress(b"a", mtime=0)[:-8] + bytes(8), "no gzip"),
    ],
)
def test_what_is_no_gzip_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidReport, match=words):
        files(data)


def test_other_formats_are_refused() -> None:
    with pytest.raises(InvalidReport, match="packed as zip"):
        files(b"", "zip")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = files(data)
    except InvalidReport:
        return
    assert all(isinstance(one, bytes) for one in found)
