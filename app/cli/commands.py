"""The group of all commands, and those that belong to the installation itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from app.cli.accounts import token, user
from app.cli.opening import application, settings
from app.cli.pipelines import pipeline
from app.cli.projects import project
from app.cli.runners import runner

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


@cli.command()
def init() -> None:
    """Make the data folder, the key of secrets and the database, or bring an older database up to date."""
    from app.services import initialise

    config = settings()
    for line in initialise.prepare_folder(config):
        click.echo(line)
    with application().app_context():
        for line in initialise.prepare_database():
            click.echo(line)


@cli.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from app.serve import serve as run

    run(settings())


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


for group in (user, token, project, runner, pipeline):
    cli.add_command(group)
