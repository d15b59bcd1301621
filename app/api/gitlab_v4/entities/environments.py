"""Environments and deployments."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.api.gitlab_v4.entities import jobs
from app.api.gitlab_v4.entities.common import iso
from app.api.gitlab_v4.entities.projects import projects
from app.api.gitlab_v4.entities.users import user_basic
from app.models import Deployment, Environment
from app.services.core import Core


def environment_basic(row: Environment) -> dict[str, Any]:
    """An environment, as mentioned by a deployment."""
    return {
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "external_url": row.external_url,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }


def environment(row: Environment) -> dict[str, Any]:
    """An environment in a list."""
    return environment_basic(row) | {
        "description": row.description,
        "tier": row.tier,
        "state": row.state,
        "auto_stop_at": iso(row.auto_stop_at),
        "auto_stop_setting": "always",
        "kubernetes_namespace": None,
        "flux_resource_path": None,
        "cluster_agent": None,
    }


def environment_detailed(core: Core, row: Environment, last: Deployment | None) -> dict[str, Any]:
    """One environment, with its project and the last deployment that succeeded."""
    return environment(row) | {
        "project": projects(core, [row.project], None, simple=True)[0],
        "last_deployment": deployments(core, [last])[0] if last else None,
    }


def deployments(core: Core, rows: Sequence[Deployment]) -> list[dict[str, Any]]:
    """The entities of `rows`, which `deployments.LOADED` loaded."""
    shown: Mapping[int, dict[str, Any]] = {
        job["id"]: job for job in jobs.jobs(core, [row.job for row in rows if row.job is not None])
    }
    return [_deployment(core, row, shown) for row in rows]


def _deployment(core: Core, row: Deployment, shown: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "iid": row.id,
        "ref": row.ref,
        "sha": row.sha,
        "status": row.status,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "finished_at": iso(row.finished_at),
        "user": user_basic(core, row.user) if row.user else None,
        "environment": environment_basic(row.environment),
        "deployable": shown.get(row.job_id or 0),
    }
