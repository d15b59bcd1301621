"""Projects."""

from collections.abc import Sequence
from typing import Any

from app.api.gitlab_v4.entities.common import api_url, iso, project_url
from app.models import Group, Project, User
from app.services.core import Core
from app.services.projects import search_projects


def projects(core: Core, rows: Sequence[Project], viewer: User | None, simple: bool = False) -> list[dict[str, Any]]:
    """The entities of `rows`; `simple` ones without settings and permissions."""
    if simple or viewer is None:
        return [_project_basic(core, row) for row in rows]
    roles = search_projects.roles(core, rows, viewer)
    return [_project(core, row, roles[row.id]) for row in rows]


def project(core: Core, row: Project, viewer: User | None) -> dict[str, Any]:
    """The entity of one project."""
    return projects(core, [row], viewer)[0] | {"empty_repo": core.repositories.open(row.id).is_empty}


def _project_basic(core: Core, row: Project) -> dict[str, Any]:
    url = project_url(core, row)
    return {
        "id": row.id,
        "description": row.description,
        "name": row.name,
        "name_with_namespace": " / ".join([*row.group.full_path.split("/"), row.name]),
        "path": row.path,
        "path_with_namespace": row.full_path,
        "created_at": iso(row.created_at),
        "default_branch": row.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": None,
        "http_url_to_repo": f"{url}.git",
        "web_url": url,
        "readme_url": None,
        "avatar_url": None,
        "forks_count": 0,
        "star_count": 0,
        "last_activity_at": iso(row.last_activity_at),
        "visibility": row.visibility,
        "namespace": _namespace(core, row.group),
    }


def _namespace(core: Core, group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "path": group.path,
        "kind": "group",
        "full_path": group.full_path,
        "parent_id": group.parent_id,
        "avatar_url": None,
        "web_url": f"{core.config.external_url}/groups/{group.full_path}",
    }


def _project(core: Core, row: Project, roles: search_projects.Roles) -> dict[str, Any]:
    own = api_url(core, f"/projects/{row.id}")
    return _project_basic(core, row) | {
        "_links": {"self": own, "repo_branches": f"{own}/repository/branches", "members": f"{own}/members"},
        "archived": row.archived,
        "jobs_enabled": True,
        "builds_access_level": "enabled" if row.public_jobs else "private",
        "shared_runners_enabled": row.instance_runners,
        "group_runners_enabled": True,
        "public_jobs": row.public_jobs,
        "build_timeout": row.build_timeout,
        "auto_cancel_pending_pipelines": "enabled" if row.auto_cancel_pending_pipelines else "disabled",
        "build_git_strategy": row.git_strategy,
        "ci_default_git_depth": row.git_depth,
        "ci_forward_deployment_enabled": False,
        "ci_forward_deployment_rollback_allowed": True,
        "ci_allow_fork_pipelines_to_run_in_parent_project": False,
        "ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"],
        "ci_delete_pipelines_in_seconds": None,
        "keep_latest_artifact": False,
        "runners_token": None,
        "ci_job_token_scope_enabled": False,
        "ci_separated_caches": True,
        "ci_config_path": row.config_path,
        "ci_push_repository_for_job_token_allowed": False,
        "only_allow_merge_if_pipeline_succeeds": False,
        "runner_token_expiration_interval": None,
        "ci_pipeline_variables_minimum_override_role": row.variables_role,
        "restrict_user_defined_variables": row.variables_role != "developer",
        "creator_id": row.creator_id,
        "mirror": row.repository == "mirrored",
        "permissions": {"project_access": _access(roles.project), "group_access": _access(roles.group)},
    }


def _access(role: int) -> dict[str, int] | None:
    return {"access_level": role, "notification_level": 3} if role else None
