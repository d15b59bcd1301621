"""`extends`: a job on top of other jobs, merged deeply (gitlab.md C.0, step 5)."""

from app.dialects.gitlab import nodes, values
from app.dialects.gitlab.limits import checked
from app.dialects.gitlab.nodes import Entry, Mapping, Node
from app.dialects.gitlab.report import Report, quoted

MOST_NESTED = 10
"""How many jobs may stand between a job and the last one that it is built on, as GitLab counts: eleven levels."""
KEYWORD = "extends"


def resolve(root: Mapping, report: Report) -> Mapping:
    """`root` with every `extends` replaced by what it brings, and without what is broken. Raises TooLarge."""
    resolver = _Resolver(root, report)
    entries = {
        name: entry._replace(value=resolver.job(name, ()))
        if isinstance(entry.value, Mapping) and KEYWORD in entry.value
        else entry
        for name, entry in root.entries.items()
    }
    whole = {name: entry for name, entry in entries.items() if name not in report.broken}
    same = len(whole) == len(root.entries) and all(whole[key] is root.entries[key] for key in whole)
    return root if same else _mapping(root, whole)


def _mapping(old: Mapping, entries: dict[str, Entry]) -> Mapping:
    new = nodes.mapping(old.mark, entries)
    checked(new)
    return new


class _Resolver:
    def __init__(self, root: Mapping, report: Report) -> None:
        self._root = root
        self._report = report
        self._done: dict[str, Node] = {}

    def job(self, name: str, chain: tuple[str, ...]) -> Node:
        """The job `name` with all that it extends. `chain`: the jobs that extend it, outermost first."""
        if name in self._done:
            return self._done[name]
        own = self._root.entries[name].value
        if not isinstance(own, Mapping) or KEYWORD not in own:
            return own
        without = _mapping(own, {key: entry for key, entry in own.entries.items() if key != KEYWORD})
        found: Node = without
        bases = self._bases(name, own, chain)
        if bases:
            merged = bases[0]
            for base in bases[1:]:
                merged = nodes.deep_merge(merged, base)
            found = checked(nodes.deep_merge(merged, without))
        self._done[name] = found
        return found

    def _bases(self, name: str, own: Mapping, chain: tuple[str, ...]) -> list[Node]:
        """What a job extends, each resolved; nothing, and a report, when that cannot be."""
        entry = own.entries[KEYWORD]
        if nodes.is_null(entry.value):
            return []
        path = f"{quoted(name)}: invalid value of `extends`:"
        names = values.text_or_texts(self._report, entry.value, path, "it should be a string or an array of strings")
        if names is None:
            self._report.broken.add(name)
            return []
        line = (*chain, name)
        problem = self._problem(name, names, line)
        if problem:
            self._report.error(entry.key_mark, "bad_extends", problem)
            self._report.broken.add(name)
            return []
        found = [self.job(base, line) for base in names]
        if not self._report.broken.isdisjoint(names):
            self._report.broken.add(name)
        return found

    def _problem(self, name: str, names: tuple[str, ...], line: tuple[str, ...]) -> str | None:
        """What is wrong with the bases `names` of the job `name`; GitLab names the job with which a circle closes."""
        shown = quoted(name)
        if unknown := [base for base in names if base not in self._root]:
            hint = self._report.did_you_mean(unknown[0], self._root.entries)
            return f"{shown}: unknown keys in `extends` ({', '.join(quoted(base) for base in unknown)}){hint}"
        if circle := [base for base in names if base in line]:
            return f"{quoted(circle[0])}: circular dependency detected in `extends`"
        if len(line) > MOST_NESTED + 1:
            return f"{shown}: nesting too deep in `extends`"
        if wrong := [base for base in names if not isinstance(self._root.entries[base].value, Mapping)]:
            return f"{shown}: invalid base hashes in `extends` ({', '.join(quoted(base) for base in wrong)})"
        return None
