"""`rules`, `workflow`, `only` and `except`: who is part of a pipeline, and as what (gitlab.md C.4, C.5)."""

from typing import Any

import pytest

from tests.unit.dialects.gitlab.answers import compiled, errors, jobs, warnings

WHENS = "on_success, on_failure, always, never, manual, delayed"
REFS = "should be an array of strings or regular expressions using re2 syntax"
RULE = "jobs:a:rules:rule"
EITHER = "config must use exactly one of these keys: paths, regexp"
LISTS = "config should be an array containing hashes and arrays of hashes"


def included(text: str, **context: Any) -> bool:
    """Whether the job `a` is part of the pipeline; `b` always is."""
    found = jobs(f"a: {{script: x, {text}}}\nb: {{script: x, rules: [{{if: $CI}}]}}\n", **context)
    assert "b" in found
    return "a" in found


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("[]", ["1:23: jobs:a:rules config can't be blank"]),
        ("", ["1:16: jobs:a:rules config can't be blank"]),
        ("{if: $A}", [f"1:23: jobs:a:rules {LISTS}"]),
        ("$A", [f"1:23: jobs:a:rules {LISTS}"]),
        ("[$A]", [f"1:24: {RULE} config should be a hash"]),
        (f"{'[' * 11}{{}}{']' * 11}", [f"1:23: jobs:a:rules {LISTS}"]),
        ("[{}]", [f"1:24: {RULE} config can't be blank"]),
        ("[[{}]]", [f"1:25: {RULE} config can't be blank"]),
        ("[{if: $A ==}]", [f"1:29: {RULE} if invalid expression syntax: a value is missing"]),
        ("[{if: true}]", [f"1:29: {RULE} if invalid expression syntax: it should be a string"]),
        ("[{if: [$A]}]", [f"1:29: {RULE} if invalid expression syntax: it should be a string"]),
        ("[{iff: $A}]", [f"1:25: {RULE} config contains unknown keys: iff (did you mean `if`?)"]),
        (
            "[{when: nevr}]",
            [f"1:31: {RULE} when unknown value: nevr (did you mean `never`?); it should be one of: {WHENS}"],
        ),
        ("[{when: [never]}]", [f"1:31: {RULE} when unknown value: ['never']; it should be one of: {WHENS}"]),
        ("[{start_in: 1 day}]", [f"1:25: {RULE} config contains disallowed keys: start_in"]),
        ("[{when: always, start_in: 1 day}]", [f"1:39: {RULE} config contains disallowed keys: start_in"]),
        ("[{when: delayed}]", [f"1:24: {RULE} start in can't be blank: it should be a duration"]),
        ("[{when: delayed, start_in: soon}]", [f"1:50: {RULE} start in should be a duration"]),
        ("[{when: delayed, start_in: 8 days}]", [f"1:50: {RULE} start in should not exceed the limit"]),
        ("[{if: $A, allow_failure: maybe}]", [f"1:48: {RULE} allow failure should be a boolean value"]),
        ("[{if: $A, allow_failure: {exit_codes: 1}}]", [f"1:48: {RULE} allow failure should be a boolean value"]),
        ("[{if: $A, interruptible: 1}]", [f"1:48: {RULE} interruptible should be a boolean value"]),
        ("[{if: $A, needs: b}]", [f"1:40: {RULE}:needs config can only be a hash or an array"]),
        ("[{if: $A, needs: [b]}]", ["1:24: a job: undefined need: b"]),
        ("[{if: $A, variables: [b]}]", [f"1:44: {RULE}:variables config should be a hash of key value pairs"]),
        ("[{changes: b}]", [f"1:34: {RULE}:changes should be an array or a hash"]),
        ("[{exists: 1}]", [f"1:33: {RULE}:exists should be a string, an array of strings, or a hash"]),
        ("[{exists: [1]}]", [f"1:33: {RULE}:exists config should be an array of strings"]),
        ("[{exists: {project: b}}]", [f"1:33: {RULE}:exists {EITHER}"]),
        ("[{exists: {paths: [b], ref: c}}]", [f"1:51: {RULE}:exists config missing required keys: project"]),
        ("[{changes: {paths: [b], regexp: c}}]", [f"1:34: {RULE}:changes {EITHER}"]),
        ("[{changes: {paths: }}]", [f"1:42: {RULE}:changes paths should be an array of strings"]),
        ("[{changes: {regexp: [c]}}]", [f"1:43: {RULE}:changes regexp should be a string"]),
        ("[{changes: {regexp: a(}}]", [f"1:43: {RULE}:changes regexp is invalid: missing ): a("]),
        (
            f"[{{exists: {{regexp: {'b' * 256}}}}}]",
            [f"1:42: {RULE}:exists regexp is too long (maximum is 255 characters)"],
        ),
        ("[{changes: [1]}]", [f"1:34: {RULE}:changes config should be an array of strings"]),
        ("[{changes: {compare_to: main}}]", [f"1:34: {RULE}:changes {EITHER}"]),
        ("[{changes: {path: [b]}}]", [
            f"1:34: {RULE}:changes {EITHER}",
            f"1:35: {RULE}:changes config contains unknown keys: path (did you mean `paths`?)",
        ]),
        (f"[{{changes: [{'b, ' * 50}b]}}]", [f"1:34: {RULE}:changes config has too many entries (maximum 50)"]),
        (f"[{{exists: [{'b, ' * 50}b]}}]", [f"1:33: {RULE}:exists config has too many entries (maximum 50)"]),
        ("[{if: $A}], only: [main]", ["1:35: jobs:a config key may not be used with `rules`: only"]),
        ("[{if: $A}], except: [main]", ["1:35: jobs:a config key may not be used with `rules`: except"]),
        (
            "[{if: $A}], start_in: 1 day, when: delayed",
            ["1:35: jobs:a config key may not be used with `rules`: start_in"],
        ),
    ],
)  # fmt: skip
def test_rules_that_cannot_be(rules: str, expected: list[str]) -> None:
    assert errors(f"a: {{script: x, rules: {rules}}}") == expected


@pytest.mark.parametrize("key", ["only", "except", "start_in"])
def test_null_beside_rules_is_as_if_it_were_not_there(key: str) -> None:
    assert errors(f"a: {{script: x, rules: [{{if: $A}}], {key}: }}") == []


@pytest.mark.parametrize(
    ("job", "rule", "expected"),
    [
        ("", "if: $CI", {}),
        ("", "when: always", {"when": "always"}),
        ("", "when: on_failure", {"when": "on_failure"}),
        ("", "when: manual", {"when": "manual"}),
        ("", "when: manual, allow_failure: true", {"when": "manual", "allow_failure": True}),
        ("", "when: delayed, start_in: 2 days", {"when": "delayed", "start_in": 172800}),
        ("when: manual", "if: $CI", {"when": "manual", "allow_failure": True, "optional_start": True}),
        ("when: manual", "when: manual", {"when": "manual"}),
        ("when: manual", "when: on_success", {}),
        ("when: manual, allow_failure: false", "if: $CI", {"when": "manual"}),
        ("when: always", "if: $CI", {"when": "always"}),
        ("allow_failure: true", "when: manual", {"when": "manual", "allow_failure": True}),
        ("allow_failure: true", "allow_failure: false", {}),
        ("allow_failure: {exit_codes: 3}", "if: $CI", {"allow_failure_exit_codes": [3]}),
        ("allow_failure: {exit_codes: 3}", "allow_failure: true", {"allow_failure": True}),
        ("interruptible: false", "interruptible: true", {"interruptible": True}),
        ("interruptible: true", "interruptible: false", {}),
        ("interruptible: true", "if: $CI", {"interruptible": True}),
        ("variables: {A: 1, B: 2}", "variables: {B: 3, C: 4}", {"variables": [
            {"key": "A", "value": "1"}, {"key": "B", "value": "3"}, {"key": "C", "value": "4"},
        ]}),
        ("needs: [c]", "needs: [b]", {"needs": [{"job": "b"}]}),
        ("needs: [c]", "if: $CI", {"needs": [{"job": "c"}]}),
        ("", "needs: [{job: b, artifacts: false}]", {"needs": [{"job": "b", "artifacts": False}]}),
        ("needs: [c]", "needs: []", {"needs": []}),
    ],
)  # fmt: skip
def test_a_rule_changes_the_job(job: str, rule: str, expected: dict[str, Any]) -> None:
    comma = ", " if job else ""
    text = f"a: {{script: x{comma}{job}, rules: [{{{rule}}}, {{when: never}}]}}\nb: {{script: x}}\nc: {{script: x}}"
    found = jobs(text)["a"]
    assert {key: value for key, value in found.items() if key not in ("name", "stage", "steps")} == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("[{if: $NOBODY}]", False),
        ("[{if: $NOBODY}, {if: $CI}]", True),
        ("[{if: $CI, when: never}, {if: $CI}]", False),
        ("[{if: $NOBODY, when: never}, {if: $CI}]", True),
        ("[{when: never}]", False),
        ("[{if: $CI, changes: [src/*]}]", True),
        ("[{if: $CI, changes: [docs/*]}]", False),
        ("[{if: $NOBODY, changes: [src/*]}]", False),
        ("[{changes: [src/*], exists: [nowhere]}]", False),
        ("[{changes: [src/*], exists: [there.txt]}]", True),
        ("[{changes: ['*.py']}]", False),
        ("[{changes: ['**/*.py']}]", True),
        ("[{changes: ['src/{a,b}.py']}]", True),
        ("[{changes: ['src/[a-c].py']}]", True),
        ("[{changes: [src/?.py]}]", True),
        ("[{changes: [src]}]", False),
        ("[{changes: [/src/a.py]}]", False),
        ("[{changes: ['$DIR/*']}], variables: {DIR: src}", True),
        ("[{changes: ['**/.*']}]", True),
        ("[{changes: []}]", False),
        ("[{exists: there.txt}]", True),
        ("[{exists: {paths: [there.txt]}}]", True),
        ("[{exists: [folder]}]", False),
        ("[{exists: [folder/]}]", True),
        ("[{exists: ['*/']}]", True),
        ("[{exists: [there.txt/]}]", False),
        (r"[{exists: {regexp: '\.md\z'}}]", True),
        (r"[{exists: {regexp: '\A[^/]+\.md\z'}}]", False),
        (r"[{changes: {regexp: '\A(?!src/)'}}]", False),
        (r"[{changes: {regexp: '\A$CI_COMMIT_BRANCH/'}}]", False),
        (r"[{changes: {regexp: 'src/(a|$CI_COMMIT_BRANCH)\.py$'}}]", True),
        ("[{exists: [folder/*.md]}]", True),
        ("[{exists: ['*.md']}]", False),
        ("[[{if: $NOBODY}], [[{if: $CI}]]]", True),
        (f"{'[' * 10}{{if: $CI}}{']' * 10}", True),
    ],
)
def test_all_clauses_of_a_rule_have_to_hold_and_the_first_rule_counts(rules: str, expected: bool) -> None:
    files = {"there.txt": "0", "folder/a.md": "1"}
    changed = frozenset({"src/a.py", "src/.hidden"})
    assert included(f"rules: {rules}", changed_files=changed, list_files=lambda: files) is expected


def test_what_changed_is_unknown_or_nothing() -> None:
    rules = "rules: [{changes: [src/*]}]"
    assert included(rules, changed_files=None)
    assert not included(rules, changed_files=frozenset())


def test_a_pattern_is_looked_at_once_more_when_its_variables_are_known() -> None:
    text = "a: {script: x, variables: {V: '%s'}, rules: [{changes: {regexp: x$V}}]}\n"
    changed = frozenset({"src/a.py"})
    for value, problem in (
        ("v" * 255, "is too long (maximum is 255 characters after variable expansion)"),
        ("(", "is invalid: missing ): x("),
    ):
        (said,) = errors(text % value, changed_files=changed)
        assert said.partition(": ")[2] == f"Failed to parse rule for a: rules:changes:regexp {problem}"


@pytest.mark.parametrize(
    ("rules", "warned"),
    [
        ("[{when: always}]", True),
        ("[{if: $A}, {when: on_success}]", True),
        ("[{if: $A}, {when: never}]", False),
        ("[{when: always, allow_failure: true}]", False),
        ("[{if: $A, when: always}]", False),
    ],
)
def test_a_last_rule_that_lets_everything_in_is_warned_of(rules: str, warned: bool) -> None:
    text = f"a: {{script: x, rules: {rules}}}\n"
    said = (
        "jobs:a may allow multiple pipelines to run for a single action due to `rules:when` clause"
        " with no `workflow:rules`"
    )
    assert [line.partition(": ")[2] for line in warnings(text)] == ([said] if warned else [])
    assert warnings(text + "workflow: {rules: [{when: always}]}") == []


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        ("[a]", ["1:11: workflow config should be a hash"]),
        ("{rule: []}", ["1:12: workflow config contains unknown keys: rule (did you mean `rules`?)"]),
        ("{rules: []}", ["1:19: workflow:rules config can't be blank"]),
        (
            "{rules: [{when: on_success}]}",
            ["1:27: workflow:rules:rule when unknown value: on_success; it should be one of: always, never"],
        ),
        ("{rules: [{interruptible: true}]}", ["1:21: workflow:rules:rule config contains unknown keys: interruptible"]),
        (f"{{name: {'n' * 256}}}", ["1:18: workflow name is too long (maximum is 255 characters)"]),
        ('{name: ""}', ["1:18: workflow name is too short (minimum is 1 character)"]),
        ("{auto_cancel: none}", ["1:25: workflow:auto_cancel config should be a hash"]),
        (
            "{auto_cancel: {on_new_commit: all}}",
            ["1:41: workflow:auto_cancel on new commit must be one of: conservative, none, interruptible"],
        ),
        (
            "{auto_cancel: {on_job_failure: some}}",
            ["1:42: workflow:auto_cancel on job failure must be one of: none, all"],
        ),
    ],
)
def test_a_workflow_that_cannot_be(workflow: str, expected: list[str]) -> None:
    assert errors(f"workflow: {workflow}\na: {{script: x}}") == expected


@pytest.mark.parametrize("key", ["start_in: 1 day", "allow_failure: true", "needs: [b]"])
def test_what_means_nothing_in_a_rule_of_the_workflow_is_let_through(key: str) -> None:
    assert list(jobs(f"workflow: {{rules: [{{if: $CI, {key}}}]}}\na: {{script: x}}")) == ["a"]


def test_the_workflow_decides_whether_there_is_a_pipeline_and_what_it_is_called() -> None:
    text = (
        "workflow:\n  name: 'Build $CI_COMMIT_BRANCH ${MODE}'\n  auto_cancel: {on_job_failure: all}\n  rules:\n"
        "    - {if: $CI_COMMIT_TAG, when: never}\n"
        "    - {if: $CI_COMMIT_BRANCH, variables: {MODE: fast}, auto_cancel: {on_new_commit: interruptible}}\n"
        "variables: {MODE: slow}\na: {script: x, rules: [{if: $MODE == 'fast'}]}\n"
    )
    plan = compiled(text).plan
    assert plan is not None
    assert (plan.name, plan.auto_cancel_on_new_commit, plan.auto_cancel_on_job_failure) == (
        "Build main fast", "interruptible", "all",
    )  # fmt: skip
    assert compiled(text, tag=True, ref="v1").skipped_reason == "Pipeline filtered out by workflow rules."
    merge_request = compiled(text, source="merge_request_event")
    assert merge_request.skipped_reason == "Pipeline filtered out by workflow rules."


BRANCH: dict[str, Any] = {"ref": "main", "source": "push"}
TAG: dict[str, Any] = {"ref": "v1.2", "tag": True, "source": "push"}
MERGE: dict[str, Any] = {"ref": "feature/x", "source": "merge_request_event"}


@pytest.mark.parametrize(
    ("text", "branch", "tag", "merge"),
    [
        ("tags: []", True, True, False),
        ("only: [branches]", True, False, False),
        ("only: [tags]", False, True, False),
        ("only: [merge_requests]", False, False, True),
        ("only: [main]", True, False, False),
        ("only: [ain]", False, False, False),
        ("only: [/^MAIN$/i]", True, False, False),
        (r"only: ['/^v\d+\./']", False, True, False),
        ("only: [/feature/]", False, False, False),
        ("only: [pushes]", True, True, False),
        ("only: [push]", True, True, False),
        ("only: [schedules]", False, False, False),
        ("only: [main@group/project]", True, False, False),
        ("only: [main@other/project]", False, False, False),
        ("only: [branches@group/project]", True, False, False),
        ("only: []", False, False, False),
        ("only: {refs: [main]}", True, False, False),
        ("only: {variables: [$CI]}", True, True, False),
        ("only: {variables: [$NOBODY]}", False, False, False),
        ("only: {variables: [$NOBODY, $CI_COMMIT_TAG]}", False, True, False),
        ("only: {refs: [merge_requests], changes: [src/*]}", False, False, True),
        ("only: {refs: [merge_requests], changes: [docs/*]}", False, False, False),
        ("only: {changes: [src/*]}", True, True, False),
        ("except: [tags]", True, False, False),
        ("except: [main]", False, True, False),
        ("except: [branches, tags]", False, False, False),
        ("except: {variables: [$CI_COMMIT_TAG]}", True, False, False),
        ("except: {refs: [tags], variables: [$NOBODY]}", True, False, False),
        ("except: {changes: [src/*]}", False, False, False),
        ("only: [main, tags], except: [/^v1/]", True, False, False),
        ("only: [merge_requests], except: {changes: [docs/*]}", False, False, True),
    ],
)
def test_only_and_except_for_branches_tags_and_merge_requests(text: str, branch: bool, tag: bool, merge: bool) -> None:
    common: dict[str, Any] = {"project_path": "group/project", "changed_files": frozenset({"src/a"})}
    found = [included(text, **common, **context) for context in (BRANCH, TAG, MERGE)]
    assert found == [branch, tag, merge]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("web", ["web", "webs"]),
        ("schedule", ["schedules", "schedule"]),
        ("trigger", ["triggers"]),
        ("api", ["api"]),
        ("pipeline", ["pipelines"]),
        ("external", ["external"]),
        ("chat", ["chat"]),
        ("parent_pipeline", ["parent_pipelines"]),
        ("external_pull_request_event", ["external_pull_requests"]),
    ],
)
def test_only_by_what_started_the_pipeline(source: str, words: list[str]) -> None:
    for word in words:
        assert included(f"only: [{word}]", source=source), word
        assert not included(f"only: [{word}]", source="push"), word
        assert not included(f"except: [{word}]", source=source), word


def test_workflow_rules_take_the_place_of_the_default_only() -> None:
    workflow = "workflow: {rules: [{when: always}]}\n"
    for given in ("", ", except: [tags]", ", except: {variables: [$NOBODY]}"):
        text = f"a: {{script: x{given}}}\n"
        assert list(jobs(workflow + text, **MERGE)) == ["a"]
        assert list(jobs(text, **MERGE)) == []
    assert list(jobs(workflow + "a: {script: x, only: {variables: [$CI]}}", **MERGE)) == []


@pytest.mark.parametrize("key", ["only", "except"])
@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        ("1", 0, " has to be either an array of conditions or a hash"),
        ("[1]", 0, f" config {REFS}"),
        ("[[main]]", 0, f" config {REFS}"),
        ("{}", 0, " config can't be blank"),
        ("{ref: [main]}", 1, " config contains unknown keys: ref (did you mean `refs`?)"),
        ("{refs: 1}", 7, f" refs {REFS}"),
        ("{changes: a}", 10, " changes should be an array of strings"),
        ("{changes: {paths: [a]}}", 10, " changes should be an array of strings"),
        ("{variables: $A}", 12, " variables should be an array of strings"),
        (
            "{variables: [$A ==]}", 12, " variables invalid expression syntax in $A ==: a value is missing",
        ),
        ("{kubernetes: active}", 1, ": `kubernetes` is declined: jobs run in Podman here"),
    ],
)  # fmt: skip
def test_only_and_except_that_cannot_be(key: str, value: str, place: int, message: str) -> None:
    line = f"a: {{script: x, {key}: {value}}}"
    assert errors(line) == [f"1:{line.index(value) + 1 + place}: jobs:a:{key}{message}"]


@pytest.mark.parametrize("pattern", ["/(/", "/*invalid/", "/a**/"])
def test_a_ref_that_is_a_broken_pattern_is_refused(pattern: str) -> None:
    (said,) = errors(f'a: {{script: x, only: ["{pattern}"]}}')
    assert said.startswith(f"1:22: jobs:a:only config {REFS}: {pattern} is none: ")


def test_a_pipeline_of_nothing_but_the_edges_is_none() -> None:
    found = compiled("a: {script: x, stage: .pre}\nb: {script: x, stage: .post}")
    assert found.skipped_reason == "The pipeline would only have jobs in the stages .pre and .post."
    text = "a: {script: x, stage: .pre}\nb: {script: x, rules: [{when: never}]}"
    assert compiled(text).skipped_reason == found.skipped_reason
    assert list(jobs("a: {script: x, stage: .pre}\nb: {script: x}")) == ["a", "b"]
