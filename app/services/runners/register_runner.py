"""Runners that register with the installation's token, change their own token, and lose a manager (gitlab.md A.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType

from sqlalchemy import select

from app import crypto
from app.domain.audit import Act
from app.domain.errors import NotAllowed, NotFound
from app.models import Group, Project, Runner, RunnerManager, write
from app.services.core import Core
from app.services.runners.create_runner import REGISTERED_PREFIX, TOKEN_PREFIX, create_runner, note
from app.services.runners.registration_tokens import place_of

_TYPES: Mapping[type, str] = {Project: "project_type", Group: "group_type", NoneType: "instance_type"}


class RegistrationClosed(NotAllowed):
    """Runners cannot register by token here; they are made by an administrator."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a runner asks for. `maximum_timeout` in seconds, at least ten minutes."""

    description: str = ""
    maintenance_note: str | None = None
    tags: tuple[str, ...] = ()
    run_untagged: bool = True
    locked: bool = False
    paused: bool = False
    access_level: str = "not_protected"
    maximum_timeout: int | None = None


def register_runner(core: Core, registration_token: str, asked: Registration) -> tuple[Runner, str]:
    """A new runner of the instance, project or group whose registration token this is, and its own token.

    Raises RegistrationClosed, NotAllowed, InvalidRequest.
    """
    if not core.config.allow_registration:
        raise RegistrationClosed("runner registration is switched off")
    owner = place_of(core, registration_token)
    return create_runner(
        core,
        runner_type=_TYPES[type(owner)],
        project=owner if isinstance(owner, Project) else None,
        group=owner if isinstance(owner, Group) else None,
        description=asked.description,
        maintenance_note=asked.maintenance_note,
        tags=asked.tags,
        run_untagged=asked.run_untagged,
        locked=asked.locked,
        paused=asked.paused,
        access_level=asked.access_level,
        maximum_timeout=asked.maximum_timeout,
        token_prefix=REGISTERED_PREFIX,
    )


def unregister_manager(core: Core, runner: Runner, system_id: str) -> None:
    """Remove one manager of a runner. Raises NotFound."""
    runner_id = runner.id
    with write(core.session):
        manager = core.session.scalar(
            select(RunnerManager).where(RunnerManager.runner_id == runner_id, RunnerManager.system_id == system_id)
        )
        if manager is None:
            raise NotFound("Runner manager")
        core.session.delete(manager)


def reset_runner_token(core: Core, runner: Runner, old: str = "") -> tuple[Runner, str]:
    """A new token for a runner, of the same kind as its `old` one where that is known; the old one is void at once."""
    kind = REGISTERED_PREFIX if old.startswith(REGISTERED_PREFIX) else TOKEN_PREFIX
    runner_id, token = runner.id, crypto.new_token(kind)
    with write(core.session):
        found = core.session.get_one(Runner, runner_id)
        found.token_hash = crypto.token_hash(token)
        note(core, Act.RUNNER_TOKEN_RESET, found)
    return core.session.get_one(Runner, runner_id), token
