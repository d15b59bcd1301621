"""JSPath, the expressions by which a plan looks into a trigger's body.

`evaluate(expression, data)` gives what the reference implementation (npm `jspath` 0.4.0) gives: a list of everything
that was found, or, where the expression ends with `[index]`, the one value itself (UNDEFINED for none). Substitutions
(`$name`) are not part of it. Expressions and their answers, recorded from the reference, are the tests.
"""

from functools import lru_cache
from typing import Any

from app.dialects.candor.jspath.evaluator import UNDEFINED, Evaluation
from app.dialects.candor.jspath.parser import JsPathError, Node, parse

__all__ = ["UNDEFINED", "JsPathError", "evaluate"]

_parse = lru_cache(maxsize=256)(parse)


def evaluate(expression: str, data: Any) -> Any:
    """What `expression` finds in `data`. Raises JsPathError where it does not parse, or takes too much work."""
    tree: Node = _parse(expression)
    return Evaluation(data).result(tree)
