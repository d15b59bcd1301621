"""Which variables a job starts with (gitlab.md A.8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.config import RunnerConfig
from runner.protocol.info import architecture, program_version
from runner.protocol.wire import Job, Variable
from runner.variables import Variables


@dataclass(frozen=True, slots=True)
class Places:
    """Where a job is: its tree and its control folder as the job sees them, and the slot that it takes."""

    project_dir: str
    builds_dir: str
    control_dir: str
    slot: int


def job_variables(job: Job, runner: RunnerConfig, executor: str, places: Places, ca_file: str = "") -> Variables:
    """All variables of a job, expanded. `ca_file` is the text of the certificate that the server is trusted by."""
    image = job.image.name if job.image else runner.podman.image
    before = {
        "CI_JOB_IMAGE": image,
        "CI_RUNNER_SHORT_TOKEN": runner.short_token,
        **dict(runner.environment),
        "CI_BUILDS_DIR": places.builds_dir,
        "CI_PROJECT_DIR": places.project_dir,
        "CI_CONCURRENT_ID": str(places.slot),
        "CI_CONCURRENT_PROJECT_ID": str(places.slot),
        "CI_SERVER": "yes",
        "CI_JOB_STATUS": "running",
        "CI_JOB_TIMEOUT": str(job.timeout),
    }
    after = {
        "CI_SHARED_ENVIRONMENT" if executor == "fake" else "CI_DISPOSABLE_ENVIRONMENT": "true",
        "CI_RUNNER_VERSION": program_version(),
        "CI_RUNNER_REVISION": "",
        "CI_RUNNER_EXECUTABLE_ARCH": f"linux/{architecture()}",
        "RUNNER_TEMP_PROJECT_DIR": places.control_dir,
        "GITLAB_ENV": f"{places.control_dir}/gitlab_env",
    }
    variables = _plain(before)
    if ca_file:
        variables.append(Variable("CI_SERVER_TLS_CA_FILE", ca_file, public=True, file=True))
    variables += [variable for variable in job.variables if not variable.key.startswith("FF_")]
    return Variables(variables + _plain(after), f"{places.control_dir}/variables").expanded()


def _plain(values: Mapping[str, str]) -> list[Variable]:
    return [Variable(key, value, public=True, raw=True) for key, value in values.items()]
