"""What lies in a repository: commits, branches, tags, folders, changes."""

from collections.abc import Collection
from typing import Any

from app.api.gitlab_v4.entities.common import iso, job_url, project_url
from app.api.gitlab_v4.entities.users import user_basic
from app.git.changes import Change
from app.git.repository import FoundRef
from app.git.trees import Entry
from app.models import CommitStatus, Job, Project
from app.services.core import Core
from app.services.repositories.protected_refs import Protection

#: Jobs and reported statuses are numbered apart; seen together, these lie beyond all jobs.
STATUS_IDS = 1 << 40


def commit(core: Core, project: Project, details: dict[str, Any]) -> dict[str, Any]:
    """A commit (`app.git.objects.parse_commit`) in a list, or as mentioned by another entity."""
    return details | {"web_url": f"{project_url(core, project)}/-/commit/{details['id']}"}


def branch(
    core: Core, project: Project, ref: FoundRef, head: dict[str, Any], rule: Protection, can_push: bool, merged: bool
) -> dict[str, Any]:
    """A branch; `head` is its commit as `commit` shows it, `rule` what protects it."""
    developers = not rule.protected or (rule.push_role is not None and rule.push_role <= 30)
    return {
        "name": ref.name,
        "commit": head,
        "merged": merged,
        "protected": rule.protected,
        "developers_can_push": rule.protected and developers,
        "developers_can_merge": rule.protected and developers,
        "can_push": can_push,
        "default": ref.name == project.default_branch,
        "web_url": f"{project_url(core, project)}/-/tree/{ref.name}",
    }


def tag(
    ref: FoundRef, message: str, head: dict[str, Any] | None, release: dict[str, Any] | None, protected: bool
) -> dict[str, Any]:
    """A tag. `message` is empty and `created_at` None for one that is no object of its own."""
    annotated = ref.target != ref.commit
    return {
        "name": ref.name,
        "message": message.rstrip("\n") if annotated else None,
        "target": ref.target,
        "commit": head,
        "release": release,
        "protected": protected,
        "created_at": None,
    }


def entry(row: Entry) -> dict[str, Any]:
    """A file or folder in a listing."""
    return {"id": row.object_id, "name": row.name, "type": row.kind, "path": row.path, "mode": row.mode}


def change(row: Change) -> dict[str, Any]:
    """One file of a comparison."""
    return {
        "diff": row.patch or "",
        "collapsed": False,
        "too_large": row.patch is None,
        "new_path": row.new_path,
        "old_path": row.old_path,
        "a_mode": row.old_mode,
        "b_mode": row.new_mode,
        "new_file": row.status == "A",
        "renamed_file": row.status == "R",
        "deleted_file": row.status == "D",
        "generated_file": False,
    }


def commit_status(core: Core, row: CommitStatus | Job) -> dict[str, Any]:
    """A job that ran here, or one that another system reported, as a status of its commit (gitlab.md B.10)."""
    reported = isinstance(row, CommitStatus)
    return {
        "id": row.id + STATUS_IDS if reported else row.id,
        "sha": row.pipeline.sha,
        "ref": row.pipeline.ref,
        "status": row.status,
        "name": row.name,
        "target_url": row.target_url if isinstance(row, CommitStatus) else job_url(core, row),
        "description": row.description if isinstance(row, CommitStatus) else None,
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "allow_failure": row.allow_failure if isinstance(row, Job) else False,
        "coverage": row.coverage,
        "pipeline_id": row.pipeline_id,
        "author": user_basic(core, row.user) if row.user else None,
    }


def matching(names: Collection[str], search: str) -> set[str]:
    """Those of `names` that hold `search`, in any case; `^x` begin with it, `x$` end with it."""
    text = search.lower().removeprefix("^").removesuffix("$")
    anchored_start, anchored_end = search.startswith("^"), search.endswith("$")
    return {
        name
        for name in names
        if (not anchored_start or name.lower().startswith(text))
        and (not anchored_end or name.lower().endswith(text))
        and text in name.lower()
    }
