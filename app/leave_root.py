"""`skerry` typed by root works as the user who owns the data folder.

What root made in there (a repository, a log) the server could not write to, and git run by root should never meet a
repository of other people.
"""

import os
import pwd
from collections.abc import MutableMapping
from pathlib import Path


def act_as_owner(environment: MutableMapping[str, str]) -> None:
    """As root, become the owner of the data folder that `environment` names, for good. Otherwise nothing.

    The folder's real path goes into `environment`: the owner may not reach the link or working folder that led to it.
    """
    folder = Path(environment.get("SKERRY_DATA_DIR") or "data")
    if os.geteuid() != 0 or not folder.is_dir():
        return
    folder = folder.resolve()
    status = folder.stat()
    if status.st_uid == 0:
        return
    environment["SKERRY_DATA_DIR"] = str(folder)
    environment["HOME"] = _home(status.st_uid, folder)
    os.chdir("/")
    os.setgroups([])
    os.setgid(status.st_gid)
    os.setuid(status.st_uid)


def _home(uid: int, fallback: Path) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return str(fallback)
