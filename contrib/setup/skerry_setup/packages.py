"""Operating-system packages: what is missing, and (as root, with apt) installing it."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .ui import SetupError, note, step

LIST = Path(__file__).resolve().parents[1] / "packages.txt"
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Need:
    """One line of packages.txt."""

    group: str
    probes: tuple[str, ...]
    packages: tuple[str, ...]

    def is_met(self) -> bool:
        return any(_present(probe) for probe in self.probes)


def read_needs(groups: Iterable[str], text: str | None = None) -> list[Need]:
    """The needs of `groups`, in the order of packages.txt."""
    wanted = set(groups)
    lines = (LIST.read_text(encoding="utf-8") if text is None else text).splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [
        Need(group, tuple(probes.split(",")), tuple(names.split(",")))
        for group, probes, names in fields
        if group in wanted
    ]


def ensure_packages(as_root: bool, groups: Iterable[str]) -> None:
    """Installs what is missing. Raises SetupError with one line that names it when that cannot be done."""
    missing = [need for need in read_needs(groups) if not need.is_met()]
    if as_root and missing and shutil.which("apt-get"):
        _install(missing)
        missing = [need for need in missing if not need.is_met()]
    if any(need.group != "extra" for need in missing):
        names = " ".join(dict.fromkeys(need.packages[0] for need in missing))
        raise SetupError(f"packages are missing. Install them: {_install_line(as_root)} {names}, then run this again.")
    for need in missing:
        note(f"{need.packages[0]} is not installed; most hosts do without it.")


def _install_line(as_root: bool) -> str:
    if not shutil.which("apt-get"):
        return "with this system's package manager,"
    return "apt-get install -y" if as_root else "sudo apt-get install -y"


def _present(probe: str) -> bool:
    if probe.startswith("/"):
        return Path(probe).exists()
    return shutil.which(probe, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is not None


def _install(missing: list[Need]) -> None:
    step("Installing packages")
    _apt("apt-get", "update", "-q")
    chosen = list(dict.fromkeys(name for name in map(_available, missing) if name))
    if not chosen:
        return
    note(" ".join(chosen))
    with _services_stay_off():
        _apt("apt-get", "install", "-o", "DPkg::Lock::Timeout=120", "-y", "-q", "--no-install-recommends", *chosen)


def _available(need: Need) -> str | None:
    """The first package of `need` that this release has."""
    for name in need.packages:
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", name], capture_output=True, check=False)
        if shown.returncode == 0 and shown.stdout.strip():
            return name
    return None


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keeps Debian from starting what it installs: nobody asked for a database or a registry that listens."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _apt(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
    done = subprocess.run(
        [*command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        said = next((line for line in lines if line.startswith("E: ")), lines[-1] if lines else "it said nothing")
        raise SetupError(f"`{' '.join(command[:2])}` failed: {said}.", "Mend that, then run this again.")
