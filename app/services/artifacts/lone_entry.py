"""One file's entry out of a zip archive's list of files, without reading the list into objects.

`zipfile` makes an object of every entry before it finds one, which takes most of the time of sending a small file out
of an archive of thousands. Here the list is only walked over, and `zipfile` is then shown an archive with that one
entry in its list: what the entry means, and whether it can be trusted, stays its business.
"""

import io
import struct
from typing import BinaryIO

#: The end of an archive: signature, disks, entries, size and place of the list, length of the comment.
_END = struct.Struct("<4s4H2LH")
_END_MARK, _ENTRY_MARK = b"PK\x05\x06", b"PK\x01\x02"
#: An entry of the list up to its name: signature, flags, lengths of name, extra field and comment.
_ENTRY = struct.Struct("<4s4xH18x3H12x")
_UTF_8 = 0x800
_COMMENT = (1 << 16) - 1
#: What stands in a field whose value is in the records for large archives instead.
_ELSEWHERE, _MANY = 0xFFFFFFFF, 0xFFFF


def lone_entry(file: BinaryIO, path: str, longest: int) -> io.RawIOBase | None:
    """`file` as an archive with the one entry called `path`, the last where there are several.

    None where that is not for certain: no such entry, a list of more than `longest` bytes, an archive above 4 GiB or
    with more than 65,534 files, or one that is damaged. Then only the whole list can tell.
    """
    found = _find_end(file)
    if found is None:
        return None
    place, (_, _, _, _, count, size, offset, _) = found
    if count == _MANY or _ELSEWHERE in (size, offset) or size > min(longest, place):
        return None
    file.seek(place - size)
    entry = _walk(file.read(size), path)
    if entry is None:
        return None
    # The list's own place is kept, so that what stands before the archive shifts all places in it as it did before.
    end = _END.pack(_END_MARK, 0, 0, 1, 1, len(entry), offset, 0)
    return _Joined(file, place - size, entry + end)


def _find_end(file: BinaryIO) -> tuple[int, tuple[bytes, int, int, int, int, int, int, int]] | None:
    length = file.seek(0, io.SEEK_END)
    start = max(0, length - _COMMENT - _END.size)
    file.seek(start)
    tail = file.read(length - start)
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != _END_MARK or tail[-2:] != b"\0\0":
        at = tail.rfind(_END_MARK)
    if at < 0 or at + _END.size > len(tail):
        return None
    return start + at, _END.unpack_from(tail, at)


def _walk(entries: bytes, path: str) -> bytes | None:
    """The last entry whose name is `path`."""
    modern, old, at, found = _encoded(path, "utf-8"), _encoded(path, "cp437"), 0, None
    while at + _ENTRY.size <= len(entries):
        mark, flags, name, extra, comment = _ENTRY.unpack_from(entries, at)
        if mark != _ENTRY_MARK:
            return None
        start = at + _ENTRY.size
        end = start + name + extra + comment
        if entries[start : start + name] == (modern if flags & _UTF_8 else old):
            found = entries[at:end]
        at = end
    return found if at == len(entries) else None


def _encoded(path: str, encoding: str) -> bytes | None:
    try:
        return path.encode(encoding)
    except UnicodeEncodeError:
        return None


class _Joined(io.RawIOBase):
    """The first `length` bytes of `file`, then `tail`."""

    def __init__(self, file: BinaryIO, length: int, tail: bytes) -> None:
        self._file, self._length, self._tail, self._at = file, length, tail, 0

    def read(self, size: int = -1) -> bytes:
        end = self._length + len(self._tail)
        wanted = end - self._at if size < 0 else min(size, end - self._at)
        data = b""
        if wanted > 0 and self._at < self._length:
            self._file.seek(self._at)
            data = self._file.read(min(wanted, self._length - self._at))
        elif wanted > 0:
            data = self._tail[self._at - self._length :][:wanted]
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length + len(self._tail)}[whence]
        if base + offset < 0:
            raise OSError("a place before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
