"""A log's bytes as plain lines."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plain_log import LONGEST_LINE, plain_lines, plain_text


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb", ["a", "b"]),
        (b"10%\r50%\r100%\n", ["100%"]),
        (b"\x1b[31;1mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\n", ["red link"]),
        (b"section_start:1:build[collapsed=true]\r\x1b[0KHeader\n", ["Header"]),
        (b"section_end:1:a\r\x1b[0Ksection_start:2:b\r\x1b[0KNext\n", ["Next"]),
        (b"bad \xff utf-8 \x00\n", ["bad \ufffd utf-8 "]),
        ("\u202eevil\u2066\n".encode(), ["evil"]),
        (b"tab\there\n", ["tab\there"]),
        (b"abc\b\bX", ["aXc"]),
        (b"abc\b\b\x1b[K", ["a"]),
        (b"work |\b/\b-\b\\\b \bdone\n", ["work done"]),
        (b"_\bb_\bo_\bl_\bd", ["bold"]),
        (b"\b\b\x1b[31ma\x1b[0mb\x1b[1m\b\bc\x1b[0m", ["cb"]),
        (b"10%\b\b\b20%\r30%\r\b\n", ["30%"]),
        ("\u00e9\U0001f600\bx".encode(), ["\u00e9x"]),
        (b"2026-08-22T00:44:03.123456Z 01O a\bb", ["b"]),
        (b"2026-08-22T00:44:03.123456Z 01O \x1b[1mtext\x1b[0m\n", ["text"]),
        (b"2026-08-22T00:44:03.123456Z 00E+section_start:1:a\rHeader\r\n", ["Header"]),
    ],
)
def test_only_what_a_person_would_have_seen_is_left(data, lines):
    assert plain_lines(data) == lines


def test_a_very_long_line_is_cut():
    assert plain_lines(b"x" * 10_000_000) == ["x" * LONGEST_LINE]


@given(st.binary(max_size=300))
def test_no_control_character_is_left_and_every_line_is_there(data):
    lines = plain_lines(data)
    assert len(lines) == data.count(b"\n") + (0 if not data or data.endswith(b"\n") else 1)
    assert not any(ord(character) < 32 and character != "\t" for line in lines for character in line)


_PIECES = st.sampled_from(
    [
        "text",
        "2026-08-22T00:44:03.123456Z 01O ",
        "\x1b[31m",
        "\x1b]8;;x\x07",
        "\r",
        "\b",
        "\x1b[K",
        "\n",
        "section_end:1:a\r",
        "é",
        "\x00",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_much_text_at_once_has_the_same_lines(text):
    data = text.encode()
    lines = plain_text(data).split("\n")
    assert lines == [*plain_lines(data), *([""] if not data or data.endswith(b"\n") else [])]


def test_a_line_full_of_beginnings_of_markers_takes_no_time():
    line = b"section_start:1:a[" * 14_000 + b"\x01"
    begun = time.process_time()
    assert plain_text(line).count("section_start") == 14_000
    assert time.process_time() - begun < 5  # it was 20 s, and grows with the square of the length


def test_a_line_full_of_backspaces_takes_no_time():
    begun = time.process_time()
    assert plain_text(b"ab\b" * 300_000) == "a" * 300_000 + "b"
    assert time.process_time() - begun < 5
