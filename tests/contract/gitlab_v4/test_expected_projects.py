"""What documents and clients call of projects, repositories, statuses and users, against what there is.

`expected_endpoints/gitlab_projects.tsv` names the source of each call. python-gitlab's own lists of filters and
attributes are read out of the installed client: what it can send must be taken.
"""

import re
from pathlib import Path
from types import ModuleType

import pytest
from gitlab.v4 import objects

from app.api.gitlab_v4 import (
    branches,
    commit_files,
    commit_statuses,
    commits,
    files,
    groups,
    members,
    project_settings,
    projects,
    protected_refs,
    tokens,
    users,
)
from app.api.gitlab_v4.endpoint import Endpoint

TABLE = Path(__file__).parents[1] / "expected_endpoints" / "gitlab_projects.tsv"
MODULES: tuple[ModuleType, ...] = (
    branches, commit_files, commit_statuses, commits, files, groups, members, project_settings, projects,
    protected_refs, tokens, users,
)  # fmt: skip
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    (endpoint.method, re.sub(r"<(?:path:)?(\w+)>", r":\1", path)): endpoint
    for module in MODULES
    for endpoint in module.routes.endpoints
    for path in endpoint.paths
}
ROWS = [line.split("\t") for line in TABLE.read_text().splitlines() if not line.startswith("#")]


def names(endpoint: Endpoint) -> set[str]:
    return {param.name for param in endpoint.params}


def test_every_call_is_there_and_every_call_has_its_source() -> None:
    assert {(row[0], row[1]) for row in ROWS} == set(ENDPOINTS)
    assert all(row[4] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_takes_its_parameters_and_answers_with_its_status(row: list[str]) -> None:
    endpoint = ENDPOINTS[row[0], row[1]]
    assert set(row[2].split()) == names(endpoint) - {"page", "per_page"}
    assert int(row[3].split()[0]) == endpoint.status


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
