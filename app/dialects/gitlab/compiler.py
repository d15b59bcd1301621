"""`.gitlab-ci.yml` to a plan, in these steps (gitlab.md C.0):

1. load the YAML, 2. follow references, 3. put jobs on top of what they extend, 4. read the keywords, 5. expand parallel
jobs, 6. check who waits for whom, 7. let rules decide for this pipeline.
"""

from dataclasses import replace

import yaml

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import configuration, expansion, extends, graph, loader, nodes, references
from app.dialects.gitlab.limits import TooLarge
from app.dialects.gitlab.nodes import Mapping, Mark, Node
from app.dialects.gitlab.planner import Planned, Planner
from app.dialects.gitlab.report import Report
from app.domain.errors import LimitExceeded
from app.domain.variables import CircularReference

_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NO_FORMAT = "Invalid configuration format"


def compile_text(path: str, text: str, context: CompileContext) -> Compilation:
    """Compile the configuration `text` of the file `path`. Never raises; problems are the result's diagnostics."""
    report = Report()
    root = _load(path, text, report)
    found = Compilation()
    if root is not None:
        found = _compile(root, context, report)
    return replace(found, diagnostics=report.diagnostics())


def _load(path: str, text: str, report: Report) -> Mapping | None:
    documents = loader.load(text, path, report)
    if documents is None:
        return None
    start = Mark(path, 1, 1)
    if not documents or not isinstance(documents[-1], Mapping):
        report.error(documents[-1].mark if documents else start, "not_a_mapping", _NO_FORMAT)
        return None
    if len(documents) > 1:
        report.error(documents[1].mark, "unsupported_keyword", "A second YAML document is not supported yet")
    return documents[-1]


def _compile(root: Mapping, context: CompileContext, report: Report) -> Compilation:
    assembled = _assemble(root, report)
    if assembled is None:
        return Compilation()
    planned = _plan(assembled, context, report)
    merged = _render(assembled) if context.render_merged else None
    return Compilation(planned.plan, merged=merged, skipped_reason=planned.skipped_reason)


def _assemble(root: Mapping, report: Report) -> Mapping | None:
    """The configuration with everything written out, or None when a part of it is not to be had.

    Then the rest is not looked at: what is missing would make errors that are none.
    """
    before = report.error_count
    try:
        root = extends.resolve(references.resolve(root, report), report)
    except TooLarge as beyond:
        report.error(beyond.mark, "too_many_values", str(beyond))
    return root if report.error_count == before else None


def _plan(root: Mapping, context: CompileContext, report: Report) -> Planned:
    read = configuration.read(root, context.list_files(), report)
    expanded = expansion.expand(read, report)
    graph.check(read, expanded, report)
    if report.has_errors:
        return Planned()
    try:
        return Planner(read, expanded, context, report).plan()
    except (LimitExceeded, CircularReference) as beyond:
        report.error(root.mark, "bad_variables", str(beyond))
        return Planned()


def _render(root: Node) -> str:
    """The whole configuration as one YAML text."""
    plain = nodes.to_plain(root)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True)
