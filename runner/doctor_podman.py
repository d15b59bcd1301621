"""The checks of `skerry-runner doctor` that ask a Podman which answers at all."""

import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

from runner.doctor_base import OPTIONS, Check, install, run
from runner.host import bridges_need, cgroups_v2, choose, systemd_session

BASE_IMAGE = "localhost/skerry/base"


def podman_works() -> Check:
    """`podman info`: this also tells of a pause process that holds an older state of the host."""
    done = subprocess.run(["podman", "info", "--format", "json"], **OPTIONS)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Check(
            "podman info", False, last, "`podman system migrate` after the host was changed; else `podman info`"
        )
    return Check("podman info", True, "works")


def runtime() -> Check:
    """The configured runtime, tried with a real container."""
    host = information()["host"]
    name = host["ociRuntime"]["name"]
    words = trial()
    if not words:
        cgroups = f"cgroups {host['cgroupVersion']} by {host['cgroupManager']}"
        return Check("runtime", True, f"{name} {version_of(host)}, {cgroups}")
    choice = choose()
    mend = f'in containers.conf [engine]: runtime = "{choice.runtime}", cgroup_manager = "{choice.cgroup_manager}"'
    if not choice.tried:
        mend = "install runc (Debian: apt-get install runc) and set it as `runtime` in containers.conf [engine]"
    elif choice.runtime == name and choice.cgroup_manager == host["cgroupManager"]:
        mend = "`podman system migrate`: the user's pause process may hold an older state of this host"
    return Check("runtime", False, f"{name}: {words}", mend)


def version_of(host: dict[str, Any]) -> str:
    match = re.search(r"\d+(\.\d+)+", str(host["ociRuntime"].get("version", "")))
    return match.group(0) if match else ""


def trial() -> str:
    """Run a container with the user's own settings; "" when it works, else the last line of what went wrong."""
    command = ["podman", "run", "--rm", "--network", "none", "--pull", "never", BASE_IMAGE, "true"]
    if run("podman", "image", "exists", BASE_IMAGE, codes=True) != "0":
        return ""  # the check of the base image says so
    done = subprocess.run(command, **OPTIONS)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]


def storage_driver() -> Check:
    """vfs copies every layer for every container."""
    store = information()["store"]
    driver = str(store["graphDriverName"])
    mend = (
        ""
        if driver == "overlay"
        else 'write `driver = "overlay"` to storage.conf [storage], then `podman system reset`'
    )
    return Check("storage", driver != "vfs", f"{driver} in {store['graphRoot']}", mend)


def delegation() -> Check:
    """Without it jobs run, but `memory` and `cpus` are not enforced."""
    host = information()["host"]
    wanted = {"memory", "cpu", "pids"}
    have = set(host.get("cgroupControllers") or ()) if cgroups_v2() else set()
    if wanted <= have:
        return Check("cgroup delegation", True, ", ".join(sorted(have)))
    missing = ", ".join(sorted(wanted - have))
    mend = "limits need cgroups v2: boot with systemd.unified_cgroup_hierarchy=1"
    if cgroups_v2():
        mend = (
            "`loginctl enable-linger`, and Delegate=cpu memory pids for user@.service"
            if systemd_session()
            else ("start the runner in a systemd user session, or with Delegate=yes in its unit")
        )
    return Check("cgroup delegation", True, f"not enforced here: {missing}", mend)


def bridges() -> Check:
    """A network of the kind that jobs with services get, tried with a real container and removed again."""
    if run("podman", "image", "exists", BASE_IMAGE, codes=True) != "0":
        return Check("bridges", True, f"not tried: no {BASE_IMAGE}")
    name = f"skerry-doctor-{secrets.token_hex(6)}"
    if run("podman", "network", "create", name, codes=True) != "0":
        return Check("bridges", False, "no network can be made", "install netavark (Debian: apt-get install netavark)")
    try:
        command = ["podman", "run", "--rm", "--network", name, "--pull", "never", BASE_IMAGE, "true"]
        done = subprocess.run(command, **OPTIONS)
    finally:
        run("podman", "network", "rm", "--force", name)
    if done.returncode == 0:
        return Check("bridges", True, "jobs can have services")
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return Check("bridges", False, f"jobs with services will fail: {last}", bridges_mend())


def bridges_mend() -> str:
    if bridges_need(Path.home()):
        return f"`python -m runner.host`, as this user: Podman hides {Path.home()}, where it keeps networks"
    return install(["netavark", "aardvark-dns", "iptables"]) + ", then `podman system migrate`"


def base_image() -> Check:
    there = run("podman", "image", "exists", BASE_IMAGE, codes=True) == "0"
    mend = "" if there else "python3 contrib/base-image/build.py, as this user"
    return Check("base image", True, BASE_IMAGE if there else f"no {BASE_IMAGE}", mend)


def information() -> dict[str, Any]:
    return dict(json.loads(run("podman", "info", "--format", "json")))


CHECKS = (podman_works, storage_driver, runtime, bridges, delegation, base_image)
