"""What rootless Podman needs of this host, and the base image that jobs start from when no registry is there."""

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
    step(last_line(account.must_run([environment.program("python"), "-P", "-m", "runner.host"])))


def ensure_base_image(environment: Environment, account: Account) -> None:
    """Builds the base image from this host's own packages unless it is there and up to date."""
    build = environment.source / "contrib" / "base-image" / "build.py"
    step(f"Image {BASE_IMAGE}, from this host's own packages")
    done = account.run([environment.program("python"), "-P", build, "--tag", BASE_IMAGE])
    if done.returncode != 0:
        raise SetupError(
            f"the base image cannot be built: {last_line(done.stderr) or last_line(done.stdout)}",
            f"`{environment.program('skerry-runner')} doctor` says what this host lacks.",
        )
