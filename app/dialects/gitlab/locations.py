"""The items of an `include`, read: which file is meant, by which of six keys (gitlab.md C.1)."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from app.dialects.gitlab import nodes, values
from app.dialects.gitlab.nodes import Mapping as MappingNode
from app.dialects.gitlab.nodes import Mark, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted

KINDS = ("local", "project", "remote", "template", "artifact", "component")
_MORE_KEYS = ("file", "ref", "integrity")
_KEYS = (*KINDS, *_MORE_KEYS, "inputs", "job", "rules")
_HEADER_KINDS = ("local", "project", "remote")
_URL = re.compile(r"https?://[^\s/]+", re.IGNORECASE)
_DIGEST = "sha256-"
_LONGEST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Location:
    """One file to include: `kind` is one of KINDS, `path` what follows it (for `project`: the file), variables
    expanded.

    `digest`: the SHA-256 that a remote file must have. `inputs` as they are written. `rules` have not been asked yet.
    """

    kind: str
    mark: Mark
    path: str
    project: str = ""
    ref: str | None = None
    digest: bytes | None = None
    inputs: Mapping[str, Node] = field(default_factory=dict)
    rules: Node | None = None


class LocationReader:
    """Reads the items of `include`. `expand` replaces variables in a text, `shown` makes a text fit for a message."""

    def __init__(self, report: Report, expand: Callable[[str], str], shown: Callable[[str], str]) -> None:
        self._report = report
        self._expand = expand
        self._shown = shown

    def read(self, item: Node, *, for_header: bool = False) -> list[Location]:
        """The files that one item means: several for a `project` with a list of files, none when it is wrong."""
        if isinstance(item, MappingNode):
            return self._mapping(item, for_header)
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            self._refuse(item.mark, "include config should be a hash or a string")
            return []
        path = self._expand(item.value)
        return [Location("remote" if _URL.match(path) else "local", item.mark, path)]

    def _refuse(self, mark: Mark, message: str) -> None:
        self._report.error(mark, "bad_include", message)

    def _mapping(self, item: MappingNode, for_header: bool) -> list[Location]:
        kinds = [kind for kind in KINDS if _is_present(item.get(kind))]
        listed = ", ".join(f"`{kind}`" for kind in KINDS)
        if not kinds:
            text = json.dumps(nodes.to_plain(item), ensure_ascii=False, separators=(",", ":"))
            message = f"`{self._shown(text)}` does not have a valid subkey for include. Valid subkeys are: {listed}"
            self._refuse(item.mark, message + self._hint(item))
            return []
        if len(kinds) > 1:
            self._refuse(item.mark, f"Each include must use only one of: {listed}")
            return []
        known = (*_HEADER_KINDS, *_MORE_KEYS) if for_header else _KEYS
        values.check_keys(self._report, item, "include", known)
        return self._of_kind(kinds[0], item)

    def _hint(self, item: MappingNode) -> str:
        hints = (self._report.did_you_mean(key, KINDS) for key in item.entries)
        return next(filter(None, hints), "")

    def _of_kind(self, kind: str, item: MappingNode) -> list[Location]:
        digest = self._digest(kind, item)
        if kind == "project":
            return self._project(item)
        node = item.get(kind)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            text = quoted(str(nodes.to_plain(node))) if node else ""
            self._refuse(node.mark if node else item.mark, f"Included file `{text}` needs to be a string")
            return []
        path = self._expand(node.value)
        inputs, rules = self._inputs(item), item.get("rules")
        return [Location(kind, node.mark, path, digest=digest, inputs=inputs, rules=rules)]

    def _project(self, item: MappingNode) -> list[Location]:
        project, ref, file = item.get("project"), item.get("ref"), item.get("file")
        names = file.items if isinstance(file, Sequence) else (file,) if file else ()
        texts = [str(name.value) for name in names if values.is_text(name)]
        if not texts or len(texts) != len(names):
            self._refuse(item.mark, "include config must specify the file where to fetch the config from")
            return []
        path = values.text(self._report, project, "include project", "should be a string") if project else None
        branch = values.text(self._report, ref, "include ref", "should be a string") if ref else None
        if path is None or (ref is not None and branch is None):
            return []
        place = Location(
            "project",
            item.entries["project"].value.mark,
            "",
            self._expand(path).strip("/"),
            self._expand(branch) if branch is not None else None,
            inputs=self._inputs(item),
            rules=item.get("rules"),
        )
        files = zip(names, texts, strict=True)
        return [replace(place, path=self._expand(text).lstrip("/"), mark=name.mark) for name, text in files]

    def _digest(self, kind: str, item: MappingNode) -> bytes | None:
        node = item.get("integrity")
        if node is None:
            return None
        if kind != "remote":
            self._refuse(node.mark, "include config integrity can only be specified for remote includes")
        text = str(node.value) if values.is_text(node) else ""
        if not text.startswith(_DIGEST):
            self._refuse(node.mark, f"include config integrity hash must start with '{_DIGEST}'")
            return None
        try:
            return base64.b64decode(text.removeprefix(_DIGEST), validate=True)
        except (binascii.Error, ValueError):
            self._refuse(node.mark, "include config integrity hash must be base64 encoded")
            return None

    def _inputs(self, item: MappingNode) -> dict[str, Node]:
        node = item.get("inputs")
        if node is None:
            return {}
        if not isinstance(node, MappingNode):
            values.refuse(self._report, node, "include inputs", "should be a hash")
            return {}
        return {name: entry.value for name, entry in node.entries.items()}


def _is_present(node: Node | None) -> bool:
    """What counts as given: no empty text, list or mapping."""
    if node is None:
        return False
    if isinstance(node, Scalar):
        return not isinstance(node.value, str) or bool(node.value.strip())
    return not isinstance(node, Sequence | MappingNode) or node.size > 1


def shown(text: str) -> str:
    """`text` short enough, and free enough of control characters, to stand in a message."""
    start = text[:_LONGEST_SHOWN]
    if not start.isprintable():
        start = "".join(character if character.isprintable() else "?" for character in start)
    return start if len(text) <= _LONGEST_SHOWN else start + "..."
