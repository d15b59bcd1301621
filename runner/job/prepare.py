"""The phases that make a place to run in, and empty it again."""

import re
import socket
from pathlib import Path

from runner.executor.base import Build, ConfigurationError, ServiceRef
from runner.executor.podman_relay import server_urls
from runner.executor.registry_logins import Login, login, parse_auth_config, secrets_in
from runner.job import steps
from runner.job.run import JobRun
from runner.job.script_files import write_scripts
from runner.job.sources import split_credentials
from runner.job.variables import Places, job_variables
from runner.masking import secrets_of
from runner.protocol.wire import Service
from runner.variables import Variables


def prepare_executor(run: JobRun) -> None:
    """Make the job's folders, write its scripts and file variables, and have the executor make its environment."""
    if run.job.unsupported:
        raise ConfigurationError(f"this runner cannot run jobs with {', '.join(run.job.unsupported)}")
    host, job = run.host, run.job
    path = safe_path(job.project_path) or f"project-{job.project_id}"
    run.workspace = workspace = host.workspaces.create(job.id, job.project_id, path, run.slot)
    run.places = places = _places(run, path)
    ca_file = Path(host.runner.tls_ca_file).read_text() if host.runner.tls_ca_file else ""
    run.variables = job_variables(job, host.runner, host.executor.name, places, ca_file)
    wished = run.variables.get("GIT_CLONE_PATH")
    if wished and not host.executor.features().get("shared"):
        run.places = places = moved(places, wished)
        run.variables = job_variables(job, host.runner, host.executor.name, places, ca_file)
    # A masked value may name other variables: what the job prints is the value as it is now.
    run.trace.hide(secrets_of(run.variables.masked_values()))
    run.client.debug_trace = run.variables.flag("CI_DEBUG_TRACE") or run.variables.flag("CI_DEBUG_SERVICES")
    logins = _logins(run)
    run.trace.hide(secrets_of(secrets_in(logins)))
    # From the first script on the control folder belongs to the job: all that is ours in it is written before.
    _write_file_variables(workspace.control, run.variables)
    write_scripts(run)
    run.build = Build(
        job_id=job.id,
        name=job.name,
        image=steps.image_ref(job.image, run.variables) if job.image else None,
        services=[_service(service, run.variables) for service in job.services],
        environment=run.variables.environment,
        workspace=workspace.path,
        project_dir=places.project_dir,
        control=workspace.control,
        control_dir=places.control_dir,
        read_only_mounts=workspace.read_only_mounts,
        labels={"skerry.runner": host.system_id, "skerry.job": str(job.id), "skerry.boot": host.boot},
        timeout=job.timeout,
        stage_images=tuple(image for step in job.steps if (image := steps.stage_image(run, step))),
        has_container=not job.steps_bring_containers or bool(job.image),
        logins=logins,
        server_urls=server_urls(host.runner.url, host.runner.clone_url, split_credentials(job.git.repo_url, "")[0]),
    )
    run.environment = host.executor.prepare(run.build, run.trace.write, run.control.script)
    if run.control.everything.is_set():
        run.kill()


def _logins(run: JobRun) -> tuple[Login, ...]:
    """The job's logins for registries: those of DOCKER_AUTH_CONFIG before those that the server sent."""
    found: list[Login] = []
    if text := run.variables.content("DOCKER_AUTH_CONFIG"):
        try:
            found = parse_auth_config(text)
        except ValueError as error:
            run.warn(f"DOCKER_AUTH_CONFIG {error}, ignored")
    return (*found, *(login(one.url, one.username, one.password) for one in run.job.credentials))


def prepare_environment(run: JobRun) -> None:
    """Say where this runs."""
    run.say(f"Running job {run.job.id} via {socket.gethostname()}...")


def stop_environment(run: JobRun) -> None:
    """Nothing of the job writes to the tree while it is collected. What is collected is settled here, once: an upload
    that fails must not start those that are meant for failed scripts.
    """
    run.verdict = run.outcome
    if run.environment is not None:
        run.environment.stop()


def safe_path(path: str) -> str:
    """A project's path as folder names: no way up, nothing a shell or a mount option would read."""
    parts = [re.sub(r"[^A-Za-z0-9_.\-]", "_", part, flags=re.ASCII) for part in path.split("/")]
    return "/".join(part for part in parts if part not in ("", ".", ".."))[:255]


def _places(run: JobRun, path: str) -> Places:
    """On a shared host a job sees the host's own paths, in a container those that its image expects."""
    workspace = run.workspace
    if workspace is not None and run.host.executor.features().get("shared"):
        return Places(str(workspace.path), str(workspace.path.parent), str(workspace.control), run.slot)
    builds_dir = run.host.runner.builds_dir
    project_dir = f"{builds_dir}/{path}"
    wished = run.job.workspace
    if wished and wished.startswith("/") and ".." not in wished.split("/") and wished.strip("/"):
        project_dir = wished.rstrip("/")
    return Places(project_dir, builds_dir, f"{project_dir}.tmp", run.slot)


def moved(places: Places, path: str) -> Places:
    """The job's tree at GIT_CLONE_PATH, which has to lie below CI_BUILDS_DIR. Raises ConfigurationError."""
    below = path.removeprefix(f"{places.builds_dir}/").rstrip("/")
    parts = below.split("/")
    if not path.startswith(f"{places.builds_dir}/") or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise ConfigurationError(f"GIT_CLONE_PATH={path!r} has to be a path below {places.builds_dir}")
    if safe_path(below) != below:
        raise ConfigurationError(f"GIT_CLONE_PATH={path!r} holds more than letters, digits, `_`, `.`, `-` and `/`")
    project_dir = f"{places.builds_dir}/{below}"
    return Places(project_dir, places.builds_dir, f"{project_dir}.tmp", places.slot)


def _write_file_variables(control: Path, variables: Variables) -> None:
    """One file for each, readable by whatever user the image has; the folder above is closed to the host's
    other users.
    """
    folder = control / "variables"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for variable in variables:
        if variable.file:
            path = folder / variable.key
            path.write_bytes(variable.value.encode("utf-8", "surrogatepass"))
            path.chmod(0o644)
    shared = control / "gitlab_env"
    shared.touch()
    shared.chmod(0o666)


def _service(service: Service, variables: Variables) -> ServiceRef:
    """A service sees the job's public variables and its own, which may name the job's."""
    environment = {variable.key: variable.value for variable in variables if variable.public and not variable.file}
    for own in service.variables:
        environment[own.key] = own.value if own.raw else variables.expand(own.value)
    return ServiceRef(steps.image_ref(service.image, variables), service.aliases, service.command, environment)
