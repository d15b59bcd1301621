"""What the daemon asks of a place where jobs run. `podman.py` is the real one, `fake.py` the one for tests.

The story of one job, in the order of the calls:

1. `executor.prepare(build, output, cancelled)` makes the environment: images are there, the container is created.
2. `environment.run(stage, …)` for each stage in turn (step_script, after_script …): a fresh shell in the same
container. 3. `environment.stop()` ends everything that still runs in it; files in the workspace stay.
4. Artifacts and caches are collected from the workspace (`runner.workspace`), not by the executor.
5. `environment.close()` removes containers, networks and volumes. It may return before Podman has finished removing.

`stop` and `close` may be called at any time, from any thread, more than once, and never raise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.executor.registry_logins import Login

Output = Callable[[bytes], None]


class ExecutorError(Exception):
    """The environment failed, not the script. `failure_reason` is the protocol's word for it (gitlab.md A.4)."""

    failure_reason = "runner_system_failure"


class ImagePullError(ExecutorError):
    """An image is not here and could not be fetched."""

    failure_reason = "image_pull_failure"


class ConfigurationError(ExecutorError):
    """The job asks for something that this runner cannot or may not give."""

    failure_reason = "runner_configuration_error"


class RuntimeUnavailableError(ConfigurationError):
    """A stage names a container runtime that this host does not have."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image as the job names it, variables already expanded. `platform` is OS/ARCHITECTURE[/VARIANT], None the
    host's own.
    """

    name: str
    entrypoint: tuple[str, ...] | None = None
    pull_policy: tuple[str, ...] = ()
    user: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """A service container as the job names it. `environment` is all of the job's variables that it gets."""

    image: ImageRef
    aliases: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Build:
    """One job as an executor sees it.

    `workspace` is the job's tree on the host, `project_dir` the path at which the container sees it. `control` is a
    private host folder
    of this job outside the workspace (scripts, file variables, exit codes), seen by the container at `control_dir`.
    `read_only_mounts` maps host folders to container paths (the object cache that the tree borrows from).
    `stage_images` are those of stages that bring their own: they are here before the first stage runs. `has_container`
    False: every stage does, so the job needs no container of its own.
    `labels` go on every container, so that orphans can be found: skerry.runner, skerry.job, skerry.boot.
    `server_urls` are the server's addresses as the job knows them: it must be reachable there.
    `logins` are the job's own for image registries.
    """

    job_id: int
    name: str
    image: ImageRef | None
    services: Sequence[ServiceRef]
    environment: Mapping[str, str]
    workspace: Path
    project_dir: str
    control: Path
    control_dir: str
    read_only_mounts: Mapping[Path, str]
    labels: Mapping[str, str]
    timeout: float
    server_urls: tuple[str, ...] = ()
    logins: tuple[Login, ...] = ()
    stage_images: Sequence[ImageRef] = ()
    has_container: bool = True


@dataclass(frozen=True, slots=True)
class Stage:
    """One script to run. `name` is the protocol's stage name (step_script, after_script).

    `script` is complete shell text, made by `runner.scripts`; it gets no standard input. `image` None: the job's
    container;
    an own image: a fresh container on the same workspace, by `runtime` where that is given. `timeout` is in seconds
    from the start of the stage. `image_command`: the script wants to know the image's own command, as shell text in
    `IMAGE_COMMAND` (`runner.scripts`).
    """

    name: str
    script: str
    timeout: float
    environment: Mapping[str, str] = field(default_factory=dict)
    image: ImageRef | None = None
    runtime: str = ""
    image_command: bool = False


@dataclass(frozen=True, slots=True)
class StageResult:
    """How a stage ended. `exit_code` is None unless `outcome` is "exited".

    `outcome`: exited | timed_out | cancelled (the caller's event was set) | killed (out of memory, or from outside).
    """

    outcome: str
    exit_code: int | None = None
    detail: str = ""


class Cancelled(Protocol):
    """Anything with `is_set()` and `wait(timeout)`: a `threading.Event` that asks a stage to end."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Environment(Protocol):
    """A prepared place for one job."""

    def run(self, stage: Stage, output: Output, cancelled: Cancelled) -> StageResult:
        """Run `stage`; every byte it prints goes to `output`, in order, complete before this returns.

        When `cancelled` is set or the time is up, the script's processes get SIGTERM, after a grace SIGKILL; the
        container stays usable for the next stage. Raises ExecutorError when the environment itself broke.
        """

    def stop(self) -> None:
        """Kill all that runs. No process of the job writes to the workspace after this."""

    def close(self) -> None:
        """Remove every trace of the environment from the host, the workspace excepted."""


class Executor(Protocol):
    """A kind of place, shared by all slots of a runner; thread-safe."""

    name: str

    def features(self) -> dict[str, bool]:
        """The feature flags of `info.features` that depend on the executor (gitlab.md A.2)."""

    def prepare(self, build: Build, output: Output, cancelled: Cancelled) -> Environment:
        """Make the environment. Raises ExecutorError; leaves nothing behind when it does, or when `cancelled` gets
        set.
        """

    def remove_orphans(self, runner: str, boot: str) -> list[int]:
        """Remove containers of `runner` that an earlier boot left; return the ids of their jobs."""

    def close(self) -> None:
        """Give back the connection, and the Podman service where it is this process's child."""
