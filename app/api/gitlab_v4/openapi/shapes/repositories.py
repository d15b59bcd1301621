"""What lies in a repository."""

from typing import Literal, NotRequired, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Status, Time
from app.api.gitlab_v4.openapi.shapes.pipelines import PipelineBasic
from app.api.gitlab_v4.openapi.shapes.users import UserBasic


class CommitStats(TypedDict):
    """How many lines changed."""

    additions: int
    deletions: int
    total: int


class PipelineCommit(TypedDict):
    """The commit of a pipeline as it was written down then; of a commit that could not be read only the id is known."""

    id: str
    short_id: str
    created_at: str | None
    parent_ids: list[str]
    title: str
    message: str
    author_name: str
    author_email: str
    authored_date: str | None
    committer_name: str
    committer_email: str
    committed_date: str | None
    trailers: dict[str, str]
    extended_trailers: dict[str, list[str]]
    web_url: str


class BareCommit(TypedDict):
    """A commit as it lies in the repository."""

    id: str
    short_id: str
    created_at: Time
    parent_ids: list[str]
    title: str
    message: str
    author_name: str
    author_email: str
    authored_date: Time
    committer_name: str
    committer_email: str
    committed_date: Time
    trailers: dict[str, str]
    extended_trailers: dict[str, list[str]]


class Commit(BareCommit):
    """A commit in a list, or as mentioned by another entity."""

    web_url: str
    stats: NotRequired[CommitStats]


class CommitDetails(Commit):
    """A commit by itself, with its newest pipeline where the caller may see that."""

    project_id: int
    status: Status | None
    last_pipeline: NotRequired[PipelineBasic | None]


class CommitRef(TypedDict):
    """A branch or a tag that has a commit."""

    type: Literal["branch", "tag"]
    name: str


class CommitStatus(TypedDict):
    """A job, or what another system reported, as a status of its commit."""

    id: int
    sha: str
    ref: str
    status: Status
    name: str
    target_url: str | None
    description: str | None
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    allow_failure: bool
    coverage: float | None
    pipeline_id: int
    author: UserBasic | None


class Branch(TypedDict):
    """A branch."""

    name: str
    commit: Commit
    merged: bool
    protected: bool
    developers_can_push: bool
    developers_can_merge: bool
    can_push: bool
    default: bool
    web_url: str


class TagRelease(TypedDict):
    """The notes of a tag's release."""

    tag_name: str
    description: str | None


class Tag(TypedDict):
    """A tag."""

    name: str
    message: str | None
    target: str
    commit: Commit | None
    release: TagRelease | None
    protected: bool
    created_at: Time | None


class TreeEntry(TypedDict):
    """A file or folder in a listing."""

    id: str
    name: str
    type: Literal["tree", "blob", "commit"]
    path: str
    mode: str


class Change(TypedDict):
    """One file of a comparison."""

    diff: str
    collapsed: bool
    too_large: bool
    new_path: str
    old_path: str
    a_mode: str
    b_mode: str
    new_file: bool
    renamed_file: bool
    deleted_file: bool
    generated_file: bool


class Comparison(TypedDict):
    """Two branches, tags or commits side by side."""

    commit: Commit | None
    commits: list[Commit]
    diffs: list[Change]
    compare_timeout: bool
    compare_same_ref: bool
    web_url: str


class File(TypedDict):
    """A file, its content in base64."""

    file_name: str
    file_path: str
    size: int
    encoding: str
    content_sha256: str
    ref: str
    blob_id: str
    commit_id: str
    last_commit_id: str
    execute_filemode: bool
    content: str


class WrittenFile(TypedDict):
    """Where a file was written."""

    file_path: str
    branch: str


class AccessLevel(TypedDict):
    """Who may do it."""

    id: int
    access_level: int
    access_level_description: str
    user_id: None
    group_id: None


class ProtectedBranch(TypedDict):
    """A protected branch, or a pattern of them."""

    id: int
    name: str
    push_access_levels: list[AccessLevel]
    merge_access_levels: list[AccessLevel]
    unprotect_access_levels: list[AccessLevel]
    allow_force_push: bool
    code_owner_approval_required: bool
    inherited: bool


class ProtectedTag(TypedDict):
    """A protected tag, or a pattern of them."""

    name: str
    create_access_levels: list[AccessLevel]
