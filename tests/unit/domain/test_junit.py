"""Promises of app.domain.junit."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import junit
from app.domain.junit import Case, Parser, UnreadableError


def read(*documents):
    parser = Parser()
    for document in documents:
        parser.read([document.encode() if isinstance(document, str) else document])
    return parser.cases


REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="5">
  <testsuite name="unit" file="tests/test_a.py" time="1.5">
    <properties><property name="x" value="y"/></properties>
    <testcase classname="tests.A" name="passes" time="0.25"/>
    <testcase classname="tests.A" name="fails" time="0.5" file="tests/b.py">
      <failure message="assert 1 == 2" type="AssertionError">line one
line &lt;two&gt;</failure>
      <system-out><![CDATA[printed <b>]]></system-out>
      <system-err>and this</system-err>
    </testcase>
    <testsuite name="inner">
      <testcase name="broke"><error message="only a message"/></testcase>
      <testcase name="left out"><skipped/></testcase>
    </testsuite>
  </testsuite>
  <testcase name="alone" time="1,234.5"/>
</testsuites>"""


def test_a_report_is_read_whole():
    assert read(REPORT) == [
        Case("unit", "tests.A", "passes", "tests/test_a.py", 0.25),
        Case("unit", "tests.A", "fails", "tests/b.py", 0.5, "failed", "line one\nline <two>", "printed <b>\nand this"),
        Case("inner", "", "broke", "", 0.0, "error", "only a message"),
        Case("inner", "", "left out", "", 0.0, "skipped"),
        Case("", "", "alone", "", 1234.5),
    ]


def test_it_may_come_in_any_pieces():
    parser = Parser()
    data = REPORT.encode()
    parser.read(data[place : place + 1] for place in range(len(data)))
    assert parser.cases == read(REPORT)


def test_documents_add_up():
    assert len(read(REPORT, REPORT)) == 10


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_encoding_is_the_documents_own(encoding):
    document = f'<?xml version="1.0" encoding="{encoding}"?><testcase name="é"/>'
    assert read(document.encode(encoding))[0].name == "é"


def test_a_failure_counts_more_than_an_error_and_that_more_than_a_skip():
    document = "<testcase><skipped/><error>e</error><failure>f</failure><error>late</error></testcase>"
    assert (read(document)[0].status, read(document)[0].output) == ("failed", "f")


def test_a_documents_that_is_no_report_has_no_cases():
    assert read("<html><failure>x</failure></html>") == []


BILLION = "<!DOCTYPE x [" + '<!ENTITY a0 "ha">'
BILLION += (
    "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};&a{n - 1};">' for n in range(1, 30)) + "]><testcase>&a29;</testcase>"
)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("<testsuite><testcase>", "no element found|unclosed"),
        ("nothing", "syntax error"),
        ("", "no element found"),
        ("<a/><b/>", "junk after document element"),
        ("<testcase>&undefined;</testcase>", "undefined entity"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding"),
        (b"<testcase name='\xff'/>", "not well-formed"),
        ("<a>" * 60 + "</a>" * 60, "nested more than 50 deep"),
        (BILLION, "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><testcase/>', "document type"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testcase>&e;</testcase>', "document type"),
    ],
)
def test_what_is_no_sound_xml_is_unreadable_and_says_why(document, words):
    with pytest.raises(UnreadableError, match=words):
        read(document)


def test_too_many_cases_are_refused(monkeypatch):
    monkeypatch.setattr(junit, "MOST_CASES", 3)
    assert len(read("<t>" + "<testcase/>" * 3 + "</t>")) == 3
    with pytest.raises(UnreadableError, match="more than 3 test cases"):
        read("<t>" + "<testcase/>" * 4 + "</t>")


def test_too_many_elements_are_refused(monkeypatch):
    monkeypatch.setattr(junit, "MOST_ELEMENTS", 10)
    with pytest.raises(UnreadableError, match="more than 10 elements"):
        read("<t>" + "<x/>" * 11 + "</t>")


def test_long_output_is_cut_off(monkeypatch):
    monkeypatch.setattr(junit, "MOST_OUTPUT", 40_000)
    case = "<testcase><failure>" + "x" * 100_000 + "</failure></testcase>"
    first, second, third, fourth = read("<t>" + case * 4 + "</t>")
    assert first.output == "x" * junit.LONGEST_OUTPUT + junit.CUT
    assert len(third.output) < junit.LONGEST_OUTPUT
    assert fourth.output == junit.CUT
    assert second.output == first.output


def test_long_names_are_cut_off():
    assert len(read(f"<testcase name='{'n' * 5000}'/>")[0].name) == junit.LONGEST_NAME


@pytest.mark.parametrize("seconds", ["", "soon", "nan", "inf", "-1", "1e400"])
def test_a_time_that_is_none_is_zero(seconds):
    assert read(f"<testcase time='{seconds}'/>")[0].seconds == 0.0


def test_the_time_grows_with_the_size():
    document = ("<t>" + "<testcase name='n'><failure>" + "y" * 200 + "</failure></testcase>" * 1 + "</t>") * 1
    many = "<t>" + "<testcase name='n' time='0.1'><failure>y</failure></testcase>" * 20_000 + "</t>"
    assert len(read(document)) == 1
    begun = time.monotonic()
    assert len(read(many)) == 20_000
    assert time.monotonic() - begun < 5


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    try:
        cases = read(data)
    except UnreadableError:
        return
    assert all(case.status in junit.STATUSES for case in cases)
