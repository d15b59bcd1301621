"""What the runner says about itself (gitlab.md A.2)."""

import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_EXECUTORS = (
    *("image", "services", "shared", "session", "terminal", "proxy", "service_variables", "service_multiple_aliases"),
    *("image_executor_opts", "service_executor_opts", "native_steps_integration"),
)
_NEVER = ("vault_secrets", "two_phase_job_commit", "job_inputs")
# What the daemon does whatever the executor is.
_ALWAYS = (
    *("variables", "artifacts", "cache", "fallback_cache_keys", "upload_multiple_artifacts", "upload_raw_artifacts"),
    *("refspecs", "masking", "raw_variables", "artifacts_exclude", "multi_build_steps", "return_exit_code"),
    *("trace_reset", "trace_checksum", "trace_size", "cancelable", "cancel_gracefully"),
)
# Ours; a server that does not know them ignores them.
_EXTENSIONS = ("skerry_steps", "skerry_hand_back")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


@cache
def program_version() -> str:
    """The version of this distribution, "0.0.0" where it runs from a checkout that is not installed."""
    try:
        return version("skerry")
    except PackageNotFoundError:
        return "0.0.0"


def architecture() -> str:
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


USER_AGENT = f"skerry-runner {program_version()} (python{platform.python_version()}; {sys.platform}/{architecture()})"


def features(executor: Mapping[str, bool]) -> dict[str, bool]:
    """All feature flags, each present; `executor` are those that the executor answers for."""
    return {**dict.fromkeys(_EXECUTORS + _NEVER, False), **dict.fromkeys(_ALWAYS + _EXTENSIONS, True), **executor}


def runner_info(executor: str, executor_features: Mapping[str, bool]) -> dict[str, Any]:
    """The `info` object of every request."""
    return {
        "name": "skerry-runner",
        "version": program_version(),
        "revision": "",
        "platform": sys.platform,
        "architecture": architecture(),
        "executor": executor,
        "shell": "bash",
        "features": features(executor_features),
    }
