"""Who this runner process is: `s_…` from the machine's id, `r_…` by chance where there is none (gitlab.md A.3)."""

import hashlib
import os
import re
import secrets
from pathlib import Path

_SYSTEM_ID = re.compile(r"[sr]_[0-9a-z]{12}", re.ASCII)


def system_id(folder: Path, machine_id: Path = Path("/etc/machine-id")) -> str:
    """The id kept in `folder`/.runner_system_id, made there at the first call. Raises OSError."""
    path = folder / ".runner_system_id"
    try:
        known = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        known = ""
    if _SYSTEM_ID.fullmatch(known):
        return known
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _from_machine(machine_id, folder) or f"r_{secrets.token_hex(6)}"
    temporary = folder / f".runner_system_id.{os.getpid()}"
    temporary.write_text(fresh + "\n", encoding="ascii")
    temporary.replace(path)
    return fresh


def _from_machine(machine_id: Path, folder: Path) -> str:
    """Not the machine's id itself, which should stay on the machine; and one for each user and each data folder: a
    runner removes the containers that an earlier run under the same id has left, so no other may have that id.
    """
    try:
        text = machine_id.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    digest = hashlib.sha256(f"skerry-runner:{os.getuid()}:{folder.resolve()}:{text}".encode()).hexdigest()
    return f"s_{digest[:12]}" if text else ""
