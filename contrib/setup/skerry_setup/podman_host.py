"""What rootless Podman needs of this host, and the base image that jobs start from when no registry is there."""

import hashlib
import os
import stat
from pathlib import Path

from .accounts import Account
from .environment import Environment
from .ui import SetupError, last_line, note, step

BASE_IMAGE = "localhost/skerry/base"
DEVICES = {Path("/dev/net/tun"): (10, 200), Path("/dev/fuse"): (10, 229)}


def open_devices() -> None:
    """Makes the network and file-system devices usable by every user, as distributions ship them. Only as root."""
    for path, (major, minor) in DEVICES.items():
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            if path.stat().st_mode & 0o666 != 0o666:
                path.chmod(0o666)
        except OSError as error:
            note(f"{path} cannot be opened for all users ({error.strerror}); jobs may lack a network.")


def configure_podman(environment: Environment, account: Account) -> None:
    """Chooses a runtime and a storage driver that work here, unless the account has them configured already."""
    said = account.must_run([environment.program("python"), "-P", "-m", "runner.host"])
    for line in said.splitlines():
        note(line)


def ensure_base_image(environment: Environment, account: Account, state: Path) -> None:
    """Builds the base image from this host's own packages unless it is there and its recipe is unchanged."""
    recipe = environment.source / "contrib" / "base-image"
    stamp = _digest(recipe)
    stamp_file = state / "base-image"
    with account.acting():
        known = stamp_file.read_text(encoding="ascii") if stamp_file.exists() else ""
    if known == stamp and account.run(["podman", "image", "exists", BASE_IMAGE]).returncode == 0:
        return
    step(f"Building the image {BASE_IMAGE} from this host's own packages")
    done = account.run([environment.program("python"), "-P", recipe / "build.py", "--tag", BASE_IMAGE])
    if done.returncode != 0:
        raise SetupError(
            f"the base image cannot be built: {last_line(done.stderr) or last_line(done.stdout)}",
            f"`{environment.program('skerry-runner')} doctor` says what this host lacks.",
        )
    with account.acting():
        stamp_file.write_text(stamp, encoding="ascii")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(item for item in folder.rglob("*") if item.is_file() and "__pycache__" not in item.parts):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
