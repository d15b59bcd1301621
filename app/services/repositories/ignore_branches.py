"""Say which branches' pushes start nothing."""

from collections.abc import Sequence

from app.domain.branch_patterns import MAX_PATTERNS, is_valid
from app.domain.errors import InvalidRequest
from app.domain.permissions import Action
from app.models import Project, User, write
from app.services import access
from app.services.core import Core


def ignore_branches(core: Core, project: Project, user: User, patterns: Sequence[str]) -> Project:
    """From now on pushes to branches that one of `patterns` covers start nothing. Raises InvalidRequest (field
    "ignored_branches"), NotFound, NotAllowed.
    """
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if len(patterns) > MAX_PATTERNS:
        raise InvalidRequest(f"at most {MAX_PATTERNS} branches can be ignored", "ignored_branches")
    if wrong := [pattern for pattern in patterns if not is_valid(pattern)]:
        raise InvalidRequest(f"{wrong[0]!r} is neither a branch, nor *, prefix/* or */suffix", "ignored_branches")
    project_id = project.id
    with write(core.session):
        held = core.session.get_one(Project, project_id, with_for_update=True, populate_existing=True)
        held.ignored_branches = list(dict.fromkeys(patterns))
    return held
