"""Steps that share a shell (our server's extension): those form one group, one script, one stage.

Where a step within a group begins, the script prints a mark which only this job's runner knows; `MarkedOutput` takes
the marks out of the log again.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runner.protocol.wire import Step


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that run in one shell: their positions in the job's list. `marks` stand before all but the first."""

    positions: tuple[int, ...]
    steps: tuple[Step, ...]
    marks: tuple[bytes, ...]

    @property
    def stage(self) -> str:
        return stage_name(self.steps[0])


def stage_name(step: Step) -> str:
    """The stage's and section's name: `step_script`, `after_script`."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in step.name)
    return name if step.name == "after_script" else f"step_{name}"


def groups_of(steps: Sequence[Step]) -> list[Group]:
    """All steps but after_script, in order, those in one group that share a shell."""
    parts: list[list[tuple[int, Step]]] = []
    for position, step in enumerate(steps):
        if step.name == "after_script":
            continue
        if parts and _joins(parts[-1][-1][1], step):
            parts[-1].append((position, step))
        else:
            parts.append([(position, step)])
    return [
        Group(
            positions=tuple(position for position, _ in part),
            steps=tuple(step for _, step in part),
            marks=tuple(f"\x1b]skerry;{secrets.token_hex(12)}\x07".encode() for _ in part[1:]),
        )
        for part in parts
    ]


def _joins(before: Step, step: Step) -> bool:
    plain = step.when == "on_success" and not step.timeout and not step.allow_failure and not before.allow_failure
    return not step.own_shell and step.image is None and plain


class MarkedOutput:
    """A stage's output without its marks. `on_mark(i)` is called at the place of the i-th, in order, once each."""

    def __init__(self, marks: Sequence[bytes], write: Callable[[bytes], None], on_mark: Callable[[int], None]) -> None:
        self._marks = marks
        self._write = write
        self._on_mark = on_mark
        self._next = 0
        self._held = b""

    def write(self, data: bytes) -> None:
        data = self._held + data
        self._held = b""
        while self._next < len(self._marks):
            mark = self._marks[self._next]
            before, found, after = data.partition(mark)
            if not found:
                self._held = _beginning_at_end(data, mark)
                data = data[: len(data) - len(self._held)]
                break
            if before:
                self._write(before)
            self._next += 1
            self._on_mark(self._next - 1)
            data = after
        if data:
            self._write(data)

    def flush(self) -> None:
        """The stage has ended: pass on what could have been the beginning of a mark."""
        held, self._held = self._held, b""
        if held:
            self._write(held)


def _beginning_at_end(data: bytes, mark: bytes) -> bytes:
    """The end of `data` with which `mark` begins."""
    start = data.rfind(mark[:1], max(0, len(data) - len(mark) + 1))
    return data[start:] if start >= 0 and mark.startswith(data[start:]) else b""
