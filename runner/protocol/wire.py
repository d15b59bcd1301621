"""The job as the server sends it (gitlab.md A.3.1), typed; `protocol.parse` makes it. Absent fields have defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_TIMEOUT = 7200


class WireError(Exception):
    """The server's answer is not a job. `job_id` and `token` are there when it could at least be told which."""

    def __init__(self, message: str, job_id: int | None = None, token: str = "") -> None:
        super().__init__(message)
        self.job_id = job_id
        self.token = token


@dataclass(frozen=True, slots=True)
class Variable:
    """One job variable; a later one with the same key wins. `file`: the job gets the path of a file with the value."""

    key: str
    value: str = field(repr=False)
    public: bool = False
    masked: bool = False
    file: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An image or a service's image, variables not yet expanded. `user` and `platform` come from
    `executor_opts.docker`.
    """

    name: str
    entrypoint: tuple[str, ...] | None = None
    pull_policy: tuple[str, ...] = ()
    user: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service container; `aliases` are split where the server joined several with commas or spaces."""

    image: Image
    aliases: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of `steps`. `timeout` 0: bounded by the job's alone. What follows `allow_failure` is our extension.

    `verbatim`: the script is one text for the image's own `sh`, shown nowhere; without a line the image's own command
    runs. `runtime`: the container runtime of the step's own container.
    """

    name: str
    script: tuple[str, ...]
    timeout: int = 0
    when: str = "on_success"
    allow_failure: bool = False
    image: Image | None = None
    own_shell: bool = True
    errexit: bool = True
    pipefail: bool = True
    verbatim: bool = False
    runtime: str = ""
    environment: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """One upload after the script: an archive, or a report of `artifact_type`.

    `required` (our extension): a path that names nothing fails the job.
    """

    name: str = ""
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    untracked: bool = False
    when: str = "on_success"
    expire_in: str = ""
    artifact_type: str = "archive"
    artifact_format: str = "zip"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache; `key` already names the ref's protection where the server separates caches."""

    key: str = ""
    paths: tuple[str, ...] = ()
    untracked: bool = False
    policy: str = "pull-push"
    when: str = "on_success"
    fallback_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependency:
    """A job whose artifacts this one gets. Only those with a file are listed."""

    id: int
    name: str
    token: str = field(repr=False)
    filename: str = "artifacts.zip"
    size: int = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """A login for an image registry."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GitInfo:
    """What to check out. `repo_url` may hold credentials."""

    repo_url: str = field(default="", repr=False)
    ref: str = ""
    sha: str = ""
    before_sha: str = ""
    ref_type: str = "branch"
    refspecs: tuple[str, ...] = ()
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Features:
    """What the server says about itself. The `skerry_*` ones are ours: step reports, and handing a job back unrun."""

    trace_sections: bool = False
    token_mask_prefixes: tuple[str, ...] = ()
    failure_reasons: tuple[str, ...] = ()
    skerry_steps: bool = False
    skerry_hand_back: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `timeout` is in seconds. `workspace` is the path of its tree in the container, None the
    runner's choice.
    """

    id: int
    token: str = field(repr=False)
    name: str = ""
    stage: str = ""
    project_id: int = 0
    project_path: str = ""
    allow_git_fetch: bool = True
    git: GitInfo = field(default_factory=GitInfo)
    timeout: int = DEFAULT_TIMEOUT
    variables: tuple[Variable, ...] = ()
    steps: tuple[Step, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    image: Image | None = None
    services: tuple[Service, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    cache: tuple[Cache, ...] = ()
    credentials: tuple[Credential, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    features: Features = field(default_factory=Features)
    workspace: str | None = None
    unsupported: tuple[str, ...] = ()

    @property
    def steps_bring_containers(self) -> bool:
        """Whether no script of the job runs in a container of the job's own."""
        return not self.hooks and bool(self.workspace or self.steps) and all(step.image for step in self.steps)
