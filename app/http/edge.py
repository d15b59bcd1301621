"""What all edges share: how a view finds the Core, and what a database does that does not work."""

from typing import Any, cast

from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.services.core import Core

#: Raised for a database that is away, full or locked, and where no connection to it is free: 503, never 500.
DATABASE_TROUBLE: tuple[type[Exception], ...] = (OperationalError, InterfaceError, NoConnection)
#: How soon a caller may try again what the database could not do, in seconds.
RETRY_AFTER = 5


def core() -> Core:
    """The Core of the application that serves the current request."""
    return cast(Core, current_app.extensions["skerry"])


def api_document() -> dict[str, Any]:
    """The OpenAPI document of /api/v4, which that API leaves here for the pages."""
    return cast(dict[str, Any], current_app.extensions["openapi"]())
