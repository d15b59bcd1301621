"""What every application of one test run works out alike, worked out once.

Each test has an application of its own. Three things make that slow: werkzeug compiles each route, Jinja each template,
and SQLAlchemy each statement for each engine. The results are the same every time.
"""

from typing import Any, ClassVar

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.orm import Mapper
from sqlalchemy.util import LRUCache
from werkzeug.routing import Map, Rule, RuleFactory


class SharedMap(Map):
    """The routes of an application, put in order when they are first needed, and once for all that have the same."""

    _known: ClassVar[dict[tuple[object, ...], Map]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._given: list[Rule] = []
        super().__init__(*args, **kwargs)

    def add(self, rulefactory: RuleFactory) -> None:
        self._given.extend(rulefactory.get_rules(self))
        self._remap = True

    def update(self) -> None:
        if not self._remap:
            return
        known = self._known.setdefault((self.merge_slashes, *map(_essence, self._given)), self)
        if known is self:
            for rule in self._given:
                super().add(rule)
            super().update()
        self._matcher, self._rules_by_endpoint = known._matcher, known._rules_by_endpoint
        self._remap = False


def _essence(rule: Rule) -> tuple[object, ...]:
    methods = frozenset(rule.methods or ())
    return rule.rule, rule.endpoint, methods, repr(rule.defaults), rule.strict_slashes, rule.build_only


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


def share_inserts(patch: pytest.MonkeyPatch) -> None:
    """Make the mappers' own statements, INSERT above all, be compiled once for all engines of a kind."""
    patch.setattr(Mapper, "_compiled_cache", _statements)


def share_statements(engine: Engine) -> None:
    """Make `engine` use the statements that engines of its kind have compiled before."""
    engine.update_execution_options(compiled_cache=_statements)
