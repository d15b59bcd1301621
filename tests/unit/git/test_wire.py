"""The wire: pkt-lines, the beginning of a push, its report."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.git import pktline
from app.git.objects import ZERO_ID
from app.git.pktline import FLUSH, ProtocolError, Truncated, encode
from app.git.receive import (
    PushRequest,
    RefUpdate,
    Report,
    frame,
    one_line,
    parse_report,
    read_push,
    write_push,
    write_report,
)

IDS = st.text("0123456789abcdef", min_size=40, max_size=40)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs"), exclude_characters=" "), min_size=1, max_size=30)
UPDATES = st.lists(
    st.builds(RefUpdate, NAMES.map("refs/heads/".__add__), IDS, IDS), min_size=1, unique_by=lambda it: it.ref
)


def bands(answer: bytes) -> list[tuple[int, bytes]]:
    return [(line[0], line[1:]) for line in pktline.read_section(BytesIO(answer), 1 << 20)]


@given(st.lists(st.binary(max_size=200)))
def test_a_section_comes_back_as_it_was_written(lines: list[bytes]) -> None:
    stream = BytesIO(b"".join(map(encode, lines)) + FLUSH + b"rest")
    assert pktline.read_section(stream, 1 << 20) == lines
    assert stream.read() == b"rest"


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        lines = pktline.read_section(BytesIO(data), 1 << 20)
    except ProtocolError:
        return
    assert data.startswith(b"".join(map(encode, lines)) + FLUSH) or data == b""


@pytest.mark.parametrize("data", [b"000", b"0005", b"0008abc", b"0005a"])
def test_a_stream_that_breaks_off_is_truncated(data: bytes) -> None:
    with pytest.raises(Truncated):
        pktline.read_section(BytesIO(data), 100)


@pytest.mark.parametrize("data", [b"xxxx", b"0001", b"0003", b"+fff", b"-001", b" 1f "])
def test_a_length_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        pktline.read_section(BytesIO(data), 100)


def test_a_section_has_a_bound() -> None:
    with pytest.raises(ProtocolError):
        pktline.read_section(BytesIO(encode(b"x" * 60) * 2 + FLUSH), 100)


@given(st.binary(max_size=200_000))
def test_a_band_carries_everything_in_lines_that_git_takes(content: bytes) -> None:
    lines = list(pktline.band(pktline.DATA, content))
    assert all(len(line) <= 65520 for line in lines)
    assert b"".join(text for _, text in bands(b"".join(lines) + FLUSH)) == content


@given(UPDATES, st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=50)))
def test_what_git_is_given_means_what_the_client_said(updates: list[RefUpdate], options: list[str]) -> None:
    given_push = PushRequest(tuple(updates), ("report-status", "push-options", "agent=git/2"), tuple(options))
    assert read_push(BytesIO(write_push(given_push, updates) + b"PACK")) == given_push


def test_shallow_lines_and_refused_commands_are_told_apart() -> None:
    keep, drop = RefUpdate("refs/heads/a", ZERO_ID, "a" * 40), RefUpdate("refs/heads/b", ZERO_ID, "b" * 40)
    stream = encode(b"shallow " + b"c" * 40) + encode(f"{drop.old} {drop.new} {drop.ref}\0atomic".encode())
    request = read_push(BytesIO(stream + encode(f"{keep.old} {keep.new} {keep.ref}".encode()) + FLUSH))
    assert request.updates == (drop, keep)
    assert request.atomic
    again = read_push(BytesIO(write_push(request, [keep])))
    assert (again.updates, again.shallow, again.capabilities) == ((keep,), request.shallow, ("atomic",))


def test_bytes_that_are_no_utf8_come_back_in_the_report() -> None:
    line = b"0" * 40 + b" " + b"a" * 40 + b" refs/heads/\xff\0report-status"
    request = read_push(BytesIO(encode(line) + FLUSH))
    report = write_report(request, None, {request.updates[0].ref: "no"})
    assert encode(b"ng refs/heads/\xff no\n") in report


@pytest.mark.parametrize(
    "command",
    [
        b"push-cert\0 x",
        b"a b c",
        b"A" * 40 + b" " + b"a" * 40 + b" refs/x",
        b"0" * 40 + b" " + b"a" * 40,
        b"0" * 82 + b" x",
    ],
)
def test_commands_that_are_none_are_refused(command: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_push(BytesIO(encode(command) + FLUSH))


def test_a_ref_named_twice_is_refused() -> None:
    line = encode(b"0" * 40 + b" " + b"a" * 40 + b" refs/heads/x")
    with pytest.raises(ProtocolError):
        read_push(BytesIO(line + line + FLUSH))


def test_a_probe_has_no_updates() -> None:
    assert read_push(BytesIO(FLUSH)).updates == ()
    assert read_push(BytesIO(b"")).updates == ()


def test_one_report_tells_of_what_git_did_and_of_what_was_refused() -> None:
    names = ("report-status-v2", "side-band-64k")
    updates = tuple(RefUpdate(f"refs/heads/{name}", ZERO_ID, "a" * 40) for name in "abc")
    request = PushRequest(updates, names)
    said = (
        encode(b"unpack ok\n")
        + encode(b"ok refs/heads/c\n")
        + encode(b"option refname x\n")
        + encode(b"ng refs/heads/a why\n")
    )
    report = parse_report(said + FLUSH)
    written = write_report(request, report, {"refs/heads/b": "not\nyours\x1b"})
    assert pktline.read_section(BytesIO(written), 1000) == [
        b"unpack ok\n",
        b"ng refs/heads/a why\n",
        b"ng refs/heads/b not yours \n",
        b"ok refs/heads/c\n",
        b"option refname x\n",
    ]
    answer = bands(b"".join(frame(request, written, ["one", "two\x07"])))
    assert answer == [(pktline.PROGRESS, b"one\ntwo \n"), (pktline.DATA, written)]


def test_a_client_without_a_side_band_gets_the_report_alone_and_one_that_wants_none_gets_none() -> None:
    update = RefUpdate("refs/heads/a", ZERO_ID, "a" * 40)
    plain = PushRequest((update,), ("report-status",))
    report = write_report(plain, Report("ok", {}, True), {})
    assert b"".join(frame(plain, report, ["lost"])) == report != b""
    assert write_report(PushRequest((update,)), None, {}) == b""


def test_a_git_that_was_killed_is_reported_as_a_failure() -> None:
    report = parse_report(b"")
    assert not report.complete
    assert b"ng refs/heads/a" in write_report(
        PushRequest((RefUpdate("refs/heads/a", ZERO_ID, "a" * 40),), ("report-status",)), report, {}
    )


def test_a_pack_follows_unless_everything_is_deleted() -> None:
    delete, create = RefUpdate("refs/heads/a", "a" * 40, ZERO_ID), RefUpdate("refs/heads/b", ZERO_ID, "a" * 40)
    assert not PushRequest((delete,)).has_pack
    assert PushRequest((delete, create)).has_pack


@given(st.text())
def test_what_is_told_is_one_printable_line(text: str) -> None:
    assert one_line(text).isprintable()
