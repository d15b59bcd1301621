"""May users other than the owner get at a file? Asked before a service user is sent there."""

import os
import stat
from pathlib import Path


def is_reachable(path: Path) -> bool:
    """True if every user may pass through all folders above `path`, links followed. `path` itself need not exist."""
    return all(_mode(folder) & stat.S_IXOTH for folder in path.resolve().parents)


def is_readable_tree(top: Path, names: tuple[str, ...]) -> bool:
    """True if every user may read all that lies in `top` below `names` (files or folders; a missing one is no harm)."""
    if not is_reachable(top / "x"):
        return False
    return all(_readable(top / name) for name in names if (top / name).exists())


def _readable(path: Path) -> bool:
    if not path.is_dir():
        return bool(_mode(path) & stat.S_IROTH)
    for folder, _, files in os.walk(path):
        mode = _mode(Path(folder))
        if not (mode & stat.S_IROTH and mode & stat.S_IXOTH):
            return False
        if not all(_mode(Path(folder, name)) & stat.S_IROTH for name in files):
            return False
    return True


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0
