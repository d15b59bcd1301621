"""Read a job's log, and who may: a debug log prints every variable, so fewer may read it (gitlab.md B.2)."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from sqlalchemy import or_, select

from app.domain.permissions import Action
from app.models import CiVariable, Job, User
from app.services import access
from app.services.core import Core
from app.services.jobs.log_end import LoggedJob, log_end
from app.services.pipelines.definition_variables import definition_variables

DEBUG_KEYS = ("CI_DEBUG_TRACE", "CI_DEBUG_SERVICES")
PIECE = 64 * 1024


def require_trace(core: Core, job: Job, user: User | None) -> None:
    """Raises NotFound or NotAllowed unless `user` may read the log of `job`."""
    access.require(core, Action.READ_TRACE, user, job.project)
    if not access.may(core, Action.READ_DEBUG_TRACE, user, job.project) and is_debug(core, job):
        access.require(core, Action.READ_DEBUG_TRACE, user, job.project)


def is_debug(core: Core, job: Job) -> bool:
    """Whether the shell of `job` prints every command with its values: some variable of those it gets asks for that."""
    given = [*job.plan.get("variables", ()), *_sealed(core, job.variables_sealed, job.seal_context)]
    given += _sealed(core, job.pipeline.variables_sealed, job.pipeline.seal_context)
    if any(_asks(variable["key"], variable["value"]) for variable in given):
        return True
    groups = access.group_chain(core, job.project.group)
    everywhere = CiVariable.project_id.is_(None) & CiVariable.group_id.is_(None)
    rows = core.session.scalars(
        select(CiVariable).where(
            CiVariable.key.in_(DEBUG_KEYS),
            or_(CiVariable.project_id == job.project_id, CiVariable.group_id.in_(groups), everywhere),
        )
    )
    if any(_asks(row.key, core.box.open(row.value_sealed, row.seal_context)) for row in rows):
        return True
    own = definition_variables(core, job.project_id, job.pipeline.definition_id)
    return any(_asks(variable.key, variable.value) for variable in own)


def _sealed(core: Core, sealed: str | None, context: str) -> list[dict[str, str]]:
    """Variables that somebody gave by hand: a JSON list of plan.Variable, sealed."""
    return [] if sealed is None else list(json.loads(core.box.open(sealed, context)))


def _asks(key: str, value: str) -> bool:
    return key in DEBUG_KEYS and value.strip().lower() in ("true", "1", "yes")


class Trace:
    """A log as far as it counts now: `size` bytes. The file may be longer, by a piece that is just being written or
    by an earlier attempt that was handed back: nobody reads that.
    """

    def __init__(self, size: int, file: BinaryIO | None) -> None:
        self.size, self._file, self._at = size, file, 0

    def seek(self, offset: int) -> None:
        """Go on at byte `offset`."""
        self._at = offset
        if self._file:
            self._file.seek(offset)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them; none at the end."""
        left = max(0, self.size - self._at)
        data = self._file.read(left if size < 0 else min(size, left)) if self._file and left else b""
        self._at += len(data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        with self:
            while piece := self.read(PIECE):
                yield piece

    def __enter__(self) -> "Trace":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Repeated calls are fine."""
        if self._file:
            self._file.close()

    def part(self, start: int, end: int) -> "Trace":
        """The bytes from `start` up to `end`, as far as there are any; this trace is not read any more."""
        start = min(start, self.size)
        if self._file:
            self._file.seek(start)
        return Trace(max(min(end, self.size) - start, 0), self._file)


def open_trace(core: Core, job: LoggedJob) -> Trace:
    """The log of a job as far as it counts now (`log_end`), empty where there is none."""
    counted = log_end(core, job).size
    file = core.traces.open(job.id) if counted else None
    # After a crash the file may have lost its end; until its runner comes back, this is all there is.
    return Trace(min(counted, core.traces.size(job.id)) if file else 0, file)
