"""`skerry runner …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.opening import first_admin, with_core

if TYPE_CHECKING:
    from app.services.core import Core


@click.group()
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
    target = find_project(core, project_path, first_admin(core)) if project_path else None
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
