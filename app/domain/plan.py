"""What every dialect compiles to, and all that the rest of Skerry reads.

The words are GitLab's because most people know them. A dialect's quirks become plain fields here (design, "The plan"):
nothing behind the compilers asks which dialect a job came from. All values are immutable; durations are whole seconds.

A plan is kept as JSON on the rows it makes: `to_json` and `from_json` of `app.domain.plan_json` turn it there and back.
"""

from dataclasses import dataclass, field

from app.domain.delivery import EnvironmentSpec, IdToken, PagesSpec, ReleaseSpec
from app.domain.job_inputs import JobInput


@dataclass(frozen=True, slots=True)
class Variable:
    """One CI variable. `file`: its value is handed over as the path of a file. `raw`: never expanded."""

    key: str
    value: str
    public: bool = True
    masked: bool = False
    file: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """A container image. An empty `entrypoint` tuple clears the image's own; None keeps it."""

    name: str
    entrypoint: tuple[str, ...] | None = None
    pull_policy: tuple[str, ...] = ()
    user: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A container that runs beside a job. `aliases` are host names, in the order written."""

    image: Image
    aliases: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One script of a job.

    `image` None means the job's container; an own image means a fresh container on the job's workspace.
    `phase`: pre_get_sources, script or after_script.
    `own_shell` False: the step shares its shell with the step before it. `errexit` and `pipefail` say which failing
    line fails the step. `timeout` 0: bounded by the job's alone. `when`: on_success, on_failure or always.
    `verbatim`: the script is one text for the image's own `sh`, of which no line is shown before it runs; without any
    line the image's own command runs. `runtime`: the container runtime of the step's own container.
    """

    name: str
    script: tuple[str, ...]
    phase: str = "script"
    image: Image | None = None
    runtime: str | None = None
    own_shell: bool = True
    errexit: bool = True
    pipefail: bool = True
    verbatim: bool = False
    environment: tuple[Variable, ...] = ()
    timeout: int = 0
    when: str = "on_success"
    allow_failure: bool = False


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """What is uploaded after the script: one archive, or one report of `file_type`.

    `expire_in` None means the instance's default, 0 never. `required`: a path that names nothing fails the job.
    `name` and `paths` may hold variables, which the runner expands.
    """

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    name: str | None = None
    untracked: bool = False
    when: str = "on_success"
    expire_in: int | None = None
    required: bool = False
    file_type: str = "archive"
    file_format: str = "zip"
    access: str = "all"
    expose_as: str | None = None


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """A cache of a job. `unprotect` shares it between protected and unprotected refs."""

    key: str = "default"
    paths: tuple[str, ...] = ()
    untracked: bool = False
    policy: str = "pull-push"
    when: str = "on_success"
    unprotect: bool = False
    fallback_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed job is run again by itself, and after which failures (`app.domain.failure`)."""

    max: int = 0
    when: tuple[str, ...] = ("always",)
    exit_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """An edge of the graph: this job waits for `job`, and takes its artifacts unless told otherwise."""

    job: str
    artifacts: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ForeignNeed:
    """Artifacts of a job of another pipeline, which this job gets but does not wait for. All texts may hold variables.

    `pipeline`: the id of a pipeline that was started from the same one. `project` and `ref`: the newest successful
    pipeline there.
    """

    job: str
    pipeline: str | None = None
    project: str | None = None
    ref: str | None = None
    artifacts: bool = True


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file of a child's configuration that a job makes: `path` in the archive of `job`. The configuration includes it
    under `name`, as if it were in the repository.
    """

    name: str
    job: str
    path: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger job does: it runs no steps, but starts a pipeline, or follows one.

    `configuration`: the text of a child pipeline's configuration, for the same commit; `generated` are its files that
    jobs make. `project`: another project, whose `branch` (None: its default branch) is run; both may hold variables,
    `inputs` is a JSON object. `upstream`: the project whose newest pipeline is followed; nothing is started.
    `strategy`: empty (the job has succeeded once the pipeline is there), depend (it ends as the pipeline ends) or
    mirror (it shows the pipeline's status).
    """

    project: str | None = None
    branch: str | None = None
    inputs: str = "{}"
    configuration: str | None = None
    generated: tuple[GeneratedFile, ...] = ()
    upstream: str | None = None
    strategy: str = ""
    forward_yaml_variables: bool = True
    forward_pipeline_variables: bool = False


@dataclass(frozen=True, slots=True)
class JobPlan:
    """One job, ready to become a row.

    `needs` None: the job waits for all earlier stages; a tuple (also an empty one): it waits for those jobs alone.
    `dependencies` None: artifacts of all jobs it waits for; a tuple: of those jobs alone.
    `timeout` None: the project's. `start_in` counts from the moment when the job becomes scheduled.
    `workspace` is the path of the job's tree in its container, None the runner's choice.
    `optional_start`: `allow_failure` says only that nobody has to start this manual job; started by itself, it counts.
    `instance` is (index, total) of a parallel job, index from 1.
    `hooks` run before the sources are there; a step's name says when. `coverage` is an RE2 pattern without slashes: the
    last number in its last match in the log counts. `resource_group`: one job of that name in the project at a time.
    `inputs`: what stands for `${{ job.inputs.x }}` blocks in the plan (`app.domain.job_inputs`).
    `trigger`: the job starts another pipeline and has no steps. `environment`, `id_tokens`, `release` and `pages`: see
    `app.domain.delivery`.
    """

    name: str
    stage: str
    steps: tuple[Step, ...]
    image: Image | None = None
    services: tuple[Service, ...] = ()
    variables: tuple[Variable, ...] = ()
    artifacts: tuple[ArtifactSpec, ...] = ()
    cache: tuple[CacheSpec, ...] = ()
    needs: tuple[Need, ...] | None = None
    dependencies: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    when: str = "on_success"
    start_in: int | None = None
    allow_failure: bool = False
    allow_failure_exit_codes: tuple[int, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: int | None = None
    workspace: str | None = None
    instance: tuple[int, int] | None = None
    interruptible: bool = False
    manual_confirmation: str | None = None
    optional_start: bool = False
    hooks: tuple[Step, ...] = ()
    coverage: str | None = None
    resource_group: str | None = None
    foreign_needs: tuple[ForeignNeed, ...] = ()
    trigger: Trigger | None = None
    environment: EnvironmentSpec | None = None
    id_tokens: tuple[IdToken, ...] = ()
    release: ReleaseSpec | None = None
    pages: PagesSpec | None = None
    inputs: tuple[JobInput, ...] = ()

    @property
    def delivers(self) -> bool:
        """Whether more follows when the job ends: an environment, a release or a site."""
        return self.environment is not None or self.release is not None or self.pages is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole pipeline: its stages in order and the jobs that run in it (none that rules left out).

    `auto_cancel_on_new_commit`: conservative (all, unless a job that is not interruptible has started), interruptible
    (only such jobs) or none; for what a newer commit of the same ref makes redundant. `auto_cancel_on_job_failure`: all
    or none.
    """

    stages: tuple[str, ...]
    jobs: tuple[JobPlan, ...]
    variables: tuple[Variable, ...] = ()
    name: str | None = None
    auto_cancel_on_new_commit: str = "none"
    auto_cancel_on_job_failure: str = "none"
