"""`skerry project …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.opening import first_admin, user_called, with_core

if TYPE_CHECKING:
    from app.models import Project
    from app.services.core import Core

VISIBILITIES = ["private", "internal", "public"]


@click.group()
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

    creator = user_called(core, owner) if owner else first_admin(core)
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
