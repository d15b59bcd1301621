"""Configurations of many files, with inputs, references and templates: always answered, and merging loses nothing."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import compile_text
from tests.support.sources import FakeSources

NAMES = ("a.yml", "b.yml", "dir/c.yml")
declarations = st.sampled_from(
    (
        *("{default: text}", "{default: 'a, b'}", "{default: abc, regex: ^a}", "{default: x, options: [x, '1']}"),
        *("{default: 1, type: number}", "{default: true, type: boolean}", "{default: [x, y], type: array}"),
        *("{default: $CI_COMMIT_SHA}", "{rules: [{if: $NOBODY, default: a}, {options: [b], default: b}]}"),
        *("", "{default: 'a: b'}", "{default: [1], type: number}"),
    )
)
blocks = st.sampled_from(
    (
        "$[[ inputs.i ]]",
        "$[[inputs.i]]",
        '"$[[ inputs.i | expand_vars | truncate(0,3) ]]"',
        "$[[ inputs.i | split(',') ]]",
        "$[[ inputs.i[0] ]]",
        "$[[ component.name ]]",
        "$[[ nothing ]]",
        "plain",
    )
)
places = st.sampled_from(
    (
        "a.yml",
        "/b.yml",
        "'**.yml'",
        "{local: dir/c.yml}",
        "{local: b.yml, rules: [{exists: [none.yml]}]}",
        "{local: a.yml, inputs: {i: one}}",
        "{project: group/lib, file: a.yml, inputs: {i: [1]}}",
        "{project: group/lib, ref: v1, file: [a.yml, b.yml]}",
        "{component: ci.example.com/group/lib/part@~latest, inputs: {i: two}}",
        "https://example.com/a.yml",
        "{remote: https://example.com/none.yml}",
        "{template: Bash.gitlab-ci.yml}",
        "{local: b.yml, rules: [{exists: [a.yml]}]}",
        "{local: b.yml, rules: [{if: $NOBODY}]}",
        "{artifact: x, job: y}",
        "3",
    )
)
bodies = st.sampled_from(
    (
        "script: x",
        "{extends: .t, script: y}",
        "{extends: [.t, .u]}",
        "{script: !reference [.t, script]}",
        "{script: [!reference [.u, script], z], rules: !reference [.t, rules]}",
        "{script: x, variables: {A: $B, B: $A}}",
        "{script: x, needs: [job1]}",
        "{variables: {A: $B}, script: x, when: manual}",
        "{script: x, image: y, tags: [$CI_COMMIT_REF_NAME]}",
    )
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """One file: perhaps a header, perhaps includes, templates, and a few jobs."""
    header = f"spec: {{inputs: {{i: {draw(declarations)}}}}}\n---\n" if draw(st.booleans()) else ""
    lines = []
    if chosen := draw(st.lists(places, max_size=2)):
        lines.append(f"include: [{', '.join(chosen)}]")
    lines.append(".t: {script: [t], rules: [{when: always}], retry: 1}")
    lines.append(".u: {extends: .t, script: [u]}")
    for number in range(draw(st.integers(0, 2))):
        body = draw(bodies)
        lines.append(f"job{number}: " + (body if body.startswith("{") else f"{{{body}}}"))
    lines.append(f"last:\n  script:\n    - {draw(blocks)}")
    return header + "\n".join(lines) + "\n"


def compiled(text: str, others: tuple[str, str, str], given: dict[str, object]) -> Compilation:
    known = dict(zip(NAMES, others, strict=True))
    library = {"a.yml": others[0], "b.yml": others[1], "templates/part.yml": others[2]}
    sources = FakeSources(
        {"group/lib": {"main": library, "v1": library, "1.0.0": library}}, {"https://example.com/a.yml": others[0]}
    )
    context = CompileContext(
        read_file=known.get,
        list_files=lambda: dict.fromkeys(known, "0"),
        predefined={"CI_SERVER_FQDN": "ci.example.com"},
        sources=sources,
        inputs=given,
        render_merged=True,
    )
    return compile_text(".gitlab-ci.yml", text, context)


@settings(max_examples=150)
@given(files(), st.tuples(files(), files(), files()), st.sampled_from(({}, {"i": "x"}, {"i": [1]}, {"none": 1})))
def test_any_set_of_files_is_answered_and_its_merged_text_has_the_same_plan(
    text: str, others: tuple[str, str, str], given: dict[str, object]
) -> None:
    started = time.process_time()
    found = compiled(text, others, given)
    assert time.process_time() - started < 10
    assert found.plan is not None or found.errors or found.skipped_reason
    assert found.plan is None or not found.errors
    if found.plan is not None:
        assert found.merged is not None
        assert compiled(found.merged, others, {}).plan == found.plan


@given(st.text(st.sampled_from("spec:inu-\n -#{}[]$|.xa012'\""), max_size=80), st.text(max_size=20))
def test_any_text_behind_an_include_is_answered(text: str, value: str) -> None:
    found = compiled("include: [{local: a.yml, inputs: {i: v}}, b.yml]\nj: {script: x}", (text, value, ""), {})
    assert found.plan is not None or found.errors


@given(st.text(max_size=60))
def test_any_inputs_are_answered(value: str) -> None:
    text = "spec: {inputs: {i: {default: a}}}\n---\njob: {script: ['$[[ inputs.i ]]']}\n"
    found = compiled(text, ("", "", ""), {"i": value})
    assert found.plan is not None or found.errors
