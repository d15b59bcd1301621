"""Which scenario uses which keyword: worked out from what the compiler asks of each mapping that it reads.

`python -m tests.scenarios.coverage` writes the table anew to keywords.txt.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from app.dialects.gitlab import compile_text, keywords, values
from app.dialects.gitlab.entries import variables
from app.dialects.gitlab.nodes import Mapping, Node
from app.dialects.gitlab.report import Report
from tests.scenarios.folders import CONFIGURATION, FOLDERS, context_of

TABLE = Path(__file__).with_name("keywords.txt")
_NAMED = re.compile(r"(:|^)(inputs|id_tokens|variables)(:[^:]+)$")

Row = tuple[str, str]
"""Where a mapping stands (`cache:key`; empty: the top or a job), and a key that it may have."""


class _Listener:
    """Stands in for `values.check_keys`: notes the keys that may be in a mapping, and those that are."""

    def __init__(self) -> None:
        self.may: set[Row] = set()
        self.has: set[Row] = set()

    def check_keys(
        self, report: Report, node: Mapping, path: str, known: Iterable[str], meant: Iterable[str] | None = None
    ) -> None:
        self._note(node, path, tuple(known))
        _check_keys(report, node, path, known, meant)

    def check_data_keys(self, report: Report, node: Mapping, path: str, keys: tuple[str, ...]) -> None:
        self._note(node, path, keys)
        _check_data_keys(report, node, path, keys)

    def _note(self, node: Mapping, path: str, known: tuple[str, ...]) -> None:
        place = _place(path)
        self.may |= {(place, key) for key in known}
        self.has |= {(place, key) for key, entry in node.entries.items() if key in known and _says(entry.value)}


_check_keys = values.check_keys
_check_data_keys = variables._check_data_keys


def _says(node: Node) -> bool:
    """Whether a value is more than nothing."""
    return getattr(node, "value", "") is not None


def _place(path: str) -> str:
    """The path without the names that people chose: `jobs:build:cache:key` is `cache:key`, and a job is `job`."""
    if path.startswith("jobs:"):
        path = re.sub(r"^jobs:(?:[^:]|: )+:?", "", path) or "job"
    # `default` is read as a job is, and needs mean the same in a rule.
    path = path.removeprefix("default:")
    if path.startswith("rules:rule:needs:"):
        path = path.removeprefix("rules:rule:")
    return _NAMED.sub(r"\1\2", path)


def is_declined(row: Row) -> bool:
    """Whether a keyword is known in order to be refused there."""
    key = row[1]
    return key in (*keywords.NOT_COMPILED, "kubernetes") or row in (("include", "artifact"), ("include", "job"))


@contextmanager
def _listening() -> Iterator[_Listener]:
    listener = _Listener()
    with (
        patch.object(values, "check_keys", listener.check_keys),
        patch.object(variables, "_check_data_keys", listener.check_data_keys),
    ):
        yield listener


def table() -> dict[Row, str]:
    """Each keyword that the compiler knows somewhere, with the first scenario that uses it; empty where none does."""
    found: dict[Row, str] = {}
    for folder in FOLDERS:
        expected = json.loads((folder / "expected.json").read_text())
        with _listening() as listener:
            text = (folder / CONFIGURATION).read_text()
            compiled = compile_text(CONFIGURATION, text, context_of(folder, expected.get("context", {})))
            root = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE)) & set(keywords.GLOBAL)
        if re.search(r"\bextends:", text):
            # It is gone before jobs are read.
            listener.has.add(("job", "extends"))
        used = {("", key) for key in root} | listener.has
        if compiled.errors:
            # Only what is compiled shows that a keyword is read; but some can only be refused.
            used = {row for row in used if is_declined(row)}
        for row in {("", key) for key in keywords.GLOBAL} | listener.may:
            found.setdefault(row, "")
        for row in used:
            found[row] = found.get(row) or folder.name
    return dict(sorted(found.items()))


def written(rows: dict[Row, str]) -> str:
    """The table as text, one keyword a line."""
    return "".join(
        f"{f'{place} {key}'.strip():<45} {scenario}".rstrip() + "\n" for (place, key), scenario in rows.items()
    )


if __name__ == "__main__":
    TABLE.write_text(written(table()))
