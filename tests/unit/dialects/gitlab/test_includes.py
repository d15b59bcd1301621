"""Many files, and the inputs between them: limits and the paths that scenarios do not reach."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import compile_text
from app.dialects.gitlab.interpolation import MOST_BLOCKS, MOST_TEXT


def compiled(text: str, files: dict[str, str] | None = None, **fields: object) -> Compilation:
    known = files or {}
    context = CompileContext(read_file=known.get, list_files=lambda: dict.fromkeys(known, ""), **fields)  # type: ignore[arg-type]
    return compile_text(".gitlab-ci.yml", text, context)


def messages(found: Compilation) -> list[str]:
    return [error.message for error in found.errors]


def script(found: Compilation) -> list[str]:
    assert found.plan is not None, found.errors
    return list(found.plan.jobs[0].steps[0].script)


def test_more_than_150_files_are_refused() -> None:
    files = {f"{number}.yml": "a: {script: x}" for number in range(151)}
    assert messages(compiled("include: '*.yml'", files)) == ["Maximum of 150 nested includes are allowed!"]


def test_files_that_include_each_other_are_refused() -> None:
    files = {"a.yml": "include: b.yml", "b.yml": "include: a.yml"}
    assert messages(compiled("include: a.yml", files)) == ["Maximum of 150 nested includes are allowed!"]


def test_files_that_include_two_others_again_and_again_are_stopped() -> None:
    files = {f"{number}.yml": f"include: [{number + 1}.yml, {number + 1}.yml]" for number in range(200)}
    started = time.process_time()
    assert "Maximum of 150 nested includes are allowed!" in messages(compiled("include: 0.yml", files))
    assert time.process_time() - started < 2


def test_large_files_included_again_and_again_are_stopped() -> None:
    files = {"big.yml": "# " + "x" * 2_000_000 + "\na: {script: x}"}
    started = time.process_time()
    found = compiled("include: [" + "big.yml, " * 100 + "]", files)
    assert "characters" in messages(found)[0]
    assert time.process_time() - started < 5


def test_an_error_in_an_included_file_is_shown_there() -> None:
    found = compiled("include: a.yml", {"a.yml": "job:\n  script: x\n  whenn: always\n"})
    assert str(found.errors[0]).startswith("a.yml:3:3: jobs:job config contains unknown keys: whenn")


SPEC = "spec:\n  inputs:\n    x: {spec}\n---\njob:\n  script:\n    - |-\n      =$[[ inputs.x{functions} ]]\n"


def with_input(spec: str, value: object, functions: str = "", **fields: object) -> Compilation:
    text = SPEC.replace("{spec}", spec).replace("{functions}", functions)
    return compiled(text, inputs={} if value is None else {"x": value}, **fields)


@pytest.mark.parametrize(
    ("functions", "value", "expected"),
    [
        ("", "a b", "a b"),
        (" | truncate(2, 3)", "abcdefg", "cde"),
        (" | truncate(9,3)", "abc", ""),
        (" | posix_escape", "a b'$(c)", "a\\ b\\'\\$\\(c\\)"),
        (" | posix_escape", "", "''"),
        (" | expand_vars", "$LEVEL-$NOBODY", "1-$NOBODY"),
        (" | expand_vars | truncate(0,1) | posix_escape", "$LEVEL!", "1"),
    ],
)
def test_functions_of_a_block(functions: str, value: str, expected: str) -> None:
    found = with_input("{}", value, functions, variables={"LEVEL": "1"})
    assert script(found) == [f"={expected}"]


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        ("", None, "`x` input: required value has not been provided"),
        ("{type: number}", "one", "`x` input: provided value is not a number"),
        ("{type: number}", True, "`x` input: provided value is not a number"),
        ("{type: number, default: a}", 1, "`x` input: default value is not a number"),
        ("{type: boolean}", 1, "`x` input: provided value is not a boolean"),
        ("{type: array}", "a", "`x` input: provided value is not an array"),
        ("{}", ["a"], "`x` input: provided value is not a string"),
        ("{default: [1]}", None, "`x` input: default value is not a string"),
        ("{regex: '('}", "b", "`x` input: invalid regular expression"),
        ("{type: number, regex: a}", 1, "`x` input: RegEx validation can only be used with string inputs"),
        ("{type: boolean, options: [true]}", True, "`x` input: Options can only be used with string and number inputs"),
        ("{type: array, options: [1]}", [1, 2], "`x` input: 2 cannot be used because it is not in the list of"),
        ("{type: number, options: [1]}", 2, "`x` input: `2` cannot be used because it is not in the list of"),
        ("{options: [~]}", "c", "header:spec:inputs:x config options array cannot contain null values"),
        ("{options: [" + "a, " * 51 + "]}", "a", "header:spec:inputs:x config cannot define more than 50 options"),
        ("{rules: [{options: [a]}], default: a}", "a", "header:spec:inputs:x config please use only one of the"),
        ("{rules: [{if: $A}]}", "a", "header:spec:inputs:x:rules:rule config rule with 'if' must define"),
        ("{rules: [{default: a}]}", "a", "header:spec:inputs:x:rules:rule config fallback rule must define"),
        ("{options: [a, b]}", "c", "`x` input: `c` cannot be used because it is not in the list of allowed options"),
        ("{regex: '^a+$'}", "b", "`x` input: provided value does not match required RegEx pattern"),
        ("{type: text}", "b", "header:spec:inputs:x input type unknown value: text"),
        ("{kind: text}", "b", "header:spec:inputs:x config contains unknown keys: kind"),
    ],
)
def test_inputs_that_do_not_fit(spec: str, value: object, message: str) -> None:
    assert any(found.startswith(message) for found in messages(with_input(spec, value)))


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        ("{type: number}", "3", "3"),
        ("{type: number}", 1.0, "1.0"),
        ("{type: boolean}", "true", "true"),
        ("{type: array}", '[1, "a"]', '[1,"a"]'),
        ("{}", 1, "1"),
        ("{}", False, "false"),
        ("{default: ~, options: ['']}", None, ""),
        ("{options: [1, 2]}", "2", "2"),
        ("{type: array, options: [1, 2]}", [2], "[2]"),
        ("{rules: [{if: $NOBODY, default: a}, {options: [b], default: b}]}", None, "b"),
    ],
)
def test_inputs_that_fit(spec: str, value: object, expected: str) -> None:
    assert script(with_input(spec, value)) == [f"={expected}"]


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (" | shout", "no function matching `shout`: check that the function name, arguments, and types are correct"),
        (" | truncate(1)", "no function matching `truncate(1)`"),
        (" | posix_escape" * 4, "too many functions in interpolation block"),
        (" | split('')", "error in `split` function: invalid argument: separator cannot be empty"),
        (" | split(',') | truncate(0,1)", "error in `truncate` function: invalid input type: truncate can only"),
        (".y", "unknown interpolation provided: `y` in `inputs.x.y`"),
        ("y", "unknown interpolation provided: `xy` in `inputs.xy`"),
        ("[0]", "cannot index into non-array value at [0] in `inputs.x[0]`"),
        ("[0", "invalid array index in `inputs.x[0`: missing closing bracket"),
        ("[a]", "invalid array index in `inputs.x[a]`: `a` is not a valid index"),
        ("[0]b", "invalid array index syntax in `inputs.x[0]b`"),
        ("[0]" * 6, "too many array indices in `inputs.x"),
    ],
)
def test_blocks_that_cannot_be(functions: str, message: str) -> None:
    assert messages(with_input("{}", "v", functions))[0].startswith(message)


def test_a_block_alone_keeps_the_type_and_inside_a_text_becomes_text() -> None:
    text = (
        "spec: {inputs: {n: {type: number}, list: {type: array}, loud: {type: boolean}}}\n---\n"
        "job$[[ inputs.n ]]:\n  script: $[[ inputs.list ]]\n  retry: $[[ inputs.n ]]\n"
        "  allow_failure: $[[ inputs.loud ]]\n  variables: {A: 'is $[[ inputs.n ]] $[[ inputs.list ]]'}\n"
    )
    found = compiled(text, inputs={"n": 1, "list": ["a", "b"], "loud": True})
    assert found.plan is not None, found.errors
    job = found.plan.jobs[0]
    assert (job.name, job.retry.max, job.allow_failure) == ("job1", 1, True)
    assert job.steps[0].script == ("a", "b")
    assert job.variables[0].value == 'is 1 ["a","b"]'


def test_inputs_that_fill_in_without_end_are_stopped() -> None:
    text = SPEC.replace("{spec}", "{}").replace("{functions}", "") + "  tags: [" + '"$[[ inputs.x ]]",' * 1000 + "]"
    found = compiled(text, inputs={"x": "y" * (MOST_TEXT // 500)})
    assert [error.code for error in found.errors] == ["too_large"]


@given(st.text(st.sampled_from("$[]inputs.x |,()truncae_vrpo"), max_size=40))
def test_any_block_is_answered(text: str) -> None:
    found = compiled("spec: {inputs: {x: }}\n---\njob: {script: ['a" + text + "']}", inputs={"x": "1"})
    assert found.plan is not None or found.errors


def test_references_into_each_other_that_multiply_are_stopped() -> None:
    levels = "".join(f".l{i}: {{s: [{', '.join([f'!reference [.l{i - 1}, s]'] * 9)}]}}\n" for i in range(1, 10))
    found = compiled(".l0: {s: [x]}\n" + levels + "job: {script: !reference [.l9, s]}")
    assert [error.code for error in found.errors] == ["too_large"]


def test_variables_of_many_jobs_that_grow_are_stopped() -> None:
    doubling = "variables:\n  V0: " + "x" * 1000 + "\n"
    doubling += "".join(f"  V{i}: '$V{i - 1}$V{i - 1}'\n" for i in range(1, 9))
    started = time.process_time()
    found = compiled(doubling + "".join(f"job{i}: {{script: x, tags: [$V0]}}\n" for i in range(1000)))
    assert [error.code for error in found.errors] == ["limit_exceeded"]
    assert time.process_time() - started < 10


def test_variables_in_a_circle_are_reported_for_the_job() -> None:
    found = compiled("job: {script: x, tags: [$A], variables: {A: $B, B: $A}}")
    assert messages(found)[0].startswith("job: circular variable reference detected: [")


def test_references_that_lead_deeper_and_deeper_are_stopped() -> None:
    opening, closing = "[" * 80, "]" * 80
    chain = "".join(f".r{i}: {{s: {opening}!reference [.r{i + 1}, s]{closing}}}\n" for i in range(9))
    found = compiled(chain + ".r9: {s: x}\njob: {script: !reference [.r0, s]}")
    assert [error.code for error in found.errors] == ["too_large"]


def test_files_nested_as_deep_as_allowed_that_are_deep_themselves_are_read() -> None:
    deep = "[" * 90 + "x" + "]" * 90
    condition = "(" * 48 + "$A" + ")" * 48
    files = {
        f"{i}.yml": (
            "spec: {inputs: {y: {default: z}}}\n---\n"
            f"include: {{local: {i + 1}.yml, rules: [{{if: '{condition} == null'}}]}}\n.deep{i}: {{s: {deep}}}\n"
        )
        for i in range(149)
    }
    found = compiled("include: 0.yml", {**files, "149.yml": "job: {script: x}"})
    assert found.plan is not None, found.errors
    too_deep = {**files, "149.yml": "include: 150.yml", "150.yml": "job: {script: x}"}
    assert messages(compiled("include: 0.yml", too_deep)) == ["Maximum of 150 nested includes are allowed!"]


def test_blocks_of_ten_thousand_kinds_are_stopped() -> None:
    blocks = "".join(f"# $[[ inputs.x{number} ]]\n" for number in range(MOST_BLOCKS + 1))
    found = compiled(
        "spec: {inputs: {" + ", ".join(f"x{n}: {{default: a}}" for n in range(MOST_BLOCKS + 1)) + "}}\n---\n" + blocks
    )
    assert "too many interpolation blocks" in messages(found)


def test_brackets_that_open_and_never_close_take_no_time() -> None:
    started = time.process_time()
    found = compiled("spec: {inputs: {x: {default: a}}}\n---\n# " + "$[[" * 500_000 + "\njob: {script: x}")
    assert found.plan is not None
    assert time.process_time() - started < 3


def test_a_message_names_no_masked_variable() -> None:
    context = CompileContext(variables={"TOKEN": "s3cret-token"}, masked=frozenset({"TOKEN"}))
    found = compile_text(".gitlab-ci.yml", "include: dir/$TOKEN.yml", context)
    assert messages(found) == ["Local file `dir/xxxxxxxxxxxx.yml` does not exist!"]
    text = "spec: {inputs: {x: {default: $TOKEN}}}\n---\njob: {script: $[[ inputs.x | expand_vars ]]}"
    assert "masked variables cannot be expanded" in messages(compile_text("f.yml", text, context))[0]


def test_comments_before_the_documents_are_none_of_them() -> None:
    text = "# a licence\n---\n# more\nspec: {inputs: {x: {default: a}}}\n---\njob: {script: $[[ inputs.x ]]}\n"
    assert script(compiled(text)) == ["a"]
    assert messages(compiled(text + "---\nmore: x")) == ["The parsed YAML has too many documents"]
    assert script(compiled("---\njob: {script: x}\n---\n")) == ["x"]
    ignored = compiled("job: {script: x}\n---\nother: {script: y}")
    assert [job.name for job in ignored.plan.jobs] == ["job"]  # type: ignore[union-attr]
    assert [found.line for found in ignored.warnings] == [2]


def test_a_file_that_includes_itself_with_rules_that_end_is_read() -> None:
    steps = (
        "spec: {inputs: {n: {type: string}}}\n---\n"
        'include: {local: a.yml, inputs: {n: done}, rules: [{if: \'"$[[ inputs.n ]]" == "start"\'}]}\n'
        "job $[[ inputs.n ]]: {script: x}\n"
    )
    found = compiled("include: {local: a.yml, inputs: {n: start}}", {"a.yml": steps})
    assert [job.name for job in found.plan.jobs] == ["job done", "job start"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        "a\n---\n" * 300_000,
        "---\n" * 400_000,
        "# " + "$[[" * 300_000 + "]]" * 300_000,
        "# $[[ inputs.x" + "|" * 1_000_000 + " ]]",
        "# $[[ inputs.x" + "[0]" * 300_000 + " ]]",
        "".join(f"# $[[ inputs.y{number} ]]\n" for number in range(9999)),
    ],
    ids=["documents", "empty documents", "open and close", "functions", "indices", "unknown names"],
)
def test_hostile_headers_and_blocks_are_answered_within_seconds(body: str) -> None:
    started = time.process_time()
    assert compiled(f"spec: {{inputs: {{x: {{default: a}}}}}}\n---\n{body}\na: {{script: x}}").errors
    assert time.process_time() - started < 5


def test_inputs_nested_beyond_measure_are_answered() -> None:
    deep: object = "x"
    for _ in range(5000):
        deep = [deep]
    found = compiled("spec: {inputs: {x: {type: array}}}\n---\na: {script: $[[ inputs.x ]]}", inputs={"x": deep})
    assert [error.code for error in found.errors] == ["too_large"]
