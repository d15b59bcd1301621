"""What Podman is told about a container: its mounts, its rights, and the wrapper that it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.executor.base import Build, ImageRef

# The traps keep the wrapper alive when a script signals its whole process group; its children get the default actions
# back. The stage runs in the foreground on purpose: a POSIX shell lets background commands ignore SIGINT. And it is
# redirected in a subshell of its own: a shell that redirects a command itself would print "Terminated" to the log.
WRAPPER = r"""
trap : HUP INT QUIT TERM
shell=sh
command -v bash >/dev/null 2>&1 && shell=bash
exec 2>/dev/null
while IFS=' ' read -r order token file; do
  status=0
  if [ "$order" = run ]; then
    (exec "$shell" "$1/$file" </dev/null 2>&1)
    status=$?
  fi
  printf '\036%s %s\n' "$token" "$status"
done
"""

# Enough for package managers, `su` and services that drop their rights; without the defaults that open the network's
# raw sockets, make devices, or write the audit log. All of them hold in the user namespace only.
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETUID",
    "SYS_CHROOT",
)  # fmt: skip


def specification(build: Build, image_id: str, ref: ImageRef, name: str) -> dict[str, Any]:
    """What every container of a job has in common; `podman_limits` and `podman_services` add theirs.

    Nothing of it comes from the job but the image, its entrypoint and user, and the variables: no host mounts, devices,
    privileges, capabilities or host namespaces.
    """
    mounts = {build.workspace: (build.project_dir, "rw"), build.control: (build.control_dir, "rw")}
    mounts |= {source: (target, "ro") for source, target in build.read_only_mounts.items()}
    spec: dict[str, Any] = base_specification(image_id, name, build.labels, build.environment)
    spec |= {
        "command": ["sh", "-c", WRAPPER, "skerry", build.control_dir],
        "stdin": True,
        "init": True,
        "work_dir": build.project_dir,
        "hostname": f"job-{build.job_id}",
        "mounts": [mount(source, target, mode) for source, (target, mode) in mounts.items()],
    }
    if ref.entrypoint is not None:
        spec["entrypoint"] = list(ref.entrypoint) or [""]
    if ref.user:
        spec["user"] = ref.user
    return spec


def base_specification(
    image_id: str, name: str, labels: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Any]:
    """The rules of containment, for jobs and services alike."""
    return {
        "image": image_id,
        "name": name,
        "labels": dict(labels),
        "env": dict(environment),
        "no_new_privileges": True,
        "cap_drop": ["ALL"],
        "cap_add": list(CAPABILITIES),
        "image_volume_mode": "ignore",  # a VOLUME of the image is an ordinary folder that goes with the container
        "log_configuration": {"driver": "none"},  # output is read by attach; a second copy on disk would slow it down
        "systemd": "false",
        "stop_timeout": 0,
    }


def mount(source: Path, target: str, mode: str) -> dict[str, Any]:
    return {"type": "bind", "source": str(source), "destination": target, "options": [mode, "bind", "nosuid", "nodev"]}
