"""`skerry project create --mirror`: the new project is fetched at once."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli import cli
from app.domain.errors import SkerryError
from app.models import Pipeline, Project
from tests.contract.git.conftest import Hosted
from tests.factories import make_user
from tests.git_client import Checkout


@pytest.fixture
def skerry(hosted: Hosted) -> Callable[..., Result]:
    """Run a command on the data of the live server."""
    make_user(hosted.core, "boss", is_admin=True)
    environment = {
        "SKERRY_DATA_DIR": str(hosted.core.data_dir),
        "SKERRY_DATABASE_URL": hosted.core.config.database_url,
        "SKERRY_EXTERNAL_URL": hosted.server.url,
    }

    def run(*words: str, **options: Any) -> Result:
        hosted.core.session.rollback()
        return CliRunner().invoke(cli, words, env=environment, **options)

    return run


def made(hosted: Hosted) -> Project:
    hosted.core.session.rollback()
    return hosted.core.session.scalars(select(Project).where(Project.full_path == "copies/hello")).one()


def test_a_new_mirror_is_fetched_and_its_pipelines_start(
    hosted: Hosted, pushed: Checkout, skerry: Callable[..., Result]
) -> None:
    result = skerry("project", "create", "copies/hello", "--mirror", hosted.owner_url)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{hosted.server.url}/copies/hello.git\n"
    assert "the mirror is fetched; 1 pipeline started" in result.stderr
    started = hosted.core.session.scalars(select(Pipeline).where(Pipeline.project_id == made(hosted).id)).one()
    assert started.sha == pushed.git("rev-parse", "HEAD")


def test_a_mirror_that_cannot_be_fetched_is_said_plainly_and_the_project_stays(
    hosted: Hosted, pushed: Checkout, skerry: Callable[..., Result]
) -> None:
    wrong = hosted.url("owner", "glpat-very-wrong")
    result = skerry("project", "create", "copies/hello", "--mirror", wrong)
    assert isinstance(result.exception, SkerryError)  # `main` makes it one line and exit code 1
    assert "the project is made, but its mirror could not be fetched" in str(result.exception)
    assert "glpat-very-wrong" not in result.output + str(result.exception)
    assert made(hosted).mirror_error
