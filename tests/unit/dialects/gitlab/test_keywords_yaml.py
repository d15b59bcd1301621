"""The YAML that people write: how each thing is read on its way into a job (gitlab.md C.0)."""

import pytest

from tests.unit.dialects.gitlab.answers import errors, job, jobs, warnings


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "true"),
        ("Off", "false"),
        ("y", "y"),
        ("n", "n"),
        ("true", "true"),
        ("'yes'", "yes"),
        ("~", ""),
        ("null", ""),
        ("", ""),
        ("0644", "420"),
        ("0o644", "0o644"),
        ("0x1f", "31"),
        ("1_000", "1000"),
        ("010", "8"),
        ("09", "09"),
        ("1.10", "1.1"),
        ("'1.10'", "1.10"),
        ("1.2.3", "1.2.3"),
        ("1:30", "90"),
        ("2020-01-01", "2020-01-01"),
        ("12:30:45", "45045"),
        ("!!str 010", "010"),
        ("a # b", "a"),
        ("a#b", "a#b"),
        ("'it''s'", "it's"),
        (r'"tab\there"', "tab\there"),
        ("|\n      two\n      lines\n", "two\nlines\n"),
        (">-\n      two\n      lines\n", "two lines"),
    ],
)
def test_a_scalar_becomes_the_text_of_a_variable(written: str, value: str) -> None:
    assert job(f"a:\n  script: x\n  variables:\n    V: {written}\n")["variables"] == [{"key": "V", "value": value}]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa: {script: x}",
        "a:\r\n  script:\r\n    - x\r\n",
        "---\na: {script: x}\n",
        "--- # comment\na: {script: x}\n...\n",
        "%YAML 1.1\n---\na: {script: x}",
        '{"a": {"script": ["x"]}}',
        "a: {script: x} # comment",
        "? a\n: {script: x}",
        "a: &a\n  script: x\n",
    ],
)
def test_the_same_job_in_many_ways(text: str) -> None:
    assert jobs(text)["a"]["steps"] == [{"name": "script", "script": ["x"]}]


def test_keys_that_are_numbers_name_variables_all_the_same() -> None:
    assert job("a: {script: x, variables: {1: a, on: b}}")["variables"] == [
        {"key": "1", "value": "a"},
        {"key": "true", "value": "b"},
    ]


def test_anchors_and_merge_keys_work_inside_a_job() -> None:
    text = (
        ".base: &base {image: b, tags: [t]}\n.more: &more {tags: [u], retry: 1}\n.lines: &lines [x, y]\n"
        "a: {<<: *base, script: *lines}\n"
        "b: {<<: [*base, *more], script: [*lines, z], image: own}\n"
        "c: {script: z, tags: [own], <<: *more}\n"
    )
    found = jobs(text)
    assert (found["a"]["image"], found["a"]["tags"]) == ({"name": "b"}, ["t"])
    assert found["b"]["steps"][0]["script"] == ["x", "y", "z"]
    assert (found["b"]["image"], found["b"]["tags"], found["b"]["retry"]) == ({"name": "own"}, ["t"], {"max": 1})
    assert found["c"]["tags"] == ["u"]


def test_references_take_any_part_of_another_job() -> None:
    text = (
        ".s: {script: [a, b], variables: {V: 1, W: 2}, rules: [{if: $CI}], image: {name: i}}\n"
        "a:\n  script: [!reference [.s, script], c]\n  image: !reference [.s, image, name]\n"
        "  variables: {X: !reference [.s, variables, V]}\n  rules: [!reference [.s, rules], {when: never}]\n"
    )
    found = job(text)
    assert found["steps"][0]["script"] == ["a", "b", "c"]
    assert (found["image"], found["variables"]) == ({"name": "i"}, [{"key": "X", "value": "1"}])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n\tscript: x\n", "2:1"),
        ("a: {script: x\n", "2:1"),
        ("a:\n  script: x\n bad\n", "3:2"),
        ("a: {script: x: y}", "1:14"),
        ('a: {script: "x}', "1:16"),
        ("a: {script: @x}", "1:13"),
        ("a: {script: `x`}", "1:13"),
        ("a: {script: *nobody}", "1:13"),
        ("a: {script: !!python/object x}", "1:13"),
        ("a: {script: !ruby/object:Object x}", "1:13"),
        ("a: {script: !reference [.b, script]}", "1:13"),
        ("a: {script: !reference .b}", "1:13"),
        ("a: {script: 'x\x07'}", "1:15"),
    ],
)
def test_what_is_no_yaml_is_said_at_its_place(text: str, place: str) -> None:
    assert [said.split(": ")[0] for said in errors(text)] == [place]


def test_a_colon_in_a_line_of_a_script_is_explained() -> None:
    (said,) = errors("a:\n  script:\n    - echo one\n    - echo two: three\n")
    assert said == (
        "4:7: jobs:a:script config should be a string or a nested array of strings up to 10 levels deep;"
        " a line with `: ` in it is a mapping for YAML unless it stands in quotes"
    )


def test_a_key_in_a_merged_mapping_is_no_duplicate() -> None:
    assert warnings(".b: &b {image: b}\na: {<<: *b, script: x, image: c}") == []


def test_one_document_is_a_configuration_and_three_are_none() -> None:
    assert errors("a: {script: x}\n---\nb: {script: x}\n---\nc: {script: x}")
    assert list(jobs("spec: {}\n---\nb: {script: x}")) == ["b"]
