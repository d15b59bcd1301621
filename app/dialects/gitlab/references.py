"""`!reference [job, keyword, …]`: each is replaced by what stands there (gitlab.md C.0, step 4)."""

from app.dialects.gitlab import nodes
from app.dialects.gitlab.limits import TooLarge, checked
from app.dialects.gitlab.loader import DEPTH_LIMIT
from app.dialects.gitlab.nodes import Entry, Mapping, Node, Reference, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted

MOST_NESTED = 10


def resolve(root: Mapping, report: Report) -> Mapping:
    """`root` without references; those that lead nowhere are reported and become null. Raises TooLarge."""
    resolver = _Resolver(root, report)
    entries = {}
    for key, entry in root.entries.items():
        before = report.error_count
        entries[key] = entry._replace(value=resolver.resolve(entry.value, (), 2))
        if report.error_count > before:
            report.broken.add(key)
    same = all(entries[key].value is entry.value for key, entry in root.entries.items())
    return root if same else _checked(root, entries)


def _checked(old: Mapping, entries: dict[str, Entry]) -> Mapping:
    new = nodes.mapping(old.mark, entries)
    checked(new)
    return new


class _Resolver:
    def __init__(self, root: Mapping, report: Report) -> None:
        self._root = root
        self._report = report
        self._known: dict[tuple[str, ...], Node] = {}

    def resolve(self, node: Node, chain: tuple[tuple[str, ...], ...], depth: int) -> Node:
        """`node`, which will stand at `depth`, with its references followed. `chain`: the paths that lead here."""
        if depth > DEPTH_LIMIT:
            raise TooLarge(node.mark, f"The configuration is nested more than {DEPTH_LIMIT} levels deep")
        if not node.refers and depth + node.depth <= DEPTH_LIMIT:
            return node
        if isinstance(node, Reference):
            return self._follow(node, chain, depth)
        if isinstance(node, Sequence):
            items = [self.resolve(item, chain, depth + 1) for item in node.items]
            same = all(new is old for new, old in zip(items, node.items, strict=True))
            return node if same else checked(nodes.sequence(node.mark, items))
        if isinstance(node, Mapping):
            entries = {
                key: entry._replace(value=self.resolve(entry.value, chain, depth + 1))
                for key, entry in node.entries.items()
            }
            same = all(entries[key].value is entry.value for key, entry in node.entries.items())
            return node if same else checked(nodes.mapping(node.mark, entries))
        return node

    def _follow(self, reference: Reference, chain: tuple[tuple[str, ...], ...], depth: int) -> Node:
        if reference.path in self._known:
            return self._known[reference.path]
        target = self._target(reference.path)
        problem = None
        if reference.path in chain:
            problem = "is part of a circular chain"
        elif len(chain) >= MOST_NESTED:
            problem = f"is nested more than {MOST_NESTED} levels deep"
        elif target is None:
            problem = "could not be found"
        if problem or target is None:
            shown = ", ".join(f'"{quoted(part)}"' for part in reference.path)
            self._report.error(reference.mark, "bad_reference", f"!reference [{shown}] {problem}")
            return Scalar(reference.mark, None)
        before = self._report.error_count
        found = self.resolve(target, (*chain, reference.path), depth)
        if self._report.error_count == before:
            self._known[reference.path] = found
        return found

    def _target(self, path: tuple[str, ...]) -> Node | None:
        node: Node | None = self._root
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        return node
