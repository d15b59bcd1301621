"""What a job does besides its script: deploy to an environment, prove who it is, make a release, publish pages.

Parts of `app.domain.plan.JobPlan`, in GitLab's words (gitlab.md C.2). Texts may hold variables unless it is said.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """Where a job deploys to. `name` is expanded when the pipeline is made, the rest when the job has ended.

    `action`: start (this makes a deployment), prepare, verify, access, or stop. `on_stop` names the job that stops it.
    `auto_stop_in`: a duration in words, or "never". `deployment_tier` None: guessed from the name.
    """

    name: str
    url: str | None = None
    action: str = "start"
    on_stop: str | None = None
    auto_stop_in: str | None = None
    deployment_tier: str | None = None


@dataclass(frozen=True, slots=True)
class IdToken:
    """A signed statement of who the job is, in the variable `key`, for one audience or a list of them."""

    key: str
    audience: tuple[str, ...]
    listed: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseLink:
    """A link among a release's assets."""

    name: str
    url: str
    filepath: str | None = None
    link_type: str = "other"


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """The release that is made once the script has passed. `ref` None: the job's commit. `description`: a text, or the
    path of a file that holds it. `released_at`: an ISO 8601 time.
    """

    tag_name: str
    description: str
    name: str | None = None
    tag_message: str | None = None
    ref: str | None = None
    milestones: tuple[str, ...] = ()
    released_at: str | None = None
    links: tuple[ReleaseLink, ...] = ()


@dataclass(frozen=True, slots=True)
class PagesSpec:
    """The folder of the job's archive that becomes a web site; `path_prefix` (expanded) tells several of a project
    apart. `expire_in` in seconds, None or 0: it stays.
    """

    publish: str = "public"
    path_prefix: str = ""
    expire_in: int | None = None
