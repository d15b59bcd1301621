"""What every application of one test run works out alike, worked out once.

Each test has an application of its own. Three things make that slow: werkzeug compiles each route, Jinja each template,
and SQLAlchemy each statement for each engine. The results are the same every time.
"""

from collections.abc import Callable
from typing import Any

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


def compile_routes_once(patch: pytest.MonkeyPatch) -> None:
    """Make equal rules of different applications share what werkzeug compiles them to."""
    compiled: dict[Any, dict[str, Any]] = {}
    compile_rule: Callable[[Rule], None] = Rule.compile
    values, functions = ("_parts", "_trace", "_converters", "arguments"), ("_build", "_build_unknown")

    def compile_once(rule: Rule) -> None:
        key = (rule.rule, repr(rule.defaults), rule.strict_slashes, rule.merge_slashes, rule.is_leaf)
        if key not in compiled:
            compile_rule(rule)
            compiled[key] = {name: getattr(rule, name) for name in values}
            compiled[key] |= {name: getattr(rule, name).__func__ for name in functions}
            return
        for name in values:
            setattr(rule, name, compiled[key][name])
        for name in functions:
            setattr(rule, name, compiled[key][name].__get__(rule, None))

    patch.setattr(Rule, "compile", compile_once)


class SharedTemplates(BytecodeCache):
    """Templates by name and content, compiled once a run."""

    _compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (known := self._compiled.get(bucket.key + bucket.checksum)) is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


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
