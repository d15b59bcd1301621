"""Applications: our projects. Owner and name are the project's path, split at its last slash."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from app.api.wercker_v3.entities.common import id_of, time, url
from app.api.wercker_v3.entities.owners import owner
from app.models import Project
from app.services.core import Core

#: The generation that knew pipelines and workflows.
STACK = 6
THEME = "Amethyst"


def owner_name(project: Project) -> str:
    return project.full_path.rpartition("/")[0]


def _url(core: Core, project: Project, *more: str) -> str:
    return url(core, "applications", owner_name(project).lower(), project.path, *more)


def _privacy(project: Project) -> str:
    return "public" if project.visibility == "public" else "private"


def summary(core: Core, project: Project) -> dict[str, Any]:
    return {
        "id": id_of(project),
        "url": _url(core, project),
        "name": project.path,
        "owner": owner(project.group),
        "createdAt": time(project.created_at),
        "updatedAt": time(project.last_activity_at),
        "privacy": _privacy(project),
        "stack": STACK,
        "theme": THEME,
    }


def application(core: Core, project: Project, allowed_actions: Sequence[str] | None = None) -> dict[str, Any]:
    """The detailed form. The key of the badges is there for whoever may see the application."""
    found: dict[str, Any] = {
        "id": id_of(project),
        "url": _url(core, project),
        "name": project.path,
        "owner": owner(project.group),
        "builds": _url(core, project, "builds"),
        "deploys": _url(core, project, "deploys"),
        "badgeKey": project.badge_key,
        "createdAt": time(project.created_at),
        "updatedAt": time(project.last_activity_at),
        "theme": THEME,
        "settings": {
            "privacy": _privacy(project),
            "stack": STACK,
            "ignoredBranches": list(project.ignored_branches),
        },
    }
    if project.repository != "none":
        found["scm"] = scm(core, project)
    if allowed_actions is not None:
        found["allowedActions"] = list(allowed_actions)
    return found


def scm(core: Core, project: Project) -> dict[str, Any]:
    """Where the code is. Of a mirror too it is here: where it is fetched from may be nobody's business."""
    domain = urlsplit(core.config.external_url).hostname or ""
    return {"type": "git", "owner": owner_name(project), "domain": domain, "repository": project.path}
