"""Which lines of a log tell of an error, and which are new."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain import error_lines
from app.domain.error_lines import ErrorLine, new_error_lines, plain, signature, tells_of_error

BEFORE = """\
$ make test
2026-01-02T03:04:05Z warning: deprecated option
ERROR: flaky network, retrying in 3 s (attempt 1)
142 passed, 0 failed in 3.21s
""".splitlines()


def test_an_error_that_the_last_green_run_printed_too_is_not_new_whatever_its_numbers_are():
    now = [
        "$ make test",
        "ERROR: flaky network, retrying in 17 s (attempt 2)",
        "\x1b[31mE       AssertionError: expected 5, got 4\x1b[0m",
        "E       AssertionError: expected 7, got 9",
        "FAILED tests/test_shop.py::test_total - AssertionError",
        "1 failed, 141 passed in 3.30s",
    ]
    found = new_error_lines(now, BEFORE)
    assert found == [
        ErrorLine(2, "E       AssertionError: expected 5, got 4"),
        ErrorLine(4, "FAILED tests/test_shop.py::test_total - AssertionError"),
        ErrorLine(5, "1 failed, 141 passed in 3.30s"),
    ]


def test_lines_are_alike_when_only_numbers_times_addresses_and_temporary_names_differ():
    alike = [
        ("error at 0x7ffe12ab in 12 ms", "error at 0x11112222 in 9 ms"),
        ("cannot read commit 4f2a9c1b77e0", "cannot read commit 9e01aa42bc55"),
        ("id 7d444840-9dc0-11d1-b245-5ffdce74fad2", "id 00000000-9dc0-11d1-b245-5ffdce74fad2"),
        ("open /tmp/tmpab12/x failed", "open /tmp/build.QzW/x failed"),
        ("2026-01-02 03:04:05  fatal:   no", "2025-12-31 23:59:59 fatal: no"),
    ]
    for one, other in alike:
        assert signature(one) == signature(other), (one, other)
    for one, other in [("cannot open facade", "cannot open deadbeef"), ("no such file a", "no such file b")]:
        assert signature(one) != signature(other)


def test_good_news_is_no_error():
    for text in ("0 errors, 12 warnings", "Failures: 0", "no failures", "compiled mirror.c", "142 passed"):
        assert not tells_of_error(text), text
    for text in ("java.lang.NullPointerException: x", "fatal: bad object", "make: *** [all] Error 2", "E   assert 1"):
        assert tells_of_error(text), text


def test_a_line_is_what_people_saw_of_it():
    assert plain("2026-01-02T03:04:05.123456Z 01O \x1b[1merror\x1b[0m: x\r") == "error: x"
    assert plain("10 %\r50 %\rerror at 60 %") == "error at 60 %"
    assert plain("section_start:1700000000:build[collapsed=true]\r\x1b[0Kerror") == "error"


def test_only_the_last_kinds_are_told_and_each_line_is_cut(monkeypatch):
    monkeypatch.setattr(error_lines, "MOST_LINES", 2)
    lines = [f"error {chr(97 + number) * 600}" for number in range(5)]
    found = new_error_lines(lines, [])
    assert [line.number for line in found] == [3, 4]
    assert {len(line.text) for line in found} == {error_lines.LONGEST_LINE}


@given(st.lists(st.text()))
def test_a_log_has_nothing_new_against_itself(lines):
    assert new_error_lines(lines, lines) == []


def test_no_log_makes_the_comparison_slow():
    """Lines made so that a pattern that looks back would need their length squared: minutes instead of a moment."""
    hard = ["a" * 1000, "\x1b[" + "0" * 900, "section_start:1:" + "a" * 900, "0123456789" * 100, "no " * 300]
    assert new_error_lines([*hard * 400, "error"], hard) == [ErrorLine(2000, "error")]
