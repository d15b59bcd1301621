"""What every command begins with: the settings, the application, and who acts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Config
    from app.models import User
    from app.services.core import Core


def settings() -> Config:
    """Read the settings of the environment; root acts as the owner of the data from here on."""
    from app.config import read_config
    from app.leave_root import act_as_owner

    act_as_owner(os.environ)
    return read_config(os.environ)


def application() -> Flask:
    """The application as the settings say."""
    from app import create_app

    return create_app(settings())


@contextmanager
def opened_core() -> Iterator[Core]:
    """The Core in an application context, for a database that `skerry init` has prepared."""
    from app import schema

    app = application()
    with app.app_context():
        core = app.extensions["skerry"]
        schema.require_newest(core.session.connection())
        core.session.remove()
        yield core


def with_core(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the Core as the command's first argument."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        with opened_core() as core:
            command(core, *args, **kwargs)

    return run


def user_called(core: Core, username: str) -> User:
    """Whose name this is, in any case of letters. Raises NotFound."""
    from sqlalchemy import func, select

    from app.domain.errors import NotFound
    from app.models import User

    found = core.session.scalar(select(User).where(func.lower(User.username) == username.lower()))
    if found is None:
        raise NotFound(f"User {username}")
    return found


def first_admin(core: Core) -> User:
    """Who acts where nobody is named. Raises SkerryError where there is no administrator."""
    from sqlalchemy import select

    from app.domain.errors import SkerryError
    from app.models import User

    found = core.session.scalar(select(User).where(User.is_admin, ~User.blocked).order_by(User.id).limit(1))
    if found is None:
        raise SkerryError("there is no administrator yet: `skerry user create NAME --admin` makes one")
    return found
