"""Where a job failed, read from the end of its log."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.log_ending import LINES, LONGEST_COMMAND, Ending, read_ending

ECHO = b"\x1b[32;1m$ %s\x1b[0;m\n"
SCRIPT = b'section_start:5:step_script\r\x1b[0K\x1b[36;1mExecuting "step_script"\x1b[0;m\n'
AFTERWARDS = (
    b"section_end:9:step_script\r\x1b[0K\n"
    b"section_start:9:after_script\r\x1b[0KRunning after_script\n" + ECHO % b"tidy" + b"tidied\n"
    b"section_end:9:after_script\r\x1b[0K\nsection_start:9:upload_artifacts_on_failure\r\x1b[0KUploading\nuploaded\n"
    b"section_end:9:upload_artifacts_on_failure\r\x1b[0K\n\x1b[31;1mERROR: Job failed: exit code 2\x1b[0;m\n"
)
TIDY = b"section_start:3:cleanup_file_variables\r\x1b[0KTidying\nsection_end:3:cleanup_file_variables\r\x1b[0K\n"
STAMPED = b"2026-08-22T00:44:03.123456Z 01O "


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (b"", None),
        (b"\n \n", None),
        (b"one\n\ntwo", Ending(("one", "two"), 3, 1)),
        (SCRIPT + ECHO % b"make" + b"no rule\n", Ending(("Executing", "$ make", "no rule"), 3, 1, None, "make")),
        (
            SCRIPT + ECHO % b"make" + b"\x1b[31mno rule\x1b[0m\n" + AFTERWARDS,
            Ending(("Executing", "$ make", "no rule"), 12, 10, None, "make"),
        ),
        (
            b"section_start:1:get_sources\r\x1b[0KGetting\nfetched\nsection_end:2:get_sources\r\x1b[0K\n"
            + SCRIPT
            + ECHO % b"make"
            + b"section_start:6:units[collapsed=true]\r\x1b[0KUnits\nFAIL\n"
            + AFTERWARDS,
            Ending(("Executing", "$ make", "Units", "FAIL"), 13, 10, "units", "make"),
        ),
        (
            b"section_start:1:get_sources\r\x1b[0KGetting\nfatal: not found\nsection_end:2:get_sources\r\x1b[0K\n"
            + TIDY,
            Ending(("Getting", "fatal: not found"), 5, 4),
        ),
        (
            b"section_start:6:lint\r\x1b[0KLint\nfine\nsection_end:7:lint\r\x1b[0K\nbroken\n" + AFTERWARDS,
            Ending(("Lint", "fine", "broken"), 13, 10),
        ),
        (
            STAMPED + ECHO % b"make all # collapsed multi-line command" + STAMPED + b"10%\r100%\n",
            Ending(("$ make all # collapsed multi-line command", "100%"), 2, 1, None, "make all"),
        ),
    ],
    ids=[
        "nothing",
        "blank",
        "no marks",
        "cut off",
        "work afterwards",
        "own section",
        "sources",
        "cut start",
        "stamped",
    ],
)
def test_the_last_lines_the_section_and_the_command_of_what_failed_are_found(log, expected):
    found = read_ending(log)
    if found is not None:
        found = Ending(tuple(line.removesuffix(' "step_script"') for line in found.lines), *_rest(found))
    assert found == expected


def _rest(found: Ending) -> tuple[int, int, str | None, str | None]:
    return found.first, found.last, found.section, found.command


def test_only_the_last_lines_are_shown_and_a_long_command_is_cut():
    found = read_ending(ECHO % (b"x" * 500) + b"".join(b"line %d\n" % number for number in range(30)))
    assert found.lines == tuple(f"line {number}" for number in range(30 - LINES, 30))
    assert (found.first, found.last) == (LINES, 1)
    assert found.command == "x" * LONGEST_COMMAND


@given(
    st.lists(
        st.sampled_from(
            [
                b"\n",
                b"text",
                b"\r",
                b"section_start:1:a\r",
                b"section_end:1:a\r",
                b"section_end:2:after_script\r",
                b"\xff",
            ]
        ),
        max_size=30,
    ).map(b"".join)
)
def test_whatever_a_log_holds_no_line_is_counted_beyond_it(data):
    found = read_ending(data)
    assert found is None or 0 < found.last <= found.first <= data.count(b"\n") + 1


def test_a_line_full_of_beginnings_of_commands_takes_no_time():
    begun = time.process_time()
    found = read_ending(b"\x1b[32;1m$ " * 10_000)
    assert found is not None
    assert found.command is None
    assert time.process_time() - begun < 5  # it was 50 s, and grows with the square of the length


@pytest.mark.parametrize("end", ["\x1b[0;m", "\x1b[0m", " # collapsed multi-line command\x1b[0;m \r"], ids=range(3))
def test_a_command_is_told_however_its_line_ends(end):
    found = read_ending(f"\x1b[32;1m$ make \x1b[0m all{end}\nno rule\n".encode())
    assert found is not None
    assert found.command == "make  all"
