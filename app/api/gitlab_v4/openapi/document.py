"""The OpenAPI 3.1 document of all that is served below /api/v4, made of the declarations that also validate."""

from collections.abc import Iterable
from importlib import metadata
from typing import Any

from flask import Flask

from app.api.gitlab_v4.endpoint import Endpoint
from app.api.gitlab_v4.openapi import inputs, outputs, runner_protocol
from app.api.gitlab_v4.openapi.operations import SCHEMES, operation
from app.api.gitlab_v4.openapi.schema import Schemas

_ABOUT = (
    "GitLab's REST API v4 and its runner protocol, as Skerry serves them. Parameters of writes are taken from a JSON "
    "body, a form, or the query, whichever a client likes; unknown ones are passed over. Lists come in pages. What is "
    "refused says why in `message` or `error`."
)


def endpoints_of(app: Flask) -> list[Endpoint]:
    """The endpoints that `app` really serves, in the order of their declaration."""
    return [view for view in app.view_functions.values() if isinstance(view, Endpoint)]


def build(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document."""
    schemas, paths = Schemas(), dict[str, dict[str, Any]]()
    for endpoint in endpoints:
        for index, path in enumerate(endpoint.paths):
            shown = operation(endpoint, index, path, schemas)
            paths.setdefault(inputs.address(path), {})[endpoint.method.lower()] = shown
    for path, method, shown in runner_protocol.operations(schemas):
        paths.setdefault(path, {})[method] = shown
    parts = outputs.components(schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Skerry", "version": _version(), "description": _ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/api/v4"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.found.items())), "securitySchemes": SCHEMES, **parts},
    }


def _version() -> str:
    try:
        return metadata.version("skerry")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
