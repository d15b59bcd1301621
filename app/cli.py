"""`skerry`: the server's command line.

Every command prints what it made, tokens alone on standard output, and says what is wrong in one sentence on standard
error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import cli_pipeline

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Config
    from app.models import Project, User
    from app.services.core import Core

VISIBILITIES = ["private", "internal", "public"]
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="skerry")
def cli() -> None:
    """Skerry, a self-hosted CI server.

    Settings come from SKERRY_* variables; SKERRY_DATA_DIR (default ./data) is where everything is kept.
    Begin with `skerry init`, then `skerry user create NAME --admin` and `skerry serve`.
    """


def main() -> None:
    """The console entry: refusals become one line and exit code 1."""
    try:
        cli()
    except Exception as error:
        if not isinstance(error, _refusals()):
            raise
        click.echo(f"skerry: {error}", err=True)
        sys.exit(1)


def _refusals() -> tuple[type[Exception], ...]:
    """What is said in one line. Loaded only then: the master of the server does without what these modules need."""
    from app.config import ConfigError
    from app.crypto import KeyMissing
    from app.domain.errors import SkerryError
    from app.schema import SchemaTooNew

    return (ConfigError, KeyMissing, SkerryError, SchemaTooNew)


def _config() -> Config:
    from app.config import read_config
    from app.leave_root import act_as_owner

    act_as_owner(os.environ)
    return read_config(os.environ)


def _create_app() -> Flask:
    from app import create_app

    return create_app(_config())


@contextmanager
def _core() -> Iterator[Core]:
    """The Core in an application context, for a database that `skerry init` has prepared."""
    from app import schema

    app = _create_app()
    with app.app_context():
        core = app.extensions["skerry"]
        schema.require_newest(core.session.connection())
        core.session.remove()
        yield core


def with_core(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the Core as the command's first argument."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        with _core() as core:
            command(core, *args, **kwargs)

    return run


@cli.command()
def init() -> None:
    """Make the data folder, the key of secrets and the database, or bring an older database up to date."""
    from app.services import initialise

    config = _config()
    for line in initialise.prepare_folder(config):
        click.echo(line)
    with _create_app().app_context():
        for line in initialise.prepare_database():
            click.echo(line)


@cli.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from app.serve import serve as run

    run(_config())


@cli.group()
def user() -> None:
    """People."""


@user.command("create")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May do everything.")
@click.option("--email", default="", help="Where mail goes.")
@click.option("--full-name", help="As shown on pages; NAME when not given.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
@with_core
def user_create(core: Core, name: str, admin: bool, email: str, full_name: str | None, password_stdin: bool) -> None:
    """Make the user NAME and print the password, this once."""
    from app.services.accounts.create_user import create_user

    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    _, password = create_user(core, username=name, name=full_name, email=email, password=given, is_admin=admin)
    click.echo(password if given is None else f"user {name} is made")


@cli.group()
def token() -> None:
    """Personal access tokens."""


@token.command("create")
@click.option("--user", "username", required=True, help="Whose token it is.")
@click.option("--scopes", default="api", show_default=True, help="Comma-separated: api, read_api, read_repository …")
@click.option("--name", default="cli", show_default=True, help="What the list of tokens calls it.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Last day on which it works (UTC).")
@with_core
def token_create(core: Core, username: str, scopes: str, name: str, expires: Any) -> None:
    """Make a token and print it, alone, this once."""
    from app.services.accounts.create_token import create_token

    names = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    _, plain = create_token(core, user=_user(core, username), name=name, scopes=names, expires_at=_end_of_day(expires))
    click.echo(plain)


@cli.group()
def project() -> None:
    """Projects."""


@project.command("create")
@click.argument("path", metavar="GROUP/NAME")
@click.option("--mirror", metavar="URL", help="Fetch from URL (credentials may stand in it) instead of taking pushes.")
@click.option("--visibility", type=click.Choice(VISIBILITIES), default="private", show_default=True)
@click.option("--description", default="")
@click.option("--owner", metavar="USER", help="Who owns it; the first administrator when not given.")
@with_core
def project_create(
    core: Core, path: str, mirror: str | None, visibility: str, description: str, owner: str | None
) -> None:
    """Make the project GROUP/NAME, and the groups that are missing; print where to push.

    A mirror is fetched at once. Where that fails, the project stays and is fetched again later; the exit code is 1.
    """
    from app.services.projects.create_project import create_project

    creator = _user(core, owner) if owner else _first_admin(core)
    made = create_project(
        core,
        full_path=path,
        creator=creator,
        visibility=visibility,
        mirror_url=mirror,
        description=description,
    )
    click.echo(f"{core.config.external_url}/{made.full_path}.git")
    if mirror:
        _fetch(core, made)


def _fetch(core: Core, made: Project) -> None:
    """Bring a new mirror's content, and say on standard error what came of it: what is printed is the address alone."""
    from app.domain.errors import SkerryError
    from app.services.repositories.mirror import fetch_mirror

    try:
        outcome = fetch_mirror(core, made)
    except SkerryError as error:
        raise SkerryError(f"the project is made, but its mirror could not be fetched: {error}") from error
    count = len(outcome.pipelines)
    click.echo(f"the mirror is fetched; {count} pipeline{'' if count == 1 else 's'} started", err=True)
    for note in outcome.notes:
        click.echo(note, err=True)


@cli.group()
def runner() -> None:
    """Runners."""


@runner.command("create")
@click.option("--tags", default="", help="Comma-separated tags of the jobs it takes.")
@click.option("--run-untagged/--no-run-untagged", default=None, help="Take jobs without tags; yes when it has none.")
@click.option("--description", default="", help="What pages call it.")
@click.option("--project", "project_path", metavar="GROUP/NAME", help="Only for this project.")
@click.option("--protected", is_flag=True, help="Only for jobs of protected branches and tags.")
@with_core
def runner_create(
    core: Core, tags: str, run_untagged: bool | None, description: str, project_path: str | None, protected: bool
) -> None:
    """Make a runner and print its glrt-… token, alone, this once; `skerry-runner register` takes it."""
    from app.services.access import find_project
    from app.services.runners.create_runner import create_runner

    names = [tag.strip() for tag in tags.split(",") if tag.strip()]
    target = find_project(core, project_path, _first_admin(core)) if project_path else None
    _, plain = create_runner(
        core,
        description=description,
        tags=names,
        run_untagged=not names if run_untagged is None else run_untagged,
        runner_type="project_type" if target else "instance_type",
        project=target,
        access_level="ref_protected" if protected else "not_protected",
    )
    click.echo(plain)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def lint(files: tuple[Path, ...], style: str) -> None:
    """Check pipeline FILES; exit code 1 when one of them has an error."""
    from app.services.pipelines.lint import lint_file

    results = [lint_file(path) for path in files]
    if style == "json":
        click.echo(json.dumps([result.as_json() for result in results], indent=2))
    else:
        for result in results:
            click.echo(result.as_text())
    sys.exit(0 if all(result.valid for result in results) else 1)


@cli.command()
def doctor() -> None:
    """Look at this installation and say what is wrong and how to mend it; exit code 1 when something is."""
    from app.doctor import run_checks

    failed = False
    for check in run_checks(os.environ):
        mark = {"ok": "ok  ", "warning": "warn", "error": "FAIL"}[check.level]
        click.echo(f"{mark}  {check.name}: {check.detail}")
        if check.mend:
            click.echo(f"      mend: {check.mend}")
        failed = failed or check.level == "error"
    sys.exit(1 if failed else 0)


cli.add_command(cli_pipeline.pipeline)


def _user(core: Core, username: str) -> User:
    from sqlalchemy import func, select

    from app.domain.errors import NotFound
    from app.models import User

    found = core.session.scalar(select(User).where(func.lower(User.username) == username.lower()))
    if found is None:
        raise NotFound(f"User {username}")
    return found


def _first_admin(core: Core) -> User:
    from sqlalchemy import select

    from app.domain.errors import SkerryError
    from app.models import User

    found = core.session.scalar(select(User).where(User.is_admin, ~User.blocked).order_by(User.id).limit(1))
    if found is None:
        raise SkerryError("there is no administrator yet: `skerry user create NAME --admin` makes one")
    return found


def _end_of_day(day: Any) -> Any:
    from datetime import UTC, timedelta

    return day.replace(tzinfo=UTC) + timedelta(days=1) if day else None


if __name__ == "__main__":
    main()
