"""The runner protocol as OpenAPI's operations (gitlab.md part A). Its views read what they are sent by themselves, more
leniently than the rest of the API; this is what they look at. A test compares the routes with this table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from werkzeug.http import HTTP_STATUS_CODES

from app.api.gitlab_v4.openapi.inputs import object_of
from app.api.gitlab_v4.openapi.outputs import name_of
from app.api.gitlab_v4.openapi.schema import Schema, Schemas
from app.api.gitlab_v4.openapi.shapes.common import Message
from app.api.gitlab_v4.openapi.shapes.runners import MadeRunner
from app.api.gitlab_v4.params import Kind, Param


class JobPayload(TypedDict):
    """All that a runner needs to know of a job."""

    id: int
    token: str
    allow_git_fetch: bool
    job_info: dict[str, Any]
    git_info: dict[str, Any]
    runner_info: dict[str, Any]
    variables: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    image: NotRequired[dict[str, Any] | None]
    services: NotRequired[list[dict[str, Any]]]
    artifacts: NotRequired[list[dict[str, Any]] | None]
    cache: NotRequired[list[dict[str, Any]]]
    credentials: NotRequired[list[dict[str, Any]]]
    dependencies: NotRequired[list[dict[str, Any]]]
    features: NotRequired[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One request of the protocol. `answers`: the JSON of each good status, None for none; `refusals` beside 400, 403,
    404, 413, 429 and 503."""

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, Any]
    secured: tuple[str, ...] = ()
    body: tuple[Param, ...] = ()
    query: tuple[Param, ...] = ()
    headers: tuple[Param, ...] = ()
    media: str = "application/json"
    refusals: tuple[int, ...] = ()
    answered: tuple[str, ...] = field(default=())


RUNNER = ("runnerToken", "runnerTokenInQuery")
JOB = ("tokenOfRunningJob", "runnerTokenInQuery")
_TOKEN = Param("token", help="The same as in the header")
_INFO = Param("info", Kind.ANY_OBJECT, help="What the runner says of itself, its features among it")
_SYSTEM = Param("system_id", help="Names the daemon among those that share a token")
_STEERING = ("Job-Status", "X-GitLab-Trace-Update-Interval")

PROTOCOL = (
    Spoken(
        "post",
        "/runners",
        "register_runner",
        "Register a runner, with a registration token",
        {201: MadeRunner},
        body=(
            Param("token", required=True, help="A registration token"),
            Param("description"),
            Param("maintenance_note"),
            Param("tag_list", Kind.LIST),
            Param("run_untagged", Kind.BOOLEAN),
            Param("locked", Kind.BOOLEAN),
            Param("paused", Kind.BOOLEAN),
            Param("access_level", values=("not_protected", "ref_protected")),
            Param("maximum_timeout", Kind.INTEGER),
            _INFO,
        ),
        refusals=(410,),
    ),
    Spoken("delete", "/runners", "unregister_runner", "Remove the runner", {204: None}, RUNNER),
    Spoken(
        "post",
        "/runners/verify",
        "verify_runner",
        "Say whether a token is a runner's",
        {200: MadeRunner},
        RUNNER,
        (_TOKEN, _SYSTEM, _INFO),
    ),
    Spoken(
        "delete",
        "/runners/managers",
        "unregister_manager",
        "Remove one daemon of the runner",
        {204: None},
        RUNNER,
        query=(Param("system_id", required=True),),
    ),
    Spoken(
        "post",
        "/runners/reset_authentication_token",
        "reset_own_runner_token",
        "Give the runner a new token",
        {201: MadeRunner},
        RUNNER,
        (_TOKEN,),
    ),
    Spoken(
        "get",
        "/runners/router/discovery",
        "discover_router",
        "Say where jobs are routed: there is no such router here",
        {},
        ("runnerToken",),
        refusals=(501,),
    ),
    Spoken(
        "post",
        "/jobs/request",
        "request_job",
        "Ask for a job; without one the answer is held for up to a minute",
        {201: JobPayload, 204: None},
        RUNNER,
        (_TOKEN, _SYSTEM, _INFO, Param("last_update", help="X-GitLab-Last-Update of the answer before")),
        answered=("X-GitLab-Last-Update",),
    ),
    Spoken(
        "put",
        "/jobs/{job_id}",
        "report_job",
        "Report on a job",
        {200: str},
        JOB,
        (
            _TOKEN,
            Param("state", required=True, values=("running", "success", "failed", "pending")),
            Param("failure_reason"),
            Param("exit_code", Kind.INTEGER),
            Param("checksum"),
            Param("output", Kind.ANY_OBJECT, help="checksum and bytesize of the whole log"),
            _INFO,
        ),
        refusals=(409, 412),
        answered=_STEERING,
    ),
    Spoken(
        "patch",
        "/jobs/{job_id}/trace",
        "append_trace",
        "Send a piece of a job's log",
        {202: None},
        JOB,
        headers=(Param("Content-Range", required=True, help="START-END, in bytes of the log"),),
        media="text/plain",
        refusals=(409, 416),
        answered=(*_STEERING, "Range"),
    ),
    Spoken(
        "post",
        "/jobs/{job_id}/artifacts",
        "upload_artifacts",
        "Upload a job's artifacts",
        {201: str},
        JOB,
        (Param("file", required=True),),
        (Param("artifact_type"), Param("artifact_format"), Param("expire_in")),
        media="multipart/form-data",
        refusals=(409,),
    ),
    Spoken(
        "get",
        "/jobs/{job_id}/artifacts",
        "download_artifacts",
        "Download the artifacts of a job that one depends on",
        {200: None, 206: None, 304: None},
        JOB,
        refusals=(409, 416),
    ),
)


def operations(schemas: Schemas) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The path, the method and the operation of each."""
    for spoken in PROTOCOL:
        yield spoken.path, spoken.method, _operation(spoken, schemas)


def _operation(spoken: Spoken, schemas: Schemas) -> dict[str, Any]:
    refused = sorted({400, 403, 404, 413, 429, 503, *spoken.refusals})
    good = {str(status): _good(spoken, status, shape, schemas) for status, shape in spoken.answers.items()}
    shown: dict[str, Any] = {
        "operationId": spoken.name,
        "summary": spoken.summary,
        "tags": ["Runner protocol"],
        "parameters": _parameters(spoken),
        "responses": good | {str(status): _refusal(status, schemas) for status in refused},
        "security": [{name: []} for name in spoken.secured] or [{}],
        "x-callers": ["job" if spoken.secured == JOB else "runner" if spoken.secured else "registration"],
        "x-scopes": [],
    }
    if spoken.body or spoken.method == "patch":
        schema: Schema = object_of(spoken.body) if spoken.body else {"type": "string"}
        if spoken.media == "multipart/form-data":
            schema["properties"] = {"file": {"type": "string", "format": "binary"}}
        shown["requestBody"] = {"required": True, "content": {spoken.media: {"schema": schema}}}
    return shown


def _parameters(spoken: Spoken) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    if "{job_id}" in spoken.path:
        schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
        shown.append({"name": "job_id", "in": "path", "required": True, "schema": schema})
    for place, params in (("query", spoken.query), ("header", spoken.headers)):
        shown += [
            {"name": param.name, "in": place, "required": param.required, "schema": {"type": "string"}}
            | ({"description": param.help} if param.help else {})
            for param in params
        ]
    return shown


def _good(spoken: Spoken, status: int, shape: Any, schemas: Schemas) -> dict[str, Any]:
    headers = {name: {"schema": {"type": "string"}} for name in spoken.answered}
    shown: dict[str, Any] = {"description": HTTP_STATUS_CODES[status], "headers": headers}
    if shape is not None:
        shown["content"] = {"application/json": {"schema": schemas.of(shape)}}
    elif status in (200, 206):
        shown["content"] = {"application/octet-stream": {"schema": {}}}
    return shown


def _refusal(status: int, schemas: Schemas) -> dict[str, Any]:
    if status in (410, 501):
        content = {"application/json": {"schema": schemas.of(Message)}}
        return {"description": HTTP_STATUS_CODES[status], "content": content}
    return {"$ref": f"#/components/responses/{name_of(status)}"}
