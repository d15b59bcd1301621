"""`skerry user …` and `skerry token …`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from app.cli.opening import user_called, with_core

if TYPE_CHECKING:
    from app.services.core import Core


@click.group()
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


@click.group()
def token() -> None:
    """Personal access tokens."""


@token.command("create")
@click.option("--user", "username", required=True, help="Whose token it is.")
@click.option("--scopes", default="api", show_default=True, help="Comma-separated: api, read_api, read_repository …")
@click.option("--name", default="cli", show_default=True, help="What the list of tokens calls it.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Last day on which it works (UTC).")
@with_core
def token_create(core: Core, username: str, scopes: str, name: str, expires: datetime | None) -> None:
    """Make a token and print it, alone, this once."""
    from app.services.accounts.create_token import create_token

    names = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    _, plain = create_token(
        core, user=user_called(core, username), name=name, scopes=names, expires_at=_end_of_day(expires)
    )
    click.echo(plain)


def _end_of_day(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) + timedelta(days=1) if day else None
