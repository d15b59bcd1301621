"""The files that `include: template` knows. They are Skerry's own; jobs and workflows to start from."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_SUFFIX = ".gitlab-ci.yml"


@cache
def names() -> tuple[str, ...]:
    """All of them, by name."""
    return tuple(sorted(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob(f"*{_SUFFIX}")))


@cache
def _texts() -> dict[str, str]:
    return {name: (_FOLDER / name).read_text(encoding="utf-8") for name in names()}


def read(name: str) -> str | None:
    """The text of the template `name`, suffix and all; None where there is none."""
    return _texts().get(name)
