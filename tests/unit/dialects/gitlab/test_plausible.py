"""Random configurations of the kind that people write: most have a plan, and every plan is sound."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.base import CompileContext
from app.dialects.gitlab import compile_text
from tests.unit.dialects.gitlab.soundness import assert_sound

NAMES = ("a", "b", "c", "d", "e")
STAGES = ("build", "test", "deploy")
conditions = st.sampled_from(("$CI_COMMIT_BRANCH", "$NOBODY", '$CI_COMMIT_REF_NAME == "main"', "$X =~ /^ab/", "!$X"))
rules = st.fixed_dictionaries(
    {},
    optional={
        "if": conditions,
        "changes": st.just(["src/*"]),
        "exists": st.just(["**/*.txt"]),
        "when": st.sampled_from(("on_success", "always", "never", "manual", "on_failure")),
        "allow_failure": st.booleans(),
        "variables": st.just({"X": "abc"}),
    },
).filter(bool)
parallel = st.integers(1, 3) | st.just({"matrix": [{"OS": ["x", "y"], "N": [1, 2]}, {"OS": "z"}]})


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, object]:
    """Jobs whose needs point to jobs before them, in stages that do not go backwards."""
    found: dict[str, object] = {"stages": list(STAGES), ".base": {"image": "base", "tags": ["t"]}}
    stages = sorted(draw(st.lists(st.integers(0, 2), min_size=1, max_size=len(NAMES))))
    for position, (name, stage) in enumerate(zip(NAMES, stages, strict=False)):
        job: dict[str, object] = {"stage": STAGES[stage], "script": ["x"]}
        earlier = NAMES[:position]
        if earlier and draw(st.booleans()):
            needed = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3))
            job["needs"] = [{"job": need, "optional": draw(st.booleans())} for need in needed]
        if draw(st.booleans()):
            job["rules"] = draw(st.lists(rules, min_size=1, max_size=3))
        if draw(st.booleans()):
            job["parallel"] = draw(parallel)
        if draw(st.booleans()):
            job["extends"] = ".base"
        found[name] = job
    return found


@settings(max_examples=200)
@given(configurations(), st.booleans(), st.none() | st.just(frozenset({"src/a"})) | st.just(frozenset()))
def test_every_plan_is_sound_and_every_refusal_is_about_absent_needs(
    configuration: dict[str, object], tag: bool, changed: frozenset[str] | None
) -> None:
    context = CompileContext(tag=tag, changed_files=changed, list_files=lambda: {"a.txt": "0"}, render_merged=True)
    text = yaml.safe_dump(configuration, sort_keys=False)
    found = compile_text(".gitlab-ci.yml", text, context)
    if found.plan is None:
        assert found.skipped_reason or {error.code for error in found.errors} == {"absent_need"}
        return
    assert_sound(found.plan)
    assert found.merged is not None
    assert compile_text(".gitlab-ci.yml", found.merged, context).plan == found.plan


@settings(max_examples=60)
@given(configurations())
def test_compiling_twice_gives_the_same(configuration: dict[str, object]) -> None:
    text = yaml.safe_dump(configuration, sort_keys=False)
    assert compile_text("f.yml", text, CompileContext()) == compile_text("f.yml", text, CompileContext())
