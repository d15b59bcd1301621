"""Change a runner, or remove it. Who may is asked before (`search_runners.may_manage`)."""

from collections.abc import Mapping
from typing import Any

from app.domain.audit import Act
from app.domain.errors import InvalidRequest, NotFound
from app.events.base import Notice
from app.models import Runner, after_commit, write
from app.services.audit.record import changes as changed_columns
from app.services.core import Core
from app.services.jobs.queue import tick
from app.services.runners.create_runner import check_settings, clean_tags, note

MAX_NOTE = 1024


def change_runner(core: Core, runner: Runner, changes: Mapping[str, Any]) -> Runner:
    """Set the columns that `changes` name. Raises InvalidRequest, NotFound.

    These are description, paused, locked, tags, run_untagged, access_level, maximum_timeout and maintenance_note.
    """
    changes = dict(changes)
    if "tags" in changes:
        changes["tags"] = clean_tags(changes["tags"])
    for name in ("description", "maintenance_note"):
        if len(changes.get(name) or "") > MAX_NOTE:
            raise InvalidRequest(f"is too long (maximum is {MAX_NOTE} characters)", name)
    runner_id = runner.id
    with write(core.session):
        held = _held(core, runner_id)
        changed = changed_columns(held, changes)
        for name, value in changes.items():
            setattr(held, name, value)
        check_settings(held.tags, held.run_untagged, held.access_level, held.maximum_timeout)
        _note_changes(core, held, changed)
        _announce(core, runner_id)
    return held


def remove_runner(core: Core, runner: Runner) -> None:
    """Its token opens nothing any more; what it runs is found lost by the reaper. Fine when it is gone already."""
    runner_id = runner.id
    with write(core.session):
        held = core.session.get(Runner, runner_id)
        if held is not None:
            note(core, Act.RUNNER_REMOVED, held)
            core.session.delete(held)
        _announce(core, runner_id)


def _note_changes(core: Core, runner: Runner, changed: dict[str, Any]) -> None:
    """That it was paused or resumed is a row of its own."""
    if "paused" in changed:
        note(core, Act.RUNNER_PAUSED if runner.paused else Act.RUNNER_RESUMED, runner)
    if others := {name: values for name, values in changed.items() if name != "paused"}:
        note(core, Act.RUNNER_CHANGED, runner, **others)


def _held(core: Core, runner_id: int) -> Runner:
    held = core.session.get(Runner, runner_id, with_for_update=True, populate_existing=True)
    if held is None:
        raise NotFound("Runner")
    return held


def _announce(core: Core, runner_id: int) -> None:
    """The queue's tick makes waiting runners look again (gitlab.md A.3); pages of this runner hear of it."""
    tick(core)
    after_commit(core.session, lambda: core.bus.publish(Notice(f"runner:{runner_id}")))
