"""What all edges share: how a view finds the Core."""

from typing import cast

from flask import current_app

from app.services.core import Core
from app.services.sign_in_throttle import SignInThrottle


def core() -> Core:
    """The Core of the application that serves the current request."""
    return cast(Core, current_app.extensions["skerry"])


def throttle() -> SignInThrottle:
    """What slows wrong guesses of passwords down."""
    return cast(SignInThrottle, current_app.extensions["skerry_sign_in_throttle"])
