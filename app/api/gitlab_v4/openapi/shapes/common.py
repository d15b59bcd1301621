"""Words that the shapes share."""

from typing import Annotated, TypedDict

from app.domain.permissions import Visibility
from app.domain.status import AVAILABLE

Time = Annotated[str, ("format", "date-time"), ("examples", ("2015-12-24T15:51:21.880Z",))]
Date = Annotated[str, ("format", "date")]
Status = Annotated[str, ("enum", AVAILABLE)]
Level = Annotated[str, ("enum", tuple(map(str, Visibility)))]


class Message(TypedDict):
    """That something was done."""

    message: str


class SaidError(TypedDict, total=False):
    """What the parameters lack, or why a token opens nothing."""

    error: str
    error_description: str
    scope: str


class SaidMessage(TypedDict):
    """Why it was not done: in words, or by field a list of them."""

    message: str | dict[str, str | list[str]]
