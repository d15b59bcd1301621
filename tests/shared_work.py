"""What every application of one test run works out alike, worked out once.

Each test has an application of its own. Two things make that slow: werkzeug writes and compiles two functions for each
of the routes, and SQLAlchemy compiles each statement for each engine. Both results are the same every time.
"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]


def compile_routes_once(patch: pytest.MonkeyPatch) -> None:
    """Make equal rules of different applications share the functions that build their addresses."""
    compiled: dict[Any, _Builder] = {}
    compile_builder: Callable[[Rule, bool], _Builder] = Rule._compile_builder

    def compile_once(rule: Rule, append_unknown: bool = True) -> _Builder:
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    patch.setattr(Rule, "_compile_builder", compile_once)


class _Statements(LRUCache[Any, Any]):
    """Compiled statements by their text, whichever engine of a kind asks for them."""

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return super().__getitem__(_of_any_engine(key))

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_any_engine(key), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(_of_any_engine(key), value)


def _of_any_engine(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (type(dialect), *statement)


_statements = _Statements(2000)


def share_statements(engine: Engine) -> None:
    """Make `engine` use the statements that engines of its kind have compiled before."""
    engine.update_execution_options(compiled_cache=_statements)
