"""Names and shapes of jobs: what is a job at all, and which words are its keywords (gitlab.md C.0 to C.2)."""

import pytest

from app.dialects.gitlab import keywords
from tests.unit.dialects.gitlab.answers import errors, jobs, warnings

NOT_A_JOB = "config should implement the script:, run:, or trigger: keyword"
BLANK = "config can't be blank"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: null", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: []", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: words", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: 3", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: {}", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: {stage: test}", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: {before_script: x}", [f"1:1: jobs a {NOT_A_JOB}"]),
        ("a: {scrpt: x}", [f"1:1: jobs a {NOT_A_JOB} (did you mean `script`?)"]),
        ("types: [a]\na: {script: x}", [f"1:1: jobs types {NOT_A_JOB}"]),
        ("stage: [a]\na: {script: x}", [f"1:1: jobs stage {NOT_A_JOB} (did you mean `stages`?)"]),
        (".a: {script: x}", ["1:1: jobs config should contain at least one visible job"]),
        ("stages: [test]", ["1:1: jobs config should contain at least one visible job"]),
        ("{}", ["1:1: jobs config should contain at least one visible job"]),
        ('"": {script: x}', ["1:1: jobs:job name can't be blank"]),
        ("~: {script: x}", ["1:1: jobs:job name can't be blank"]),
        (f"{'n' * 256}: {{script: x}}", [f"1:1: jobs:{'n' * 60}... name is too long (maximum is 255 characters)"]),
        (".h:\na: {script: x}", [f"1:1: jobs:.h {BLANK}"]),
        (".h: {}\n.i: []\na: {script: x}", [f"1:1: jobs:.h {BLANK}", f"2:1: jobs:.i {BLANK}"]),
        ("a: {script: x, type: test}", ["1:16: jobs:a config contains unknown keys: type"]),
        ("a: {script: }", ["1:5: jobs:a script can't be blank"]),
        ("a: {script: []}", ["1:13: jobs:a script can't be blank"]),
        ('a: {script: ""}', ["1:13: jobs:a script can't be blank"]),
        ("a: {script: x, stage: [b]}", ["1:23: jobs:a:stage config should be a string"]),
        ("a: {script: x, stage: 1}", ["1:23: jobs:a:stage config should be a string"]),
        (
            "stages: [one]\na: {script: x}",
            ["2:1: a job: chosen stage test does not exist; available stages are .pre, one, .post"],
        ),
        (
            "stages: [deploy]\na: {script: x, stage: deplay}",
            [
                (
                    "2:1: a job: chosen stage deplay does not exist; available stages are .pre, deploy, .post"
                    " (did you mean `deploy`?)"
                )
            ],
        ),
    ],
)
def test_what_is_no_job_is_named_at_its_place(text: str, expected: list[str]) -> None:
    assert errors(text) == expected


@pytest.mark.parametrize(("key", "name"), [("10", "10"), ("on", "true"), ("1.50", "1.5"), ("no", "false")])
@pytest.mark.parametrize("value", ["{script: x}", "{extends: .a}", "{script: !reference [.a, script]}"])
def test_a_name_that_yaml_reads_as_something_else_has_to_be_in_quotes(key: str, name: str, value: str) -> None:
    hidden = ".a: {script: x}\n"
    message = f"2:1: jobs:{name} name should be a symbol: put it in quotes, YAML reads it as something else"
    assert errors(f"{hidden}{key}: {value}") == [message]
    assert list(jobs(f'{hidden}"{key}": {value}')) == [key]


def test_a_name_may_have_255_characters_and_any_of_them() -> None:
    for name in ("n" * 255, "ä b:c/d [1]", "job 1/2", "a: [b, c]"):
        assert list(jobs(f'"{name}": {{script: x}}')) == [name]


@pytest.mark.parametrize("keyword", keywords.OR_JOBS)
def test_two_global_keywords_are_jobs_where_they_have_a_script(keyword: str) -> None:
    assert list(jobs(f"{keyword}: {{script: x}}")) == [keyword]


@pytest.mark.parametrize("keyword", sorted({*keywords.GLOBAL} - {*keywords.OR_JOBS, "include", "spec", "variables"}))
def test_the_other_global_keywords_are_never_jobs(keyword: str) -> None:
    assert errors(f"a: {{script: x}}\n{keyword}: {{script: x}}")


def test_hidden_jobs_may_be_anything_that_is_not_empty() -> None:
    assert list(jobs(".a: 3\n.b: [x]\n.c: {nonsense: {deep: 1}, stage: nowhere}\n.d: text\na: {script: x}")) == ["a"]


def test_a_key_that_is_written_twice_counts_once_and_is_warned_of() -> None:
    text = "a: {script: x, script: y}\na: {script: z}"
    assert jobs(text)["a"]["steps"][0]["script"] == ["z"]
    assert [line.partition(";")[0] for line in warnings(text)] == [
        "1:16: duplicate key `script`",
        "2:1: duplicate key `a`",
    ]


@pytest.mark.parametrize("keyword", [key for key in keywords.JOB if len(key) > 4])
def test_a_keyword_with_a_slip_is_named_with_the_one_that_is_near(keyword: str) -> None:
    slip = keyword[:2] + keyword[3:]
    assert errors(f"a:\n  script: x\n  {slip}: x") == [
        f"3:3: jobs:a config contains unknown keys: {slip} (did you mean `{keyword}`?)"
    ]


def test_a_script_with_a_slip_is_named_in_a_job_that_has_only_needs_besides() -> None:
    assert "2:3: jobs:a config contains unknown keys: scrpt (did you mean `script`?)" in errors(
        "a:\n  scrpt: x\n  needs: [b]\nb: {script: x}"
    )


@pytest.mark.parametrize("keyword", keywords.JOB)
def test_null_is_as_if_the_keyword_were_not_there(keyword: str) -> None:
    """`script`, `run` and `trigger` say that there is a job, and `rules` have to be there when they are named."""
    text = f"a:\n  script: x\n  {keyword}:\n"
    said = {"script": "jobs:a script can't be blank", "rules": "jobs:a:rules config can't be blank"}.get(keyword)
    assert [line.partition(": ")[2] for line in errors(text)] == ([said] if said else [])


def test_all_errors_of_a_file_are_said_at_once() -> None:
    text = "stages: 3\nimge: x\na:\n  script: {b: c}\n  tags: x\n  needs: [nobody]\nb: {script: x, when: later}\n"
    assert [line.split(": ")[0] for line in errors(text)] == ["1:9", "2:1", "3:1", "4:11", "5:9", "7:22"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("a: {extends: .gone}", "1:5: a: unknown keys in `extends` (.gone)"),
        ("a: {extends: 3}", "1:14: a: invalid value of `extends`: it should be a string or an array of strings"),
        ("a: {extends: a}", "1:5: a: circular dependency detected in `extends`"),
        ("a: {script: !reference [.gone, script]}", '1:13: !reference [".gone", "script"] could not be found'),
        (
            "a: {extends: .b}\n.b: {script: !reference [.c, d]}",
            '2:14: !reference [".c", "d"] could not be found',
        ),
    ],
)
def test_a_job_that_cannot_be_put_together_hides_no_error_of_others_and_makes_none(broken: str, said: str) -> None:
    """What extends it or needs it is not blamed for it."""
    others = "d: {extends: a, script: x}\ne: {script: x, needs: [a, d]}\nf: {script: x, tags: 3}"
    (first, second) = errors(f"{broken}\n{others}")
    assert first == said
    assert second.endswith("jobs:f:tags config should be an array of strings")


def test_stages_that_cannot_be_put_together_blame_no_job() -> None:
    assert errors("stages: !reference [.x, y]\na: {script: x, stage: q}") == [
        '1:9: !reference [".x", "y"] could not be found'
    ]


def test_jobs_extend_each_other_eleven_levels_deep_and_no_more() -> None:
    """What GitLab's handbook calls eleven levels: a job, ten that extend something too, and one that does not."""

    def chain(levels: int) -> str:
        lines = [f".j{level}: {{extends: .j{level + 1}}}\n" for level in range(1, levels)]
        return "a: {extends: .j1}\n" + "".join(lines) + f".j{levels}: {{script: x}}\n"

    assert errors(chain(11)) == []
    assert errors(chain(12)) == ["12:8: .j11: nesting too deep in `extends`"]


def test_a_circle_is_said_of_the_job_with_which_it_closes() -> None:
    text = "a: {extends: .b, script: x}\n.b: {extends: .c}\n.c: {extends: .b}\n"
    assert errors(text) == ["3:6: .b: circular dependency detected in `extends`"]
