"""`.gitlab-ci.yml` to a plan, in four steps: load the YAML, read the keywords, check the graph, plan the pipeline."""

from dataclasses import replace

import yaml

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import configuration, graph, loader, nodes, planner
from app.dialects.gitlab.nodes import Mapping, Mark, Node
from app.dialects.gitlab.report import Report

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
    read = configuration.read(root, context.list_files(), report)
    graph.check(read, report)
    planned = planner.Planned() if report.has_errors else planner.plan(read, context, report)
    return Compilation(
        plan=planned.plan,
        skipped_reason=planned.skipped_reason,
        merged=_render(root) if context.render_merged else None,
    )


def _render(root: Node) -> str:
    """The whole configuration as one YAML text."""
    plain = nodes.to_plain(root)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True)
