"""Notes that a runner was heard of, which of its managers it was, and what that one can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from app.models import Runner, RunnerManager, write
from app.services.core import Core
from app.services.runners.known_runner import Recognised

#: A contact is written at most so often, so that polls and pieces of trace do not write two rows more each.
CONTACT_EVERY = timedelta(seconds=40)
#: What runners from before managers had names are filed under, as in GitLab.
LEGACY = "<legacy>"
_TEXTS = ("version", "revision", "platform", "architecture", "executor")


@dataclass(frozen=True, slots=True)
class Contact:
    """One manager: its id and the names of the features that it has."""

    manager_id: int
    features: frozenset[str]


def note_contact(core: Core, runner: Recognised, system_id: str, info: dict[str, Any], address: str | None) -> Contact:
    """Note that the manager `system_id` of a runner was heard of, and make it where it is new; write what changed, and
    the time where it is old.
    """
    said = _said(info) | ({"ip_address": address[:255]} if address else {})
    manager = runner.manager
    if manager is None or _is_old(core, manager) or any(getattr(manager, key) != value for key, value in said.items()):
        written = _write(core, runner.runner_id, filed_as(system_id), said)
        return _contact(written.id, written.features)
    return _contact(manager.manager_id, manager.features)


def _contact(manager_id: int, features: Mapping[str, Any]) -> Contact:
    return Contact(manager_id, frozenset(name for name, value in features.items() if value is True))


def filed_as(system_id: str) -> str:
    """What a manager that calls itself `system_id` is called here."""
    return system_id[:255] or LEGACY


def touch_runner(core: Core, runner_id: int | None, manager_id: int | None) -> None:
    """*In a write*: a job of this runner was heard of."""
    if runner_id is None:
        return
    old = core.now() - CONTACT_EVERY
    for table, key in ((Runner, runner_id), (RunnerManager, manager_id)):
        stale = (table.contacted_at.is_(None)) | (table.contacted_at < old)
        core.session.execute(
            update(table)
            .where(table.id == key, stale)
            .values(contacted_at=core.now())
            .execution_options(synchronize_session=False)
        )


def _said(info: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {key: str(info[key])[:255] for key in _TEXTS if info.get(key)}
    features = info.get("features")
    if isinstance(features, dict):
        said["features"] = {str(key)[:64]: value for key, value in features.items() if isinstance(value, bool)}
    return said


def _find(core: Core, runner_id: int, system_id: str) -> RunnerManager | None:
    return core.session.scalar(
        select(RunnerManager).where(RunnerManager.runner_id == runner_id, RunnerManager.system_id == system_id)
    )


def _is_old(core: Core, manager: Row[Any]) -> bool:
    return manager.contacted_at is None or core.now() - manager.contacted_at > CONTACT_EVERY


def _write(core: Core, runner_id: int, system_id: str, said: dict[str, Any]) -> RunnerManager:
    try:
        return _write_once(core, runner_id, system_id, said)
    except IntegrityError:  # another poll of the same manager made the row first
        return _write_once(core, runner_id, system_id, said)


def _write_once(core: Core, runner_id: int, system_id: str, said: dict[str, Any]) -> RunnerManager:
    now = core.now()
    with write(core.session):
        # The runner's row before its manager's, as `touch_runner` has it: so two of them never wait for each other.
        core.session.execute(update(Runner).where(Runner.id == runner_id).values(contacted_at=now))
        manager = _find(core, runner_id, system_id)
        if manager is None:
            manager = RunnerManager(runner_id=runner_id, system_id=system_id, features={}, created_at=now)
            core.session.add(manager)
        for key, value in said.items():
            setattr(manager, key, value)
        manager.contacted_at = now
    return manager
