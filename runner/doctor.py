"""`skerry-runner doctor`: can this user run jobs in rootless Podman here, and what mends what is missing.

Every check is quick and changes nothing. Run it as the user whose Podman it is, with that user's HOME and
XDG_RUNTIME_DIR.
"""

import contextlib
import getpass
import os
import re
import shutil
import stat
from pathlib import Path

from runner import doctor_podman
from runner.doctor_base import Check, guarded, install, listed, run, which

__all__ = ["Check", "run_checks"]

OLDEST = (4, 0)
LEAST_SUBIDS = 65536
LEAST_DISK = 2 << 30
# newuidmap needs them in the bound set; their numbers are the kernel's.
NEEDED_CAPABILITIES = {6: "CAP_SETGID", 7: "CAP_SETUID", 21: "CAP_SYS_ADMIN"}


def run_checks() -> list[Check]:
    """All checks, in the order in which to mend things. Those that need a working Podman come when the others are
    ok.
    """
    found = [guarded(check)() for check in CHECKS]
    if all(check.ok for check in found):
        found += [guarded(check)() for check in doctor_podman.CHECKS]
    return found


def user() -> Check:
    if os.geteuid() == 0:
        return Check("user", False, "root", "run the runner as an ordinary user; `make up` makes one")
    return Check("user", True, f"{getpass.getuser()} (uid {os.geteuid()})")


def podman_version() -> Check:
    done = run("podman", "--version")
    match = re.search(r"(\d+)\.(\d+)\S*", done)
    if match is None:
        return Check("podman", False, "not found", "install podman (Debian: apt-get install podman)")
    ok = (int(match.group(1)), int(match.group(2))) >= OLDEST
    return Check("podman", ok, match.group(0), "" if ok else "Podman 4.0 is the oldest that works; upgrade it")


def programs() -> Check:
    """Programs that Podman or the runner call."""
    packages = {"git": "git", "newuidmap": "uidmap", "newgidmap": "uidmap", "setpriv": "util-linux", "rm": "coreutils"}
    missing = sorted({package for name, package in packages.items() if which(name) is None})
    if which("catatonit") is None and not Path("/usr/libexec/podman/catatonit").exists():
        missing.append("catatonit")
    return Check("programs", not missing, listed(missing), install(missing))


def id_map_programs() -> Check:
    """newuidmap and newgidmap must be set-uid root, or carry the capability."""
    broken = [name for name in ("newuidmap", "newgidmap") if (path := which(name)) and not privileged(Path(path))]
    mend = "chmod u+s $(command -v newuidmap newgidmap), as root" if broken else ""
    return Check("uidmap", not broken, f"not set-uid: {', '.join(broken)}" if broken else "set-uid", mend)


def privileged(path: Path) -> bool:
    """Set-uid, or with file capabilities."""
    if path.stat().st_mode & stat.S_ISUID:
        return True
    with contextlib.suppress(OSError):
        return bool(os.getxattr(path, "security.capability"))
    return False


def subordinate_ids() -> Check:
    """Ranges of ids for the users inside containers."""
    name, uid = getpass.getuser(), str(os.geteuid())
    counts = {path: id_count(Path(path), name, uid) for path in ("/etc/subuid", "/etc/subgid")}
    ok = all(count >= LEAST_SUBIDS for count in counts.values())
    mend = f"usermod --add-subuids 200000-265535 --add-subgids 200000-265535 {name}, as root, with a range that is free"
    return Check("subordinate ids", ok, ", ".join(f"{p}: {n}" for p, n in counts.items()), "" if ok else mend)


def id_count(path: Path, name: str, uid: str) -> int:
    """How many ids `path` gives to a user."""
    try:
        rows = [line.split(":") for line in path.read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(row[2]) for row in rows if len(row) == 3 and row[0] in (name, uid) and row[2].isdigit())


def devices() -> Check:
    """The network needs /dev/net/tun; fuse-overlayfs, where it is used, /dev/fuse."""
    needed = [Path("/dev/net/tun")]
    if "fuse-overlayfs" in storage_configuration():
        needed.append(Path("/dev/fuse"))
    broken = [str(path) for path in needed if not os.access(path, os.R_OK | os.W_OK)]
    mend = f"chmod 0666 {' '.join(broken)}, as root (modprobe tun fuse where they do not exist)" if broken else ""
    return Check("devices", not broken, f"not usable: {', '.join(broken)}" if broken else "usable", mend)


def storage_configuration() -> str:
    with contextlib.suppress(OSError):
        return (Path.home() / ".config" / "containers" / "storage.conf").read_text()
    return ""


def runtime_directory() -> Check:
    path = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    mend = f"install -d -m 0700 -o {getpass.getuser()} {path}, as root, and set XDG_RUNTIME_DIR={path}"
    if "XDG_RUNTIME_DIR" not in os.environ:
        return Check("XDG_RUNTIME_DIR", False, "not set", mend)
    try:
        status = path.stat()
    except OSError as error:
        return Check("XDG_RUNTIME_DIR", False, f"{path}: {error.strerror}", mend)
    ok = status.st_uid == os.geteuid() and not status.st_mode & 0o077
    return Check("XDG_RUNTIME_DIR", ok, str(path), "" if ok else mend)


def process_rights() -> Check:
    """no_new_privs or an emptied capability bound keep newuidmap from working."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    bound = int(fields["CapBnd"].strip(), 16)
    missing = [name for number, name in NEEDED_CAPABILITIES.items() if not bound >> number & 1]
    if fields.get("NoNewPrivs", "0").strip() == "1":
        return Check(
            "process rights", False, "no_new_privs is set", "remove NoNewPrivileges= from the unit that starts this"
        )
    mend = "remove CapabilityBoundingSet= (or --cap-drop) from what starts this" if missing else ""
    return Check(
        "process rights", not missing, f"not in the bound: {', '.join(missing)}" if missing else "enough", mend
    )


def network_programs() -> Check:
    """A private network for jobs; bridges with names for jobs with services."""
    if which("slirp4netns") is None and which("pasta") is None:
        return Check("network", False, "neither slirp4netns nor pasta", install(["slirp4netns"]))
    missing = [name for name in ("netavark", "aardvark-dns") if not helper(name)]
    if not missing and which("iptables") is None and which("nft") is None:
        missing = ["iptables"]
    if missing:
        return Check("network", True, f"jobs with services will fail: no {', '.join(missing)}", install(missing))
    return Check("network", True, "slirp4netns" if which("slirp4netns") else "pasta")


def helper(name: str) -> bool:
    folders = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman", "/usr/local/lib/podman")
    return which(name) is not None or any(Path(folder, name).exists() for folder in folders)


def disk_space() -> Check:
    free = shutil.disk_usage(Path.home()).free
    ok = free >= LEAST_DISK
    mend = "" if ok else "free some space: `podman image prune`, or give the user's home a larger disk"
    return Check("disk space", ok, f"{free >> 20} MiB free for {Path.home()}", mend)


def temporary_folder() -> Check:
    """Podman unpacks images there."""
    path = os.environ.get("TMPDIR", "/var/tmp")  # noqa: S108 - Podman's own choice
    ok = os.access(path, os.W_OK | os.X_OK)
    return Check("temporary files", ok, path, "" if ok else f"chmod 1777 {path}, as root")


CHECKS = (
    user, podman_version, programs, id_map_programs, subordinate_ids, devices, runtime_directory, process_rights,
    network_programs, disk_space, temporary_folder,
)  # fmt: skip
