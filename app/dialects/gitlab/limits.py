"""Stops a configuration that has grown too far by its templates, references or includes."""

from app.dialects.gitlab.loader import DEPTH_LIMIT, NODE_LIMIT
from app.dialects.gitlab.nodes import Mark, Node


class TooLarge(Exception):
    """The configuration is beyond a limit; `mark` is where that showed."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark


def checked(node: Node) -> Node:
    """`node`, unless it is too large or too deep to be walked: then TooLarge is raised."""
    if node.size > NODE_LIMIT:
        raise TooLarge(node.mark, f"The configuration has more than {NODE_LIMIT} values when everything is written out")
    if node.depth > DEPTH_LIMIT:
        raise TooLarge(node.mark, f"The configuration is nested more than {DEPTH_LIMIT} levels deep")
    return node
