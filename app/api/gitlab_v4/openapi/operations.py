"""One declared endpoint as OpenAPI's operations, one for each of its addresses."""

from typing import Any

from app.api.gitlab_v4.callers import Kind
from app.api.gitlab_v4.endpoint import Endpoint
from app.api.gitlab_v4.openapi import inputs, outputs
from app.api.gitlab_v4.openapi.answers import ANSWERS, Answer
from app.api.gitlab_v4.openapi.schema import Schemas

#: An answer that nobody described. A test finds them.
_UNKNOWN = Answer(Any)
#: Where a personal token may stand; a session stands in for one that may do all.
TOKENS = ("privateToken", "bearer", "privateTokenInQuery", "accessTokenInQuery")
JOB_TOKENS = ("jobToken", "bearerOfJob", "jobTokenInQuery")
SCHEMES: dict[str, Any] = {
    "privateToken": {
        "type": "apiKey",
        "in": "header",
        "name": "PRIVATE-TOKEN",
        "description": "A personal access token",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "A personal access token"},
    "privateTokenInQuery": {"type": "apiKey", "in": "query", "name": "private_token"},
    "accessTokenInQuery": {"type": "apiKey", "in": "query", "name": "access_token"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "skerry_session",
        "description": "Whoever signed in to the pages; writes need their X-CSRF-Token too",
    },
    "jobToken": {"type": "apiKey", "in": "header", "name": "JOB-TOKEN", "description": "The token of a running job"},
    "bearerOfJob": {"type": "http", "scheme": "bearer", "description": "The token of a running job"},
    "jobTokenInQuery": {"type": "apiKey", "in": "query", "name": "job_token"},
    "runnerToken": {"type": "apiKey", "in": "header", "name": "Runner-Token", "description": "A runner's token"},
    "runnerTokenInQuery": {"type": "apiKey", "in": "query", "name": "token", "description": "The same, or in the body"},
    "tokenOfRunningJob": {
        "type": "apiKey",
        "in": "header",
        "name": "Job-Token",
        "description": "The token that the job came with",
    },
}


def security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    """Who may call: any one of these. Of a personal token `x-scopes` says which scopes do."""
    ways: list[dict[str, list[str]]] = [{}] if Kind.ANONYMOUS in endpoint.callers else []
    if Kind.USER in endpoint.callers:
        ways += [{name: []} for name in (*TOKENS, "session")]
    if Kind.JOB in endpoint.callers:
        ways += [{name: []} for name in JOB_TOKENS]
    return ways


def operation(endpoint: Endpoint, index: int, path: str, schemas: Schemas) -> dict[str, Any]:
    """The operation at the `index`-th address of `endpoint`. The first is called by the endpoint's name alone."""
    summary, _, more = (endpoint.view.__doc__ or endpoint.name).partition(". ")
    shown: dict[str, Any] = {
        "operationId": endpoint.name if not index else f"{endpoint.name}_{index + 1}",
        "summary": summary.strip().rstrip("."),
        "tags": [tag(endpoint)],
        "parameters": inputs.parameters(endpoint, path),
        "responses": outputs.responses(endpoint, ANSWERS.get(endpoint.name, _UNKNOWN), schemas),
        "security": security(endpoint),
        "x-callers": sorted(endpoint.callers),
        "x-scopes": list(endpoint.scopes) if Kind.USER in endpoint.callers else [],
    }
    if more.strip():
        shown["description"] = " ".join(more.split())
    taken = inputs.body(endpoint, path)
    return shown | ({"requestBody": taken} if taken else {})


def tag(endpoint: Endpoint) -> str:
    """The subject of an endpoint: that of the module it is in."""
    module = endpoint.view.__module__.removesuffix(".openapi").rpartition(".")[2]
    return module.replace("_", " ").capitalize().replace("Gitlab", "GitLab")
