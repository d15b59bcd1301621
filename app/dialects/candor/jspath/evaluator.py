"""What an expression finds. Lists in the data are looked through one level at every step, as the reference does."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.dialects.candor.jspath.operators import UNDEFINED, binary, negative, truth
from app.dialects.candor.jspath.parser import (
    EQUALITIES,
    ORDERINGS,
    Filter,
    Index,
    JsPathError,
    Literal,
    Node,
    Operation,
    Path,
    Selector,
    Slice,
    Union,
)

MOST_STEPS = 200_000


class Evaluation:
    """One evaluation over `data`."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._left = MOST_STEPS

    def result(self, tree: Node) -> Any:
        found = self._value(tree, self._data)
        if isinstance(tree, Path) and tree.steps and isinstance(tree.steps[-1], Index):
            return found[0] if found else UNDEFINED
        return found

    def _value(self, node: Node, context: Any) -> Any:
        """A list for paths and unions, a plain value for everything else."""
        self._work(1)
        if isinstance(node, Path):
            return self._path(node, context)
        if isinstance(node, Union):
            return [found for part in node.parts for found in self._value(part, context)]
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Operation):
            return self._operation(node, context)
        raise JsPathError("a step of a path stands alone")

    def _path(self, path: Path, context: Any) -> list[Any]:
        start = self._data if path.from_root else context
        found = list(start) if isinstance(start, list) else [start]
        for step in path.steps:
            self._work(len(found))
            found = self._step(step, found)
        return found

    def _step(self, step: Node, found: list[Any]) -> list[Any]:
        if isinstance(step, Selector):
            return self._descend(step.name, found) if step.descendants else list(_select(step.name, found))
        if isinstance(step, Filter):
            return [item for item in found if truth(self._value(step.condition, item))]
        if isinstance(step, Index):
            return _at(found, _single(self._value(step.index, found)))
        if isinstance(step, Slice):
            start = 0 if step.start is None else _whole(_single(self._value(step.start, found)))
            end = len(found) if step.end is None else _whole(_single(self._value(step.end, found)))
            return found[start:end]
        return list(self._value(step, found))

    def _descend(self, name: str, found: Sequence[Any]) -> list[Any]:
        """Everything called `name` at any depth, outer before inner."""
        result: list[Any] = []
        waiting = list(reversed(found))
        while waiting:
            self._work(1)
            item = waiting.pop()
            if not name and not isinstance(item, list):
                result.append(item)
            elif isinstance(item, dict):
                result.extend(_select(name, [item]))
            waiting.extend(reversed(_children(item, everything=not name)))
        return result

    def _operation(self, node: Operation, context: Any) -> Any:
        if node.operator == "&&":
            return all(truth(self._value(operand, context)) for operand in node.operands)
        if node.operator == "||":
            return any(truth(self._value(operand, context)) for operand in node.operands)
        values = [self._value(operand, context) for operand in node.operands]
        if node.operator == "unary !":
            return not truth(values[0])
        if node.operator == "unary -":
            return negative(_single(values[0]))
        if node.operator in EQUALITIES | ORDERINGS:
            # A path stands for everything that it found: one that fits is enough.
            left, right = (value if isinstance(value, list) else [value] for value in values)
            self._work(len(left) * len(right))
            return any(binary(node.operator, one, other) for one in left for other in right)
        return binary(node.operator, _single(values[0]), _single(values[1]))

    def _work(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise JsPathError("the expression takes too much work")


def _children(item: Any, everything: bool) -> list[Any]:
    children: list[Any] = []
    if isinstance(item, list):
        for value in item:
            if everything or isinstance(value, list | dict):
                _append(children, value)
    elif isinstance(item, dict):
        for value in item.values():
            _append(children, value)
    return children


def _select(name: str, found: Sequence[Any]) -> Iterator[Any]:
    for item in found:
        values: list[Any] = []
        if not name:
            values = [item]
        elif name == "*":
            if isinstance(item, list):
                values = item
            elif isinstance(item, dict):
                for value in item.values():
                    _append(values, value)
        else:
            _append(values, _member(item, name))
        yield from values


def _member(item: Any, name: str) -> Any:
    if isinstance(item, dict):
        return item.get(name, UNDEFINED)
    if isinstance(item, str | list):
        if name == "length":
            return len(item)
        if name.isascii() and name.isdigit() and str(int(name[:9])) == name and int(name) < len(item):
            return item[int(name)]
    return UNDEFINED


def _append(values: list[Any], value: Any) -> None:
    if isinstance(value, list):
        values.extend(value)
    elif value is not UNDEFINED:
        values.append(value)


def _at(found: Sequence[Any], index: Any) -> list[Any]:
    if isinstance(index, bool) or not isinstance(index, int | float) or index != index or index % 1:
        return []
    place = int(index) + (len(found) if index < 0 else 0)
    return [found[place]] if 0 <= place < len(found) and found[place] is not None else []


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return int(max(-1e9, min(1e9, value)))


def _single(value: Any) -> Any:
    if isinstance(value, list):
        return value[0] if value else UNDEFINED
    return value
