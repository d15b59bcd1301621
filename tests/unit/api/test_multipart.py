"""Multipart bodies as a stream: what comes out is what Werkzeug's own parser makes of them."""

import io
from typing import IO, Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from app.api.gitlab_v4.runner import multipart
from app.api.gitlab_v4.runner.multipart import Multipart

FILE = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
FIELD = b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
END = b"\r\n--B--\r\n"
LIMIT = 1 << 20


class Halting(io.RawIOBase):
    """A stream that gives at most `step` bytes at once."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = io.BytesIO(data), step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._data.readinto(memoryview(buffer)[: self._step])


def read(body: bytes, step: int = 1 << 20, limit: int = LIMIT) -> tuple[dict[str, str], list[tuple[Any, str, bytes]]]:
    """The fields, and (name of the part, name of the file, contents)."""
    files: list[tuple[Any, str, bytearray]] = []

    def on_file(part: str | None, name: str) -> multipart.Write:
        files.append((part, name, bytearray()))
        return files[-1][2].extend

    form = Multipart(cast(IO[bytes], Halting(body, step)), "B", limit, on_file)
    form.read()
    return form.fields, [(part, name, bytes(content)) for part, name, content in files]


def as_werkzeug(body: bytes) -> Any:
    parser = MultiPartParser(stream_factory=lambda *_, **__: io.BytesIO())
    form, files = parser.parse(io.BytesIO(body), b"B", len(body))
    return form.to_dict(), [(part, file.filename, file.read()) for part, file in files.items(multi=True)]


def outcome(parse: Any, body: bytes, *more: int) -> Any:
    try:
        return parse(body, *more)
    except ValueError:
        return "refused"


#: Of what a boundary consists, whole and in pieces, among other bytes.
SCRAPS = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"-", b"--", b"B", b"--B", b"\r\n--B", b"\r\n--B-", b" ", b"x", b"y" * 30]
)
CONTENT = st.lists(SCRAPS, max_size=12).map(b"".join)
PART = st.tuples(st.sampled_from([FILE, FIELD % b"one", FIELD % b"two"]), CONTENT).map(b"".join)


@settings(max_examples=40)
@given(
    st.lists(PART, max_size=4),
    st.sampled_from([END, b"\r\n--B--", b"\n--B--\n", b"", b"\r\n--B", b"\r\n--B--\r\nrest", b"\r\n--B \t--\r\n--B--"]),
    st.data(),
)
def test_whatever_comes_is_read_as_werkzeug_does(parts: list[bytes], end: bytes, data: st.DataObject) -> None:
    body = b"\r\n".join(parts) + end
    step = data.draw(st.sampled_from([7, 64, len(body) + 1]))
    with patch.object(multipart, "PIECE", data.draw(st.integers(500, 600))):
        assert outcome(read, body, step) == outcome(as_werkzeug, body)


def test_a_large_file_comes_as_it_was_sent() -> None:
    content = bytes(range(256)) * 2500 + b"\r\n--Bx" + bytes(range(255, -1, -1)) * 2500
    body = (
        FIELD % b"one" + b"1\r\n" + FILE + content + b"\r\n" + FIELD % b"two" + b"2\r\n" + FIELD % b"two" + b"3" + END
    )
    for step in (1000, 70_000, len(body)):
        assert read(body, step) == ({"one": "1", "two": "2"}, [("file", "a.zip", content)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no parts",
        FILE + b"x" * 500,
        FILE + b"x\r\n--B",
        FILE[:30],
        b"--B\r\nX: y\r\n\r\nz" + END,
        b"--B\r\nX: " + b"y" * multipart.PIECE,
    ],
)
def test_what_is_cut_off_or_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        read(body)


def test_fields_and_parts_are_limited() -> None:
    for body in (
        FIELD % b"one" + b"x" * 600 + b"\r\n" + FIELD % b"two" + b"x" * 600 + END,
        b"\r\n".join([FIELD % b"one" + b"x"] * 101) + END,
    ):
        with pytest.raises(RequestEntityTooLarge):
            read(body, 100, limit=1000)
