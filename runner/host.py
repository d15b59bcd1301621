"""Choose Podman settings that work on this host, and write them down for the runner's user.

Distributions' defaults fail in known ways: crun 1.8 refuses hosts with hybrid cgroups, Podman 4.3 without a
storage.conf takes the slow vfs driver, and the systemd cgroup manager needs a login session that a service user does
not have. So each choice is tried with a real container (a lone busybox, no image needed) in storage of its own before
it is written.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUNTIMES = ("crun", "runc")
TRIAL_SECONDS = 30
NETWORK_FILE = Path(".config", "containers", "containers.conf.d", "skerry-networks.conf")


@dataclass(frozen=True, slots=True)
class HostChoice:
    """What works here. `mount_program` is empty where the kernel's own overlay does. `tried` False: nothing could be
    run.
    """

    runtime: str
    storage_driver: str
    cgroup_manager: str
    mount_program: str = ""
    tried: bool = True


def write_user_configuration(home: Path) -> HostChoice | None:
    """Write containers.conf and storage.conf below `home`/.config/containers, each only where it is absent, and beside
    them what bridges need.

    Call it as the user whose Podman it is, with HOME and XDG_RUNTIME_DIR set. Returns the choice, None when both files
    were there already and nothing was tried. Raises OSError when the files cannot be written.
    """
    folder = home / ".config" / "containers"
    write_network_configuration(home)
    wanted = {name: folder / name for name in ("containers.conf", "storage.conf")}
    if all(path.exists() for path in wanted.values()):
        return None
    choice = choose()
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"containers.conf": containers_conf(choice), "storage.conf": storage_conf(choice)}
    for name, path in wanted.items():
        if not path.exists():
            path.write_text(texts[name])
    return choice


def main() -> int:
    """`python -m runner.host`: configure Podman for the user who calls it, and say what was chosen."""
    choice = write_user_configuration(Path.home())
    if choice is None:
        print("Podman is configured already")  # noqa: T201 - a command's own words
        return 0
    storage = f"{choice.storage_driver} by {choice.mount_program}" if choice.mount_program else choice.storage_driver
    tried = "" if choice.tried else " (not tried: no container could be run)"
    print(f"Podman: runtime {choice.runtime}, storage {storage}, cgroups by {choice.cgroup_manager}{tried}")  # noqa: T201
    return 0


def choose() -> HostChoice:
    """The first combination of storage, runtime and cgroup manager that runs a container; the likeliest when none can
    be tried.
    """
    choices = list(candidates())
    busybox = static_busybox()
    if busybox is not None:
        for choice in choices:
            if runs(choice, busybox) == "":
                return choice
    likeliest = choices[0]
    return HostChoice(
        likeliest.runtime, likeliest.storage_driver, likeliest.cgroup_manager, likeliest.mount_program, tried=False
    )


def candidates() -> Iterator[HostChoice]:
    """Every combination that this host has the programs for, the best first."""
    runtimes = [name for name in RUNTIMES if shutil.which(name) or Path("/usr/sbin", name).exists()] or ["runc"]
    if hybrid_cgroups():
        runtimes.reverse()
    storages = [("overlay", "")]
    if fuse := shutil.which("fuse-overlayfs"):
        storages.append(("overlay", fuse))
    storages.append(("vfs", ""))
    managers = ["systemd", "cgroupfs"] if systemd_session() else ["cgroupfs"]
    for driver, program in storages:
        for runtime in runtimes:
            for manager in managers:
                yield HostChoice(runtime, driver, manager, program)


def runs(choice: HostChoice, busybox: Path) -> str:
    """Run a container with `choice` in storage of its own. Returns "" when it works, else the last line of what went
    wrong.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-trial-", ignore_cleanup_errors=True) as scratch:
        rootfs = Path(scratch, "fs")
        for name in ("dev", "proc", "sys", "etc", "run", "tmp", "bin"):
            (rootfs / name).mkdir(parents=True)
        shutil.copy(busybox, rootfs / "bin" / "busybox")
        command = [*podman(choice, Path(scratch)), "run", "--rm", "--network", "none"]
        command += ["--rootfs", str(rootfs), "/bin/busybox", "true"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        finally:
            remove_storage(choice, Path(scratch))
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]


def podman(choice: HostChoice, scratch: Path) -> list[str]:
    """The start of a podman command that uses `choice` and nothing of the user's own storage."""
    command = ["podman", "--root", str(scratch / "root"), "--runroot", str(scratch / "run")]
    command += ["--runtime", choice.runtime, "--cgroup-manager", choice.cgroup_manager, "--events-backend", "none"]
    command += ["--storage-driver", choice.storage_driver]
    if choice.mount_program:
        command += ["--storage-opt", f"overlay.mount_program={choice.mount_program}"]
    return command


def remove_storage(choice: HostChoice, scratch: Path) -> None:
    """Storage may hold files of sub-uids, which only the user namespace can remove.

    With the trial's own options: a plain `podman unshare` would settle the user's real storage on Podman's default
    driver.
    """
    command = [*podman(choice, scratch), "unshare", "rm", "-rf", "--", str(scratch / "root"), str(scratch / "run")]
    subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False)


def static_busybox() -> Path | None:
    """A busybox that runs without libraries, None where the host has none."""
    found = shutil.which("busybox")
    if found is None:
        return None
    listed = subprocess.run(["ldd", found], capture_output=True, text=True, check=False)
    return Path(found) if "not a dynamic executable" in listed.stdout + listed.stderr else None


def hybrid_cgroups() -> bool:
    """Whether cgroups v1 and v2 are mounted side by side, which crun 1.8 refuses."""
    return Path("/sys/fs/cgroup/unified").is_dir()


def cgroups_v2() -> bool:
    return Path("/sys/fs/cgroup/cgroup.controllers").is_file()


def systemd_session() -> bool:
    """Whether a systemd user manager is there to ask for cgroups."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return cgroups_v2() and bool(runtime) and Path(runtime, "systemd", "private").exists()


def containers_conf(choice: HostChoice) -> str:
    """Only what had to be chosen; everything else stays Podman's default."""
    return (
        "# Chosen by skerry-runner: tried on this host, see `skerry-runner doctor`.\n"
        f'[engine]\nruntime = "{choice.runtime}"\ncgroup_manager = "{choice.cgroup_manager}"\nevents_logger = "file"\n'
    )


def write_network_configuration(home: Path) -> None:
    """Have Podman write networks where it finds them again, in a file of ours beside whatever the user has."""
    if bridges_need(home):
        path = home / NETWORK_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Written by skerry-runner: jobs with services need it.\n{bridges_need(home)}")


def bridges_need(home: Path) -> str:
    """What is missing in the user's Podman settings for bridges to work, as TOML; "" where nothing is.

    Podman 4 hides the first existing folder of /var/lib/cni, that is often /var/lib itself, while it sets up a
    rootless bridge. So users whose home is below /var/lib, as service accounts' are, need their networks written down
    elsewhere, or Podman does not find the network that it has just written to the user's home.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not home.is_relative_to("/var/lib") or not runtime:
        return ""
    folder = home / ".config" / "containers"
    for path in (folder / "containers.conf", *(folder / "containers.conf.d").glob("*.conf")):
        with contextlib.suppress(OSError):
            if re.search(r"^\s*network_config_dir\s*=", path.read_text(), re.MULTILINE):
                return ""
    return f'[network]\nnetwork_config_dir = "{runtime}/containers/skerry-networks"\n'


def storage_conf(choice: HostChoice) -> str:
    text = f'# Chosen by skerry-runner.\n[storage]\ndriver = "{choice.storage_driver}"\n'
    if choice.mount_program:
        text += f'\n[storage.options.overlay]\nmount_program = "{choice.mount_program}"\n'
    return text


if __name__ == "__main__":
    sys.exit(main())
