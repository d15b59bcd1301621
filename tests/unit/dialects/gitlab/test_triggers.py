"""Whatever stands under `trigger` and `needs`: there is a plan or a reason, and what a child is given is read back."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.base import CompileContext
from app.dialects.gitlab import compile_text
from app.domain.plan import JobPlan
from app.domain.plan_json import from_json, to_json

texts = st.sampled_from(
    ("", "a", "g/p", "$X", "a.yml", "*/b.yml", "https://x/y.yml", "depend", "mirror", "\u00e9\u2028")
)
scalars = texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
keys = st.sampled_from(
    (
        *("project", "branch", "include", "strategy", "forward", "inputs", "local", "file", "ref", "artifact", "job"),
        *("yaml_variables", "pipeline_variables", "pipeline", "artifacts", "optional", "rules"),
    )
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


@given(trigger=values, needs=values, script=st.booleans())
@settings(max_examples=150)
def test_any_trigger_compiles_or_says_why_not(trigger, needs, script):
    job = {"trigger": trigger, "needs": needs} | ({"script": "x"} if script else {})
    text = yaml.safe_dump({"first": {"script": "x"}, "job": job}, allow_unicode=True)
    found = compile_text(".gitlab-ci.yml", text, CompileContext())
    assert (found.plan is not None) or found.errors
    for plan in found.plan.jobs if found.plan else ():
        assert from_json(JobPlan, to_json(plan)) == plan


# An input stands in the text of the child as it is (gitlab.md C.0): here behind a sign after which nothing is YAML.
words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)


@given(inputs=st.dictionaries(st.sampled_from(("one", "two")), words | st.integers(-9, 9) | st.booleans(), max_size=2))
def test_a_childs_configuration_reads_back_what_was_written(inputs):
    """It is kept as text: whatever an input holds, the child's own compiler finds the same in it."""
    include = {"local": "child.yml"} | ({"inputs": inputs} if inputs else {})
    text = yaml.safe_dump({"job": {"trigger": {"include": [include]}}}, allow_unicode=True)
    plan = compile_text(".gitlab-ci.yml", text, CompileContext()).plan
    declared = "".join(f"    {name}: {{type: {kind(value)}}}\n" for name, value in inputs.items())
    child = f"spec:\n  inputs:\n{declared}---\n" if inputs else ""
    child += "work:\n  script: x\n  variables:\n    A: b\n"
    child += "".join(f"    {name.upper()}: =$[[ inputs.{name} ]]\n" for name in inputs)
    context = CompileContext(read_file={"child.yml": child}.get)
    found = compile_text("trigger:include.yml", plan.jobs[0].trigger.configuration, context)
    assert found.errors == ()
    given = {one.key.lower(): one.value for one in found.plan.jobs[0].variables if one.key != "A"}
    assert given == {name: f"={shown(value)}" for name, value in inputs.items()}


def kind(value):
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int) else "string"


def shown(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
