"""YAML text to trees of nodes, within limits, with every problem at its place (gitlab.md C.0, step 1).

The parser's events are put together here instead of by the YAML library: so that depth and size are bounded while
reading, a cycle of anchors is found where it closes, duplicate keys are seen, and every value keeps its line.
"""

import re
from dataclasses import dataclass, field

import yaml

from app.dialects.gitlab import scalars
from app.dialects.gitlab.nodes import Entry, Mapping, Mark, Node, Reference, Scalar, Sequence, mapping, sequence
from app.dialects.gitlab.report import Report, quoted

SIZE_LIMIT = 2 * 1024 * 1024
DEPTH_LIMIT = 100
NODE_LIMIT = 100_000
"""How many values a configuration may have when all aliases and templates are written out."""

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MERGE = "<<"
_STANDARD = "tag:yaml.org,2002:"
_RESOLVED = frozenset({_STANDARD + kind for kind in ("int", "float", "bool", "null")})


class _Unreadable(Exception):
    """Reading cannot go on."""

    def __init__(self, mark: Mark, code: str, message: str) -> None:
        super().__init__(message)
        self.mark, self.code, self.message = mark, code, message


def load(text: str, file: str, report: Report) -> list[Node] | None:
    """The documents in `text`, or None, with the reason in `report`, when it cannot be read."""
    try:
        _check_characters(text, file)
        return _Builder(file, report).documents(text)
    except _Unreadable as wrong:
        report.error(wrong.mark, wrong.code, wrong.message)
    except yaml.MarkedYAMLError as wrong:
        mark, message = _syntax_error(wrong, file)
        report.error(mark, "yaml_syntax", message)
    except yaml.YAMLError:
        report.error(Mark(file, 1, 1), "yaml_syntax", "The text cannot be read as YAML")
    return None


def _check_characters(text: str, file: str) -> None:
    start = Mark(file, 1, 1)
    if len(text) > SIZE_LIMIT or len(text.encode(errors="surrogatepass")) > SIZE_LIMIT:
        raise _Unreadable(
            start, "too_large", f"The parsed YAML is too big: {SIZE_LIMIT // 1024 // 1024} MiB are allowed"
        )
    if match := _UNPRINTABLE.search(text):
        before = text[: match.start()]
        mark = Mark(file, before.count("\n") + 1, match.start() - before.rfind("\n"))
        raise _Unreadable(mark, "control_character", f"control characters are not allowed (U+{ord(match[0]):04X})")


def _syntax_error(wrong: yaml.MarkedYAMLError, file: str) -> tuple[Mark, str]:
    """Where a syntax error is, and its message in the form that GitLab gives it."""
    where = wrong.problem_mark or wrong.context_mark
    named = wrong.context_mark or wrong.problem_mark
    text = " ".join(part for part in (wrong.problem, wrong.context) if part)
    if where is None or named is None:
        return Mark(file, 1, 1), f"(<unknown>): {text}"
    message = f"(<unknown>): {text} at line {named.line + 1} column {named.column + 1}"
    return Mark(file, where.line + 1, where.column + 1), message


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still being read."""

    mark: Mark
    anchor: str | None
    is_mapping: bool
    tag: str | None
    children: list[Node] = field(default_factory=list)


class _Builder:
    """Puts the events of one text together."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._open: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}
        self._documents: list[Node] = []
        self._count = 0

    def documents(self, text: str) -> list[Node]:
        loader = _Loader(text)
        try:
            for event in iter(loader.get_event, None):
                if isinstance(event, yaml.ScalarEvent):
                    self._add(self._scalar(event), event.anchor)
                elif isinstance(event, yaml.CollectionStartEvent):
                    self._start(event)
                elif isinstance(event, yaml.CollectionEndEvent):
                    frame = self._open.pop()
                    self._add(self._finish(frame), frame.anchor)
                elif isinstance(event, yaml.AliasEvent):
                    self._add(self._alias(event), None)
                elif isinstance(event, yaml.DocumentStartEvent):
                    self._anchors = {}
        finally:
            loader.dispose()
        return self._documents

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return Mark(self._file, start.line + 1, start.column + 1) if start else Mark(self._file, 1, 1)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        mark = self._mark(event)
        if len(self._open) >= DEPTH_LIMIT:
            raise _Unreadable(mark, "too_deep", f"The configuration is nested more than {DEPTH_LIMIT} levels deep")
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Frame(mark, event.anchor, is_mapping, event.tag))
        if event.anchor:
            self._anchors[event.anchor] = None

    def _add(self, node: Node, anchor: str | None) -> None:
        self._count += 1
        if self._count > NODE_LIMIT or node.size > NODE_LIMIT:
            message = f"The configuration has more than {NODE_LIMIT} values when its aliases are written out"
            raise _Unreadable(node.mark, "too_many_values", message)
        if node.depth > DEPTH_LIMIT:
            message = f"The configuration is nested more than {DEPTH_LIMIT} levels deep"
            raise _Unreadable(node.mark, "too_deep", message)
        if anchor:
            self._anchors[anchor] = node
        (self._open[-1].children if self._open else self._documents).append(node)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        mark, name = self._mark(event), event.anchor
        if name not in self._anchors:
            raise _Unreadable(mark, "unknown_alias", f"Unknown alias: {quoted(str(name))}")
        node = self._anchors[name]
        if node is None:
            raise _Unreadable(mark, "cyclic_alias", f"The alias `{quoted(name)}` contains itself")
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        mark, tag = self._mark(event), event.tag
        plain = event.implicit[0] if tag is None else tag in _RESOLVED
        if tag not in (None, "!", _STANDARD + "str") and not plain:
            self._unknown_tag(mark, tag)
        if "\0" in event.value:
            # An escape like "\0" in quotes gets past the reader, but no script, variable or database can hold it.
            self._report.error(mark, "control_character", "control characters are not allowed (U+0000)")
        return Scalar(mark, scalars.resolve(event.value) if plain else event.value)

    def _finish(self, frame: _Frame) -> Node:
        if frame.tag == "!reference" and not frame.is_mapping:
            return self._reference(frame)
        if frame.tag not in (None, "!", _STANDARD + "map", _STANDARD + "seq"):
            self._unknown_tag(frame.mark, frame.tag)
        if frame.is_mapping:
            return self._mapping(frame)
        return sequence(frame.mark, frame.children)

    def _unknown_tag(self, mark: Mark, tag: str | None) -> None:
        message = f"Unknown tag `{quoted(tag or '')}`; the only one there is here is `!reference`"
        self._report.error(mark, "unknown_tag", message)

    def _reference(self, frame: _Frame) -> Node:
        keys = [child.value for child in frame.children if isinstance(child, Scalar)]
        if len(keys) != len(frame.children) or not keys or not all(isinstance(key, str) for key in keys):
            message = "!reference is not valid: it takes a list of names, `!reference [job, keyword]`"
            self._report.error(frame.mark, "bad_reference", message)
            return Scalar(frame.mark, None)
        return Reference(frame.mark, tuple(str(key) for key in keys))

    def _mapping(self, frame: _Frame) -> Mapping:
        entries: dict[str, Entry] = {}
        own: dict[str, Mark] = {}
        for key_node, value in zip(frame.children[::2], frame.children[1::2], strict=True):
            key = self._key(key_node)
            if key is None:
                continue
            if key == _MERGE:
                self._merge(entries, value)
                continue
            if key in own:
                message = (
                    f"duplicate key `{quoted(key)}`; the first is in line {own[key].line}, and the last one counts"
                )
                self._report.warning(key_node.mark, "duplicate_key", message)
            own[key] = key_node.mark
            is_named = isinstance(key_node, Scalar) and isinstance(key_node.value, str)
            entries[key] = Entry(key_node.mark, value, is_named)
        return mapping(frame.mark, entries)

    def _key(self, node: Node) -> str | None:
        if isinstance(node, Scalar):
            return "" if node.value is None else scalars.as_text(node.value)
        self._report.error(node.mark, "bad_key", "A key has to be a single value, not a list or a mapping")
        return None

    def _merge(self, entries: dict[str, Entry], value: Node) -> None:
        """Merge the mappings behind a `<<`. As GitLab does it, they override the keys that were written before it."""
        sources = value.items if isinstance(value, Sequence) else (value,)
        if not all(isinstance(source, Mapping) for source in sources):
            self._report.error(value.mark, "bad_merge", "`<<` takes a mapping or a list of mappings")
            return
        for source in reversed(sources):
            if isinstance(source, Mapping):
                entries.update(source.entries)
