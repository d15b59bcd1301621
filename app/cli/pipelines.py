"""`skerry pipeline …`: named pipelines that a trigger token starts, and who is assigned to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.opening import first_admin, user_called, with_core

if TYPE_CHECKING:
    from app.models import PipelineDefinition, Project
    from app.services.core import Core


@click.group()
def pipeline() -> None:
    """Named pipelines, started by a token."""


@pipeline.command("create")
@click.argument("project_path", metavar="GROUP/NAME")
@click.argument("name")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A plan that is stored with the pipeline, which then needs no repository.",
)
@click.option("--config-path", metavar="PATH", help="The plan's file in the repository, such as candor.yml.")
@click.option("--public", is_flag=True, help="Everyone may see its runs, logs and archived files.")
@click.option("--assign", "users", multiple=True, metavar="USER", help="Who may run and change it; may be repeated.")
@with_core
def create(
    core: Core,
    project_path: str,
    name: str,
    file: Path | None,
    config_path: str | None,
    public: bool,
    users: tuple[str, ...],
) -> None:
    """Make the pipeline NAME of the project GROUP/NAME and print the address that starts it.

    A project that is missing is made, without a repository. Without --file and --config-path the plan has no stages
    yet.
    """
    from app.services.runs import assignees, definitions

    if file and config_path:
        raise click.UsageError("--file and --config-path exclude each other")
    text = None if config_path else _text(file)
    path = config_path or ("candor.json" if file is None or file.suffix == ".json" else "candor.yml")
    definitions.check_name(name)
    if text is not None:
        definitions.check_text(path, text, str(file) if file else None)
    people = [user_called(core, username) for username in users]
    project = _project(core, project_path)
    made, token = definitions.create_definition(core, project, name, config_path=path, stored_text=text, public=public)
    assignees.assign(core, made, people)
    click.echo(_trigger(core, token))


@pipeline.command("token")
@click.argument("name")
@click.option("--renew", is_flag=True, help="Make a new token; the one before stops working.")
@with_core
def token(core: Core, name: str, renew: bool) -> None:
    """Print the trigger token of the pipeline NAME, alone."""
    from app.services.runs import definitions

    found = definitions.definition_by_name(core, name)
    click.echo((None if renew else definitions.token_of(core, found)) or definitions.renew_token(core, found))


@pipeline.command("assign")
@click.argument("name")
@click.argument("users", metavar="USER…", nargs=-1, required=True)
@with_core
def assign(core: Core, name: str, users: tuple[str, ...]) -> None:
    """Let each USER see, run and change the pipeline NAME, whatever their role in its project is."""
    from app.services.runs import assignees, definitions

    found = definitions.definition_by_name(core, name)
    assignees.assign(core, found, [user_called(core, username) for username in users])
    click.echo(f"{name} is assigned to {_assignees(core, found)}")


@pipeline.command("unassign")
@click.argument("name")
@click.argument("users", metavar="USER…", nargs=-1, required=True)
@with_core
def unassign(core: Core, name: str, users: tuple[str, ...]) -> None:
    """Take the pipeline NAME from each USER. Who may start its project's pipelines keeps it."""
    from app.services.runs import assignees, definitions

    found = definitions.definition_by_name(core, name)
    assignees.unassign(core, found, [user_called(core, username) for username in users])
    click.echo(f"{name} is assigned to {_assignees(core, found)}")


@pipeline.command("show")
@click.argument("name", required=False)
@with_core
def show(core: Core, name: str | None) -> None:
    """Show the pipeline NAME and its configuration, or list all pipelines."""
    from app.services.runs import definitions

    if name is None:
        for definition in definitions.all_definitions(core):
            click.echo(_line(definition))
        return
    found = definitions.definition_by_name(core, name)
    plain = definitions.token_of(core, found)
    click.echo(_line(found))
    click.echo(f"trigger: {_trigger(core, plain) if plain else 'none; `skerry pipeline token` makes one'}")
    click.echo(f"assignees: {_assignees(core, found)}")
    path, text = definitions.configuration_of(core, found)
    click.echo(f"{path}:\n{text.rstrip()}")


def _line(definition: PipelineDefinition) -> str:
    from app.services.runs.definitions import display_name

    seen = "public" if definition.public else "private"
    return f"{definition.id}\t{display_name(definition)}\t{definition.project.full_path}\t{seen}"


def _assignees(core: Core, definition: PipelineDefinition) -> str:
    from app.services.runs.assignees import assignees

    return ", ".join(assignees(core, definition)) or "nobody"


def _trigger(core: Core, plain: str) -> str:
    return f"{core.config.external_url}/trigger/{plain}"


def _text(file: Path | None) -> str:
    from app.domain.errors import InvalidRequest

    if file is None:
        return '{"stages": []}'
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file} is not UTF-8 text") from None


def _project(core: Core, path: str) -> Project:
    """The project at `path`, made without a repository where it is missing."""
    from app.domain.errors import NotFound
    from app.services.access import find_project
    from app.services.projects.create_project import create_project

    admin = first_admin(core)
    try:
        return find_project(core, path, admin)
    except NotFound:
        return create_project(core, full_path=path, creator=admin, has_repository=False)
