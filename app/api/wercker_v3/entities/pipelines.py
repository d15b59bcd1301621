"""Pipelines: our definitions."""

from typing import Any

from app.api.wercker_v3.entities.common import id_of, time, url
from app.models import PipelineDefinition, Project
from app.services.core import Core


def pipeline(core: Core, definition: PipelineDefinition, project: Project) -> dict[str, Any]:
    """`pipelineName` says which part of the configuration runs, which here is a file. Pushes start the default one."""
    identity = id_of(definition)
    opened = project.visibility == "public" and project.public_jobs
    return {
        "id": identity,
        "url": url(core, "pipelines", identity),
        "createdAt": time(definition.created_at),
        "name": definition.name,
        "permissions": "public" if opened else "read",
        "pipelineName": definition.config_path or definition.name,
        "setScmProviderStatus": project.repository == "hosted",
        "type": "git" if definition.is_default else "pipeline",
    }
