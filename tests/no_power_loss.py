"""The programs under test bring what counts to disk and wait for it. No test survives a loss of power to read it again,
so within the tests' own process, and in the git that it calls, nobody waits.
"""

import os

import pytest
from sqlalchemy import Engine, event

from app.git import command
from tests import git_client

_NO_WAITING = ("core.fsync", "none")


def wait_for_no_disk(patch: pytest.MonkeyPatch) -> None:
    """Files and git's objects count as kept once they are written."""
    patch.setattr(os, "fsync", lambda descriptor: None)
    patch.setattr(command, "_SETTINGS", (*command._SETTINGS, _NO_WAITING))
    name, value = _NO_WAITING
    for variable, setting in {"COUNT": "1", "KEY_0": name, "VALUE_0": value}.items():
        patch.setitem(git_client.ENVIRONMENT, f"GIT_CONFIG_{variable}", setting)


def commit_without_waiting(engine: Engine) -> None:
    """The same for the commits of a SQLite database, whose connections come after this."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
