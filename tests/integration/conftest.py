"""Fixtures that every integration test may use.

`runner_user` is an ordinary user with working rootless Podman: `runner_user.run([...])` and `.popen([...])` run
programs as that user, also when root runs the tests. `base_image` is `localhost/skerry/base` in that user's storage.
What a laptop lacks skips a test with the reason; with CI=true it fails.
"""

import os
from typing import NoReturn

import pytest

from tests.integration.runner_account import RunnerUser, UnavailableError, ready_base_image, ready_user


def unavailable(reason: object) -> NoReturn:
    """Skip on a laptop, fail in CI, where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have this: {reason}")
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def runner_user() -> RunnerUser:
    """An ordinary user whose rootless Podman works."""
    try:
        return ready_user()
    except UnavailableError as error:
        unavailable(error)


@pytest.fixture(scope="session")
def base_image(runner_user: RunnerUser) -> str:
    """The name of the base image, which is in `runner_user`'s storage."""
    try:
        return ready_base_image()
    except UnavailableError as error:
        unavailable(error)
