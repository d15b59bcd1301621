"""What all edges share: how a view finds the Core."""

from typing import cast

from flask import current_app

from app.services.core import Core


def core() -> Core:
    """The Core of the application that serves the current request."""
    return cast(Core, current_app.extensions["skerry"])
