"""Subordinate user and group ids, which rootless Podman maps a container's users to."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from .ui import SetupError, last_line

RANGE = 65536
FIRST = 100000


def free_range(taken: str) -> int:
    """The start of a range of 65,536 ids that no line of `taken` (/etc/subuid and /etc/subgid) touches."""
    start = FIRST
    for low, count in sorted(_ranges(taken)):
        if low < start + RANGE and low + count > start:
            start = low + count
    return start


def has_subids(name: str, uid: int) -> bool:
    return all(_owns_range(_text(file), name, uid) for file in ("subuid", "subgid"))


def require_subids(name: str, uid: int) -> None:
    """Raises SetupError with the command that helps if the user has no range. For set-up without root's rights."""
    if not has_subids(name, uid):
        ids = _next()
        raise SetupError(
            f"the user {name} has no subordinate ids, which rootless Podman needs.",
            f"Give some: sudo usermod --add-subuids {ids} --add-subgids {ids} {name}, then run this again.",
        )


def give_subids(name: str, uid: int) -> None:
    """Gives the user a free range of both kinds if there is none yet. For root."""
    if has_subids(name, uid):
        return
    ids = _next()
    done = subprocess.run(
        ["usermod", "--add-subuids", ids, "--add-subgids", ids, name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"{name} cannot be given subordinate ids: {last_line(done.stderr)}")


def _owns_range(text: str, name: str, uid: int) -> bool:
    fields = (line.split(":") for line in text.splitlines())
    return any(
        len(line) == 3 and line[0] in (name, str(uid)) and line[2].isdigit() and int(line[2]) >= RANGE
        for line in fields
    )


def _next() -> str:
    start = free_range(_text("subuid") + "\n" + _text("subgid"))
    return f"{start}-{start + RANGE - 1}"


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit():
            yield int(fields[1]), int(fields[2])


def _text(name: str) -> str:
    try:
        return Path("/etc", name).read_text(encoding="utf-8")
    except OSError:
        return ""
