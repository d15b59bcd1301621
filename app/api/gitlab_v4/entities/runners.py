"""Runners and their managers."""

from typing import Any

from app.api.gitlab_v4.entities.common import iso, project_url
from app.api.gitlab_v4.entities.users import user_basic
from app.models import Group, Project, Runner, RunnerManager
from app.services.core import Core
from app.services.runners import search_runners


def runner(core: Core, row: Runner, busy: bool) -> dict[str, Any]:
    """A runner in a list or a job. `busy`: it has a job at the moment."""
    status = search_runners.status_of(row.contacted_at, row.created_at, core.now())
    return {
        "id": row.id,
        "description": row.description,
        "ip_address": None,
        "active": not row.paused,
        "paused": row.paused,
        "is_shared": row.runner_type == "instance_type",
        "runner_type": row.runner_type,
        "name": "gitlab-runner",
        "online": None if status == "never_contacted" else status == "online",
        "created_by": user_basic(core, row.creator) if row.creator else None,
        "created_at": iso(row.created_at),
        "status": status,
        "job_execution_status": "active" if busy else "idle",
    }


def runner_details(core: Core, row: Runner, busy: bool, projects: list[Project], groups: list[Group]) -> dict[str, Any]:
    """A runner by itself. What its daemon says of itself comes from the manager heard of last."""
    latest = max(row.managers, key=lambda manager: manager.contacted_at or manager.created_at, default=None)
    return runner(core, row, busy) | {
        "tag_list": list(row.tags),
        "run_untagged": row.run_untagged,
        "locked": row.locked,
        "maximum_timeout": row.maximum_timeout,
        "access_level": row.access_level,
        "version": latest.version if latest else None,
        "revision": latest.revision if latest else None,
        "platform": latest.platform if latest else None,
        "architecture": latest.architecture if latest else None,
        "contacted_at": iso(row.contacted_at),
        "maintenance_note": row.maintenance_note,
        "projects": [_project(core, project) for project in projects],
        "groups": [{"id": group.id, "name": group.name, "web_url": _group_url(core, group)} for group in groups],
    }


def runner_manager(core: Core, row: RunnerManager, busy: bool) -> dict[str, Any]:
    """One daemon that works with a runner's token."""
    return {
        "id": row.id,
        "system_id": row.system_id,
        "version": row.version,
        "revision": row.revision,
        "platform": row.platform,
        "architecture": row.architecture,
        "created_at": iso(row.created_at),
        "contacted_at": iso(row.contacted_at),
        "ip_address": row.ip_address,
        "status": search_runners.status_of(row.contacted_at, row.created_at, core.now()),
        "job_execution_status": "active" if busy else "idle",
    }


def _group_url(core: Core, group: Group) -> str:
    return f"{core.config.external_url}/groups/{group.full_path}"


def _project(core: Core, project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "name_with_namespace": project.full_path.replace("/", " / "),
        "path": project.path,
        "path_with_namespace": project.full_path,
        "web_url": project_url(core, project),
    }
