"""What this server is."""

from importlib import metadata
from typing import Any

from app.api.gitlab_v4.endpoint import Call, Routes
from app.services.pipelines.predefined import GITLAB_VERSION

routes = Routes()


def _revision() -> str:
    try:
        return metadata.version("skerry")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


@routes.get("/version", scopes=("api", "read_api", "read_user"))
def version(call: Call) -> dict[str, Any]:
    """Get the version"""
    return {"version": GITLAB_VERSION, "revision": _revision()}


@routes.get("/metadata", scopes=("api", "read_api", "read_user"))
def get_metadata(call: Call) -> dict[str, Any]:
    """Get the version and what else the server offers"""
    agents = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return version(call) | {"kas": agents, "enterprise": False}
