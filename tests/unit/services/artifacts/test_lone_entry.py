"""One entry of an archive's list: the same file that the whole list leads to, or none."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.artifacts.lone_entry import lone_entry

LONGEST = 1 << 20
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)


def pack(files, comment=b"", before=b""):
    packed = io.BytesIO(before)
    packed.seek(len(before))
    with zipfile.ZipFile(packed, "a" if before else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
        archive.comment = comment
    return packed


def read(packed, name):
    lone = lone_entry(packed, name, LONGEST)
    if lone is None:
        return None
    with zipfile.ZipFile(lone) as archive:
        assert len(archive.infolist()) == 1
        return archive.read(name)


#: One with the mark of an archive's end in it is more than `zipfile` can read.
COMMENTS = st.binary(max_size=30).filter(lambda comment: b"PK\x05\x06" not in comment)


@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=6), COMMENTS, st.binary(max_size=30))
def test_every_file_is_found_as_zipfile_finds_it(files, comment, before):
    packed = pack(files.items(), comment, before)
    with zipfile.ZipFile(packed) as archive:
        for info in archive.infolist():
            assert read(packed, info.filename) in (archive.read(info), None)
    for name, data in files.items():
        if name.isascii() and b"PK" not in comment + before:
            assert read(packed, name) == data
    assert read(packed, "none of these") is None


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_the_last_counts():
    assert read(pack([("a", b"first"), ("b", b"other"), ("a", b"last")]), "a") == b"last"


def test_a_name_in_the_old_writing_is_another_one():
    packed = pack([("größe", b"new"), ("x", b"")])
    assert read(packed, "größe") == b"new"
    data = bytearray(packed.getvalue())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8 : entry + 10] = struct.pack("<H", 0)
    assert read(io.BytesIO(bytes(data)), "größe") is None


def damaged(change):
    data = bytearray(pack([("a", b"text")]).getvalue())
    end = data.rindex(b"PK\x05\x06")
    change(data, end)
    return io.BytesIO(bytes(data))


def _set(kind, place, value):
    return lambda data, end: struct.pack_into(kind, data, end + place, value)


@pytest.mark.parametrize(
    "change",
    [
        _set("<H", 10, 0xFFFF),
        _set("<L", 12, 0xFFFFFFFF),
        _set("<L", 16, 0xFFFFFFFF),
        _set("<L", 12, 1000),
        _set("<L", 12, 40),
        lambda data, end: data.__setitem__(slice(end - 10, end), b""),
        lambda data, end: data.__setitem__(slice(end + 10, None), b""),
        lambda data, end: data.__setitem__(slice(0, None), b""),
    ],
    ids=["many", "large list", "far list", "long list", "short list", "cut list", "cut end", "empty"],
)
def test_where_only_the_whole_list_can_tell_there_is_none(change):
    assert lone_entry(damaged(change), "a", LONGEST) is None
    assert lone_entry(pack([("a", b"text")]), "a", 20) is None
