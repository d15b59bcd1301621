"""What each keyword of a job takes, and what it says to the rest: one line of a table for each (gitlab.md C.2)."""

from typing import Any

import pytest

from tests.unit.dialects.gitlab.answers import errors, job, jobs

NESTED = "a string or a nested array of strings up to 10 levels deep"
TAGS = "[" + ", ".join(f"t{number}" for number in range(49)) + "]"


def in_job(line: str) -> str:
    return f"a:\n  script: x\n  {line}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("image: ruby:3", {"image": {"name": "ruby:3"}}),
        ("image: {name: $IMAGE}", {"image": {"name": "$IMAGE"}}),
        ("image: {name: a, entrypoint: []}", {"image": {"name": "a", "entrypoint": []}}),
        ("image: {name: a, entrypoint: [b, c]}", {"image": {"name": "a", "entrypoint": ["b", "c"]}}),
        ("image: {name: a, pull_policy: always}", {"image": {"name": "a", "pull_policy": ["always"]}}),
        (
            "image: {name: a, pull_policy: [never, if-not-present]}",
            {"image": {"name": "a", "pull_policy": ["never", "if-not-present"]}},
        ),
        (
            "image: {name: a, docker: {user: dave, platform: arm64}}",
            {"image": {"name": "a", "user": "dave", "platform": "arm64"}},
        ),
        ("services: []", {"services": None}),
        ("services: [redis:7]", {"services": [{"image": {"name": "redis:7"}, "aliases": ["redis"]}]}),
        (
            "services: [host:5000/a/b:1]",
            {"services": [{"image": {"name": "host:5000/a/b:1"}, "aliases": ["host:5000__a__b", "host:5000-a-b"]}]},
        ),
        (
            "services: [{name: a/b, alias: db, command: [run], entrypoint: [sh], variables: {V: 1}}]",
            {
                "services": [
                    {
                        "image": {"name": "a/b", "entrypoint": ["sh"]},
                        "aliases": ["db"],
                        "command": ["run"],
                        "variables": [{"key": "V", "value": "1"}],
                    }
                ]
            },
        ),
        ("tags: []", {"tags": None}),
        ("tags: [a, b, a]", {"tags": ["a", "b"]}),
        (f"tags: {TAGS}", {"tags": [f"t{number}" for number in range(49)]}),
        ("tags: [$CI_JOB_NAME, 'x-${NOBODY}']", {"tags": ["a", "x-${NOBODY}"]}),
        ("allow_failure: true", {"allow_failure": True}),
        ("allow_failure: false", {"allow_failure": None}),
        ("allow_failure: {}", {"allow_failure": None}),
        ("allow_failure: {exit_codes: 137}", {"allow_failure": None, "allow_failure_exit_codes": [137]}),
        ("allow_failure: {exit_codes: [1, 2]}", {"allow_failure": None, "allow_failure_exit_codes": [1, 2]}),
        ("retry: 0", {"retry": None}),
        ("retry: 2", {"retry": {"max": 2}}),
        ("retry: {max: 1, when: script_failure}", {"retry": {"max": 1, "when": ["script_failure"]}}),
        (
            "retry: {max: 2, when: [always, runner_system_failure]}",
            {"retry": {"max": 2, "when": ["always", "runner_system_failure"]}},
        ),
        ("retry: {max: 2, exit_codes: 137}", {"retry": {"max": 2, "when": [], "exit_codes": [137]}}),
        (
            "retry: {max: 2, exit_codes: [1, 2], when: always}",
            {"retry": {"max": 2, "exit_codes": [1, 2]}},
        ),
        ("timeout: 3h 30m", {"timeout": 12600}),
        ("timeout: 1 month", {"timeout": 30 * 24 * 3600}),
        ('timeout: "90"', {"timeout": 90}),
        ("when: always", {"when": "always"}),
        ("when: on_failure", {"when": "on_failure"}),
        ("when: manual", {"when": "manual", "allow_failure": True}),
        ("when: manual\n  allow_failure: false", {"when": "manual", "allow_failure": None}),
        ("when: delayed\n  start_in: 1 week", {"when": "delayed", "start_in": 604800, "allow_failure": None}),
        ("interruptible: true", {"interruptible": True}),
        ("interruptible: on", {"interruptible": True}),
        ("interruptible: no", {"interruptible": None}),
        ("resource_group: $CI_JOB_NAME-$NOBODY", {"resource_group": "a-"}),
        ('resource_group: ""', {"resource_group": None}),
        ("manual_confirmation: Really?", {"manual_confirmation": "Really?"}),
        (
            "hooks: {pre_get_sources_script: [a, [b]]}",
            {"hooks": [{"name": "pre_get_sources_script", "script": ["a", "b"], "phase": "pre_get_sources"}]},
        ),
        ("dependencies: []", {"dependencies": []}),
        ("variables: {A: b, N: 1, F: 1.5, T: yes, E: }", {"variables": None}),
        ("stage: .pre\nb: {script: x}", {"stage": ".pre"}),
    ],
)
def test_a_value_as_it_should_be(line: str, expected: dict[str, Any]) -> None:
    if line.startswith("variables"):
        expected = {
            "variables": [
                {"key": key, "value": value}
                for key, value in (("A", "b"), ("N", "1"), ("F", "1.5"), ("T", "true"), ("E", ""))
            ]
        }
    found = jobs(in_job(line))["a"]
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("before_script: {a: b}", ["3:18: jobs:a:before_script config should be " + NESTED]),
        ("before_script: 3", ["3:18: jobs:a:before_script config should be " + NESTED]),
        ("after_script: [3]", ["3:17: jobs:a:after_script config should be " + NESTED]),
        (f"before_script: {'[' * 11}x{']' * 11}", ["3:18: jobs:a:before_script config should be " + NESTED]),
        ("image: []", ["3:10: jobs:a:image config should be a hash or a string"]),
        ('image: ""', ["3:10: jobs:a:image name can't be blank"]),
        ("image: {entrypoint: [a]}", ["3:10: jobs:a:image name can't be blank"]),
        ("image: {name: [a]}", ["3:17: jobs:a:image name should be a string"]),
        ("image: {name: a, entrypoint: b}", ["3:32: jobs:a:image entrypoint should be an array of strings"]),
        ("image: {name: a, ports: [80]}", ["3:20: jobs:a:image config contains unknown keys: ports"]),
        ("image: {name: a, pull_policy: []}", ["3:33: jobs:a:image:pull_policy config can't be blank"]),
        (
            "image: {name: a, pull_policy: alway}",
            [
                (
                    "3:33: jobs:a:image:pull_policy config is not included in the list: alway (did you mean `always`?);"
                    " it should be one of: always, if-not-present, never"
                )
            ],
        ),
        ("services: redis", ["3:13: jobs:a:services config should be an array"]),
        ("services: [[redis]]", ["3:14: jobs:a:services:service config should be a hash or a string"]),
        ("services: [{alias: a}]", ["3:14: jobs:a:services:service name can't be blank"]),
        ("services: [{name: a, command: b}]", ["3:33: jobs:a:services:service command should be an array of strings"]),
        ("services: [{name: a, alias: [b]}]", ["3:31: jobs:a:services:service alias should be a string"]),
        ("tags: a", ["3:9: jobs:a:tags config should be an array of strings"]),
        ("tags: [1]", ["3:9: jobs:a:tags config should be an array of strings"]),
        (f"tags: {TAGS[:-1]}, more]", ["3:9: jobs:a:tags config must be less than the limit of 50 tags"]),
        ("allow_failure: maybe", ["3:18: jobs:a:allow_failure config should be a hash or a boolean value"]),
        (
            "allow_failure: {exit_codes: [a]}",
            ["3:32: jobs:a:allow_failure exit codes should be an array of integers or an integer"],
        ),
        ("allow_failure: {codes: 1}", ["3:19: jobs:a:allow_failure config contains unknown keys: codes"]),
        ("retry: 3", ["3:10: jobs:a:retry config must be less than or equal to 2"]),
        ("retry: -1", ["3:10: jobs:a:retry config must be greater than or equal to 0"]),
        ("retry: 1.5", ["3:10: jobs:a:retry config has to be either an integer or a hash"]),
        ('retry: "1"', ["3:10: jobs:a:retry config has to be either an integer or a hash"]),
        ("retry: {max: 3}", ["3:16: jobs:a:retry max must be less than or equal to 2"]),
        ("retry: {max: a}", ["3:16: jobs:a:retry max is not a number"]),
        ("retry: {max: 1.5}", ["3:16: jobs:a:retry max must be an integer"]),
        ("retry: {times: 1}", ["3:11: jobs:a:retry config contains unknown keys: times"]),
        ("retry: {when: b}", ["3:17: jobs:a:retry when is not included in the list: unknown value: b"]),
        ("retry: {when: [always, b]}", ["3:17: jobs:a:retry when contains unknown values: b"]),
        ("retry: {when: [1]}", ["3:17: jobs:a:retry when should be an array of strings or a string"]),
        (
            "retry: {exit_codes: b}",
            ["3:23: jobs:a:retry exit codes should be an array of integers or an integer"],
        ),
        ("timeout: 100", ["3:12: jobs:a:timeout config should be a duration"]),
        ("timeout: soon", ["3:12: jobs:a:timeout config should be a duration"]),
        ("timeout: 2 months", ["3:12: jobs:a:timeout config should not exceed the limit"]),
        (
            "when: never",
            ["3:9: jobs:a when should be one of: on_success, on_failure, always, manual, delayed"],
        ),
        ("when: delayed", ["3:3: jobs:a start in should be a duration"]),
        ("when: delayed\n  start_in: soon", ["4:13: jobs:a start in should be a duration"]),
        ("when: delayed\n  start_in: 8 days", ["4:13: jobs:a start in should not exceed the limit"]),
        ("start_in: 1 day", ["3:3: jobs:a start in must be blank"]),
        ("when: manual\n  start_in: 1 day", ["4:3: jobs:a start in must be blank"]),
        ("interruptible: maybe", ["3:18: jobs:a:interruptible config should be a boolean value"]),
        ("interruptible: 1", ["3:18: jobs:a:interruptible config should be a boolean value"]),
        ("resource_group: [a]", ["3:19: jobs:a resource group should be a string"]),
        ("hooks: [a]", ["3:10: jobs:a:hooks config should be a hash"]),
        (
            "hooks: {pre_get_source_script: a}",
            [
                (
                    "3:11: jobs:a:hooks config contains unknown keys: pre_get_source_script"
                    " (did you mean `pre_get_sources_script`?)"
                )
            ],
        ),
        ("dependencies: a", ["3:17: jobs:a dependencies should be an array of strings"]),
        ("dependencies: [b]", ["1:1: a job: undefined dependency: b"]),
        ("dependencies: [.h]\n.h: {script: x}", ["1:1: a job: undefined dependency: .h"]),
        ("extends: 3", ["3:12: a: invalid value of `extends`: it should be a string or an array of strings"]),
        ("inherit: true", ["3:12: jobs:a:inherit config should be a hash"]),
        ("inherit: {stages: true}", ["3:13: jobs:a:inherit config contains unknown keys: stages"]),
        ("inherit: {default: 3}", ["3:22: jobs:a:inherit:default should be a bool or array of strings"]),
        ("inherit: {default: [colour]}", ["3:22: jobs:a:inherit:default config contains unknown values: colour"]),
        ("inherit: {variables: {}}", ["3:24: jobs:a:inherit:variables should be a bool or array of strings"]),
        ("artifacts: [a]", ["3:14: jobs:a:artifacts config should be a hash"]),
        ("artifacts: {paths: a}", ["3:22: jobs:a:artifacts paths should be an array of strings"]),
        ("artifacts: {exclude: a}", ["3:24: jobs:a:artifacts exclude should be an array of strings"]),
        ("artifacts: {name: 10}", ["3:21: jobs:a:artifacts name should be a string"]),
        ("artifacts: {untracked: maybe}", ["3:26: jobs:a:artifacts untracked should be a boolean value"]),
        (
            "artifacts: {when: manual}",
            ["3:21: jobs:a:artifacts when should be one of: on_success, on_failure, always"],
        ),
        ("artifacts: {expire_in: 42}", ["3:26: jobs:a:artifacts expire in should be a duration"]),
        ("artifacts: {expire_in: 7 elephants}", ["3:26: jobs:a:artifacts expire in should be a duration"]),
        ("artifacts: {expose_as: b}", ["3:26: jobs:a:artifacts paths can't be blank"]),
        ("artifacts: {expose_as: b, paths: []}", ["3:36: jobs:a:artifacts paths can't be blank"]),
        (
            'artifacts: {paths: ["*.txt"], expose_as: b}',
            ["3:22: jobs:a:artifacts paths can't contain '*' when used with 'expose_as'"],
        ),
        (
            "artifacts: {paths: [b], expose_as: b/c}",
            ["3:38: jobs:a:artifacts expose as can contain only letters, digits, '-', '_' and spaces"],
        ),
        (
            f"artifacts: {{paths: [b], expose_as: {'c' * 101}}}",
            ["3:38: jobs:a:artifacts expose as is too long (maximum is 100 characters)"],
        ),
        (
            "artifacts: {paths: [b], public: true, access: all}",
            ["3:49: jobs:a:artifacts config these keys cannot be used together: public, access"],
        ),
        (
            "artifacts: {paths: [b], access: some}",
            ["3:35: jobs:a:artifacts access should be one of: none, developer, all, maintainer"],
        ),
    ],
)
def test_a_value_as_it_cannot_be(line: str, expected: list[str]) -> None:
    assert errors(in_job(line)) == expected


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("script: a", ["a"]),
        ("script: [a, b]", ["a", "b"]),
        ("script: [a, [b, [c, []]], d]", ["a", "b", "c", "d"]),
        (f"script: {'[' * 10}a{']' * 10}", ["a"]),
        ("script: |\n    a\n    b\n", ["a\nb\n"]),
        ("script: >-\n    a\n    b\n", ["a b"]),
        ("script: ['echo \"a: b\"']", ['echo "a: b"']),
        ("before_script: [a, [b]]\n  script: c", ["a", "b", "c"]),
        ("before_script: []\n  script: c", ["c"]),
    ],
)
def test_scripts_are_made_flat_and_before_script_comes_first(text: str, script: list[str]) -> None:
    assert job(f"a:\n  {text}\n")["steps"] == [{"name": "script", "script": script}]


def test_after_script_is_a_step_of_its_own_that_never_counts() -> None:
    assert job("a: {script: x, after_script: [y, [z]]}")["steps"][1:] == [
        {"name": "after_script", "script": ["y", "z"], "phase": "after_script", "when": "always", "allow_failure": True}
    ]
    assert job("a: {script: x, after_script: []}")["steps"][1:] == []


@pytest.mark.parametrize("key", ["image", "services", "before_script", "after_script", "cache"])
def test_what_is_a_default_twice_is_refused(key: str) -> None:
    value = {"image": "b", "cache": "{paths: [b]}"}.get(key, "[b]")
    text = f"{key}: {value}\ndefault: {{{key}: {value}}}\na: {{script: x}}"
    assert errors(text) == [f"2:11: default config {key} is defined in top-level and default: entry"]


def test_defaults_are_taken_whole_or_not_at_all() -> None:
    text = (
        "default: {image: {name: b, entrypoint: [c]}, tags: [d], retry: 1, timeout: 1 hour, interruptible: true,"
        " before_script: [e], after_script: [f], artifacts: {paths: [g]}, hooks: {pre_get_sources_script: h}}\n"
        "taken: {script: x}\n"
        "own: {script: x, image: i, tags: [], before_script: [], interruptible: false}\n"
        "none: {script: x, inherit: {default: false}}\n"
        "some: {script: x, inherit: {default: [tags, retry]}}\n"
    )
    found = jobs(text)
    assert found["taken"]["image"] == {"name": "b", "entrypoint": ["c"]}
    assert (found["taken"]["tags"], found["taken"]["timeout"], found["taken"]["interruptible"]) == (["d"], 3600, True)
    assert [step["script"] for step in found["taken"]["steps"]] == [["e", "x"], ["f"]]
    assert found["own"]["image"] == {"name": "i"}
    assert found["own"].get("tags") is None
    assert found["own"].get("interruptible") is None
    assert found["own"]["steps"][0]["script"] == ["x"]
    assert set(found["none"]) == {"name", "stage", "steps"}
    assert set(found["some"]) == {"name", "stage", "steps", "tags", "retry"}


def test_default_holds_no_keyword_that_belongs_to_one_job() -> None:
    assert errors("default: {stage: test, rules: [], needs: []}\na: {script: x}") == [
        f"1:{column}: default config contains unknown keys: {key}"
        for column, key in ((11, "stage"), (24, "rules"), (35, "needs"))
    ]


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [("true", ["A", "B", "C"]), ("false", ["C"]), ("[B, NOBODY]", ["B", "C"]), ("[]", ["C"])],
)
def test_a_job_takes_the_global_variables_that_it_wants(chosen: str, keys: list[str]) -> None:
    text = f"variables: {{A: 1, B: 2}}\na: {{script: x, variables: {{C: 3}}, inherit: {{variables: {chosen}}}}}"
    assert [variable["key"] for variable in job(text)["variables"]] == keys


def test_an_archive_has_all_its_fields() -> None:
    text = (
        "a: {script: x, artifacts: {paths: [b, $C/**/*.o], exclude: [b/c], name: $CI_JOB_NAME, untracked: true,"
        " when: always, expire_in: 1 week, access: maintainer}}"
    )
    assert job(text)["artifacts"] == [
        {
            "paths": ["b", "$C/**/*.o"],
            "exclude": ["b/c"],
            "name": "$CI_JOB_NAME",
            "untracked": True,
            "when": "always",
            "expire_in": 604800,
            "access": "maintainer",
        }
    ]


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("expire_in: never", "expire_in", 0),
        ('expire_in: "42"', "expire_in", 42),
        ("expire_in: 30 mins", "expire_in", 1800),
        ("public: false", "access", "developer"),
        ("public: true", "access", None),
        ("access: none", "access", "none"),
        ("expose_as: My report_1-2", "expose_as", "My report_1-2"),
    ],
)
def test_a_field_of_an_archive(written: str, field: str, value: object) -> None:
    assert job(f"a: {{script: x, artifacts: {{paths: [b], {written}}}}}")["artifacts"][0].get(field) == value
