"""What documents and clients call, against what there is, both ways.

The tables of `expected_endpoints` name the source of each call: of projects, repositories, statuses and users
(gitlab_projects.tsv), of all else about CI (gitlab_ci.tsv), of runners (gitlab_runner_protocol.tsv). python-gitlab's
own lists of filters and attributes are read out of the installed client: what it can send must be taken.
"""

import re
from pathlib import Path

import pytest
from flask import Flask
from gitlab.v4 import objects

from app.api.gitlab_v4 import ENDPOINTS as DECLARED
from app.api.gitlab_v4 import PREFIX
from app.api.gitlab_v4.endpoint import Endpoint

TABLES = Path(__file__).parents[1] / "expected_endpoints"
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    (endpoint.method, re.sub(r"<(?:path:)?(\w+)>", r":\1", path)): endpoint
    for endpoint in DECLARED
    for path in endpoint.paths
}


def read(name: str) -> list[list[str]]:
    lines = (TABLES / f"{name}.tsv").read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


ROWS = read("gitlab_projects") + read("gitlab_ci")


def names(endpoint: Endpoint) -> set[str]:
    return {param.name for param in endpoint.params}


def test_every_call_is_there_and_every_call_has_its_source() -> None:
    assert sorted((row[0], row[1]) for row in ROWS) == sorted(ENDPOINTS)
    assert all(row[4] for row in ROWS)


def test_each_takes_its_parameters_and_answers_with_its_status() -> None:
    declared = {key: (names(found) - {"page", "per_page"}, found.status) for key, found in ENDPOINTS.items()}
    expected = {
        (row[0], row[1]): ({name for name in row[2].split() if name[0] != "-"}, int(row[3].split()[0])) for row in ROWS
    }
    assert declared == expected


def test_every_call_of_runners_is_there(app: Flask) -> None:
    """Their parameters and answers are the business of tests/contract/runner_protocol."""
    served = {
        (method, re.sub(r"<[^<>]*?(\w+)>", r":\1", rule.rule.removeprefix(PREFIX)))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(PREFIX) and not isinstance(app.view_functions[rule.endpoint], Endpoint)
    }
    assert served == {(row[0], row[1]) for row in read("gitlab_runner_protocol")}


#: What python-gitlab must send to make something, and where it sends it.
MAKERS = {
    "ProjectBranchManager": "/projects/:id/repository/branches",
    "ProjectTagManager": "/projects/:id/repository/tags",
    "ProjectProtectedBranchManager": "/projects/:id/protected_branches",
    "ProjectProtectedTagManager": "/projects/:id/protected_tags",
    "ProjectMemberManager": "/projects/:id/members",
    "GroupMemberManager": "/groups/:id/members",
    "GroupManager": "/groups",
    "ProjectCommitStatusManager": "/projects/:id/statuses/:sha",
    "ProjectCommitManager": "/projects/:id/repository/commits",
    "UserPersonalAccessTokenManager": "/users/:user_id/personal_access_tokens",
}


@pytest.mark.parametrize("manager", MAKERS)
def test_what_python_gitlab_has_to_send_is_what_is_required(manager: str) -> None:
    sent = getattr(objects, manager)._create_attrs
    endpoint = ENDPOINTS["POST", MAKERS[manager]]
    assert {param.name for param in endpoint.params if param.required} == set(sent.required)
    assert set(sent.exclusive) <= names(endpoint)


def test_every_filter_of_commits_but_one_is_taken() -> None:
    taken = names(ENDPOINTS["GET", "/projects/:id/repository/commits"])
    assert set(objects.ProjectCommitManager._list_filters) - taken == {"trailers"}


def test_every_filter_of_tags_is_taken() -> None:
    assert set(objects.ProjectTagManager._list_filters) <= names(ENDPOINTS["GET", "/projects/:id/repository/tags"])
