"""Cache keys made of commits (gitlab.md C.2)."""

import hashlib

import pytest

from app.dialects.base import CompileContext
from app.dialects.gitlab.compiler import compile_text

COMMITS = {"a": "2" * 40, "b": "1" * 40, "dir/*.lock": "3" * 40}


def compiled(key: str):
    asked = []

    def last_commit(path: str) -> str | None:
        asked.append(path)
        return COMMITS.get(path)

    text = f"job: {{script: x, cache: {{key: {key}, paths: [p]}}}}\nother: {{script: x, cache: {{key: {key}}}}}"
    return compile_text(".gitlab-ci.yml", text, CompileContext(last_commit=last_commit)), asked


def digest(*commits: str) -> str:
    return hashlib.sha1("-".join(sorted(set(commits))).encode()).hexdigest()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("{files_commits: [a, b]}", "0-" + digest("1" * 40, "2" * 40)),
        ("{files_commits: [b, a], prefix: $CI_JOB_NAME}", "$CI_JOB_NAME-" + digest("1" * 40, "2" * 40)),
        ("{files_commits: [a, missing]}", "0-" + digest("2" * 40)),
        ("{files_commits: [missing], prefix: p}", "p-default"),
        ("{files_commits: [dir/*.lock]}", "0-" + digest("3" * 40)),
    ],
)
def test_a_key_of_commits_is_a_digest_of_their_ids(key, expected):
    found, asked = compiled(key)
    assert found.errors == ()
    assert found.plan.jobs[0].cache[0].key == expected
    assert len(asked) == len(set(asked)), "each path is asked for once"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("{files_commits: []}", "requires 1 to 2 items"),
        ("{files_commits: [a, b, c]}", "requires 1 to 2 items"),
        ("{files: [a], files_commits: [a]}", "must use exactly one of these keys: files, files_commits"),
        ("{prefix: p}", "must use exactly one of these keys: files, files_commits"),
    ],
)
def test_a_key_that_cannot_be_is_refused(key, words):
    assert words in compiled(key)[0].errors[0].message


def test_no_configuration_walks_through_the_history_without_end():
    text = "".join(f"j{n}: {{script: x, cache: {{key: {{files_commits: [p{n}]}}, paths: [x]}}}}\n" for n in range(60))
    asked = []
    found = compile_text(".gitlab-ci.yml", text, CompileContext(last_commit=lambda path: asked.append(path)))
    assert len(asked) == 50
    assert "more than 50 paths" in found.errors[0].message
