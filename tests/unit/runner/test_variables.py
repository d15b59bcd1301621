"""Promises of runner.variables, runner.job.variables and runner.job.sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config import RunnerConfig
from runner.executor.base import ConfigurationError
from runner.job.prepare import moved
from runner.job.sources import job_sources, split_credentials
from runner.job.variables import Places, job_variables
from runner.protocol.wire import GitInfo, Job, Variable
from runner.variables import Variables, expand, expand_like_shell
from runner.workspace.submodules import by_https

VALUES = {"A": "1", "LONG_NAME": "two", "EMPTY": ""}
RUNNER = RunnerConfig(
    name="r", url="https://ci.example.org", token="glrt-abcdefghijkl", environment=(("FROM", "toml"),)
)
PLACES = Places("/builds/g/p", "/builds", "/builds/g/p.tmp", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A ${A}", "1 1"),
        ("$A$LONG_NAME!", "1two!"),
        ("${UNKNOWN}x$UNKNOWN", "x"),
        ("$$A", "$A"),
        ("cost: 5$", "cost: 5$"),
        ("a $ b", "a $ b"),
        ("${", ""),
        ("${A", "A"),
        ("$1$*", ""),
        ("$A-b", "1-b"),
    ],
)
def test_expansion_is_gos(text, expected):
    assert expand(text, VALUES) == expected


@given(st.text())
def test_expansion_takes_any_text(text):
    expand(text, VALUES)
    expand_like_shell(text, VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A/${LONG_NAME}", "1/two"),
        ("${NONE:-x}${EMPTY:-y}${EMPTY-z}${NONE-w}", "xyw"),
        ("${A:+set}${EMPTY:+set}${EMPTY+there}", "setthere"),
        ("${NONE:-$A}", "1"),
        ("$(touch x) `y`", "$(touch x) `y`"),
        (r"\$A \n", r"$A \n"),
    ],
)
def test_artifact_names_expand_as_in_a_shell_that_runs_nothing(text, expected):
    assert expand_like_shell(text, VALUES) == expected


def test_a_later_variable_wins_and_values_expand_once():
    variables = Variables(
        [
            Variable("A", "old"),
            Variable("A", "new"),
            Variable("B", "<$A>"),
            Variable("C", "<$B>"),
            Variable("R", "$A", raw=True),
            Variable("F", "content $A", file=True),
            Variable("P", "at $F"),
        ],
        "/control/variables",
    ).expanded()
    assert variables.environment == {
        "A": "new",
        "B": "<new>",
        "C": "<<$A>>",
        "R": "$A",
        "F": "/control/variables/F",
        "P": "at /control/variables/F",
    }
    assert {v.key: v.value for v in variables}["F"] == "content $A"


def test_the_server_may_move_the_project_but_not_forge_the_runner():
    job = Job(
        1,
        "token",
        variables=(
            Variable("CI_PROJECT_DIR", "/elsewhere"),
            Variable("CI_RUNNER_VERSION", "forged"),
            Variable("FF_X", "1"),
            Variable("FROM", "job"),
        ),
    )
    values = job_variables(job, RUNNER, "podman", PLACES, "CERT").environment
    assert values["CI_PROJECT_DIR"] == "/elsewhere"
    assert values["CI_RUNNER_VERSION"] != "forged"
    assert values["FROM"] == "job"
    assert "FF_X" not in values
    assert values["CI_SERVER_TLS_CA_FILE"] == "/builds/g/p.tmp/variables/CI_SERVER_TLS_CA_FILE"
    assert values["CI_DISPOSABLE_ENVIRONMENT"] == "true"
    assert values["CI_RUNNER_SHORT_TOKEN"] == "abcdefghi"
    assert values["GITLAB_ENV"] == "/builds/g/p.tmp/gitlab_env"


def sources(**variables):
    git = GitInfo("https://gitlab-ci-token:s%40cret@ci.example.org/g/p.git", "main", "a" * 40, depth=20)
    job = Job(1, "jobtoken", git=git)
    return job_sources(job, RUNNER, Variables([Variable(k, v) for k, v in variables.items()], "/f"))


def test_credentials_leave_the_address():
    found, notes = sources()
    assert found.repository == "https://ci.example.org/g/p.git"
    assert (found.username, found.password) == ("gitlab-ci-token", "s@cret")
    assert (found.depth, found.strategy, found.clean_flags, notes) == (20, "fetch", ("-ffdx",), [])
    assert split_credentials("http://[::1]:8000/x.git", "t") == ("http://[::1]:8000/x.git", "gitlab-ci-token", "t")


def test_git_variables_steer_what_they_may():
    found, notes = sources(
        GIT_STRATEGY="none",
        GIT_DEPTH="0",
        GIT_CHECKOUT="false",
        GIT_CLEAN_FLAGS="-ffdx -e cache/ --exclude=b",
        GIT_FETCH_EXTRA_FLAGS="--prune --no-tags",
        GIT_SUBMODULE_STRATEGY="recursive",
        GIT_SUBMODULE_DEPTH="1",
        GIT_SUBMODULE_PATHS="a b/c :(exclude)d",
        GIT_SUBMODULE_UPDATE_FLAGS="--remote --jobs=4",
        GIT_SUBMODULE_FORCE_HTTPS="true",
        GIT_LFS_SKIP_SMUDGE="1",
    )
    assert notes == []
    assert (found.strategy, found.depth, found.checkout) == ("none", 0, False)
    assert found.clean_flags == ("-ffdx", "--exclude=cache/", "--exclude=b")
    assert found.fetch_flags == ("--prune", "--no-tags")
    assert (found.submodules, found.submodule_depth) == ("recursive", 1)
    assert found.submodule_paths == ("a", "b/c", ":(exclude)d")
    assert (found.submodule_flags, found.submodules_by_https) == (("--remote", "--jobs=4"), True)
    assert (found.large_files, sources()[0].large_files) == (False, True)
    assert sources(GIT_CLEAN_FLAGS="none")[0].clean_flags == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("GIT_FETCH_EXTRA_FLAGS", "--upload-pack=touch x"),
        ("GIT_FETCH_EXTRA_FLAGS", "-c core.fsmonitor=x"),
        ("GIT_CLEAN_FLAGS", "--git-dir=/"),
        ("GIT_CLEAN_FLAGS", "'open"),
        ("GIT_SUBMODULE_UPDATE_FLAGS", "--init --recursive"),
        ("GIT_SUBMODULE_UPDATE_FLAGS", "--reference=/"),
        ("GIT_SUBMODULE_PATHS", "../up"),
        ("GIT_SUBMODULE_PATHS", "--recursive"),
        ("GIT_STRATEGY", "evil"),
    ],
)
def test_what_git_must_not_hear_is_left_out_and_said(key, value):
    found, notes = sources(**{key: value})
    assert notes
    assert all(key in note for note in notes)
    assert value not in (
        *found.fetch_flags,
        *found.clean_flags,
        *found.submodule_paths,
        *found.submodule_flags,
        found.strategy,
    )


def test_a_nonsense_depth_is_the_servers():
    assert sources(GIT_DEPTH="-1")[0].depth == 20
    assert sources(GIT_DEPTH="many")[0].depth == 20


def test_a_runner_may_reach_the_server_elsewhere():
    from dataclasses import replace

    git = GitInfo("https://u:p@ci.example.org/g/p.git")
    found, _ = job_sources(Job(1, "t", git=git), replace(RUNNER, clone_url="http://inside:8080/ci"), Variables((), ""))
    assert found.repository == "http://inside:8080/ci/g/p.git"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("git@ci.example.org:g/lib.git", "https://ci.example.org:8443/g/lib.git"),
        ("ssh://git@ci.example.org/g/lib.git", "https://ci.example.org:8443/g/lib.git"),
        ("ssh://git@CI.example.org:2222/g/lib.git", "https://ci.example.org:8443/g/lib.git"),
        ("git@elsewhere.org:g/lib.git", "git@elsewhere.org:g/lib.git"),
        ("https://elsewhere.org/g/lib.git", "https://elsewhere.org/g/lib.git"),
        ("/a/path", "/a/path"),
    ],
)
def test_submodules_of_the_same_host_come_by_https_where_asked_for(url, wanted):
    assert by_https(url, "https://ci.example.org:8443/g/p.git") == wanted


def test_the_tree_may_lie_elsewhere_below_the_builds_folder():
    found = moved(PLACES, "/builds/0/other/")
    assert (found.project_dir, found.control_dir, found.slot) == ("/builds/0/other", "/builds/0/other.tmp", PLACES.slot)


@pytest.mark.parametrize(
    "path", ["/etc", "/builds", "/builds/../etc", "/builds//x", "relative", "/builds/a b", "/builds/x:y"]
)
def test_a_clone_path_outside_is_refused(path):
    with pytest.raises(ConfigurationError, match="GIT_CLONE_PATH"):
        moved(PLACES, path)
