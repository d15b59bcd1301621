"""Make a runner: what a `glrt-` token stands for."""

from collections.abc import Iterable
from typing import Any

from app import crypto
from app.domain.audit import Act
from app.domain.errors import InvalidRequest
from app.models import Group, Project, Runner, User, write
from app.services.audit.record import place_of, record
from app.services.core import Core

RUNNER_TYPES = ("instance_type", "group_type", "project_type")
ACCESS_LEVELS = ("not_protected", "ref_protected")
MAX_TAGS = 50
MIN_TIMEOUT = 600
#: How a runner's token begins, and that of one which registered itself: from it `gitlab-runner unregister` knows
#: whether to remove one manager or the runner (gitlab.md A.1).
TOKEN_PREFIX = "glrt-"  # noqa: S105
REGISTERED_PREFIX = "glrtr-"


def create_runner(
    core: Core,
    *,
    description: str = "",
    tags: Iterable[str] = (),
    run_untagged: bool = True,
    runner_type: str = "instance_type",
    group: Group | None = None,
    project: Project | None = None,
    paused: bool = False,
    locked: bool = False,
    access_level: str = "not_protected",
    maximum_timeout: int | None = None,
    maintenance_note: str | None = None,
    creator: User | None = None,
    token_prefix: str = TOKEN_PREFIX,
) -> tuple[Runner, str]:
    """A new runner and its authentication token, which is shown this once. `maximum_timeout` in seconds. Raises
    InvalidRequest.
    """
    cleaned = clean_tags(tags)
    _check_owner(runner_type, group, project)
    check_settings(cleaned, run_untagged, access_level, maximum_timeout)
    plain = crypto.new_token(token_prefix)
    owner = {"group_id": group.id if group else None, "project_id": project.id if project else None}
    creator_id = creator.id if creator else None
    with write(core.session):
        runner = Runner(
            runner_type=runner_type,
            **owner,
            token_hash=crypto.token_hash(plain),
            description=description,
            maintenance_note=maintenance_note,
            tags=cleaned,
            run_untagged=run_untagged,
            locked=locked,
            paused=paused,
            access_level=access_level,
            maximum_timeout=maximum_timeout,
            creator_id=creator_id,
            created_at=core.now(),
        )
        core.session.add(runner)
        core.session.flush()
        note(core, Act.RUNNER_CREATED, runner)
    return runner, plain


def note(core: Core, act: Act, runner: Runner, **details: Any) -> None:
    """*In a write*: a row of the audit log about `runner`."""
    place = place_of(core, runner.project_id, runner.group_id)
    record(core, act, named(runner), place=place, details={"type": runner.runner_type.removesuffix("_type")} | details)


def named(runner: Runner) -> str:
    """What the audit log calls `runner`."""
    return f"#{runner.id} {runner.description}".strip()


def clean_tags(tags: Iterable[str]) -> list[str]:
    """The tags stripped, each once, sorted. Raises InvalidRequest when one is too long or there are too many."""
    cleaned = sorted({tag.strip() for tag in tags} - {""})
    if len(cleaned) > MAX_TAGS or any(len(tag) > 255 for tag in cleaned):
        raise InvalidRequest(f"a runner has at most {MAX_TAGS} tags of at most 255 characters", "tag_list")
    return cleaned


def check_settings(tags: list[str], run_untagged: bool, access_level: str, maximum_timeout: int | None) -> None:
    """Raises InvalidRequest unless the settings make sense together (gitlab.md A.1)."""
    if not tags and not run_untagged:
        raise InvalidRequest("tags list can not be empty when runner is not allowed to pick untagged jobs", "tag_list")
    if access_level not in ACCESS_LEVELS:
        raise InvalidRequest(f"access_level is one of {', '.join(ACCESS_LEVELS)}", "access_level")
    if maximum_timeout is not None and maximum_timeout < MIN_TIMEOUT:
        raise InvalidRequest("needs to be at least 10 minutes", "maximum_timeout")


def _check_owner(runner_type: str, group: Group | None, project: Project | None) -> None:
    if runner_type not in RUNNER_TYPES:
        raise InvalidRequest(f"runner_type is one of {', '.join(RUNNER_TYPES)}", "runner_type")
    if (group is not None) != (runner_type == "group_type"):
        raise InvalidRequest("a runner of group_type, and no other, belongs to a group", "group_id")
    if (project is not None) != (runner_type == "project_type"):
        raise InvalidRequest("a runner of project_type, and no other, belongs to a project", "project_id")
