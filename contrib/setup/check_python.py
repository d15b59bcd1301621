"""Exits with 0 if this Python can carry Skerry. Written so that any Python 3 can read it."""

import os
import stat
import sys

# ruff: noqa: PTH116, PTH120 - os.path, because pathlib is not in every Python 3


def reachable(path):
    """True if users other than root may execute (a folder: pass through) `path` and every folder above it."""
    path = os.path.realpath(path)
    while True:
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        parent = os.path.dirname(path)
        if parent == path:
            return True
        path = parent


def usable():
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before anyone knows the version
        return False
    try:
        import ensurepip  # noqa: F401 - Debian splits it off; without it `-m venv` fails
        import venv  # noqa: F401
    except ImportError:
        return False
    if os.getuid() != 0:
        return True
    return reachable(sys.executable) and reachable(os.path.dirname(os.__file__))


if __name__ == "__main__":
    sys.exit(0 if usable() else 1)
