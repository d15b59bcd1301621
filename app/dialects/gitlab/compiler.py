"""`.gitlab-ci.yml` to a plan, in these steps (gitlab.md C.0):

1. load the YAML with its inputs and includes, 2. follow references, 3. put jobs on top of what they extend, 4. read the
keywords, 5. expand parallel jobs, 6. check who waits for whom, 7. let rules decide for this pipeline.
"""

from dataclasses import replace
from functools import cache

import yaml

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import configuration, environments, expansion, extends, graph, nodes, references, scalars
from app.dialects.gitlab.includes import Files
from app.dialects.gitlab.limits import TooLarge
from app.dialects.gitlab.nodes import Mapping, Mark, Node
from app.dialects.gitlab.planner import Planned, Planner
from app.dialects.gitlab.report import Report
from app.dialects.sources import Unavailable
from app.domain.errors import LimitExceeded
from app.domain.variables import CircularReference

_BaseDumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def compile_text(path: str, text: str, context: CompileContext) -> Compilation:
    """Compile the configuration `text` of the file `path`. Never raises; problems are the result's diagnostics."""
    report = Report()
    # Listing a repository costs a process, so it is done once and only when something asks for it.
    context = replace(context, list_files=cache(context.list_files))
    files = Files(context, report)
    root = _assemble(path, text, files, report)
    found = Compilation(included=tuple(files.included))
    if root is not None:
        planned = _plan(root, context, report)
        merged = _render(root) if context.render_merged and not report.broken else None
        found = replace(found, plan=planned.plan, merged=merged, skipped_reason=planned.skipped_reason)
    return replace(found, diagnostics=report.diagnostics())


def _assemble(path: str, text: str, files: Files, report: Report) -> Mapping | None:
    """The configuration with everything written out, or None when a file of it is not to be had.

    Then the rest is not looked at: what is missing would make errors that are none. For the same reason jobs are left
    out whose `extends` or `!reference` lead nowhere.
    """
    try:
        root = files.root(path, text)
        if root is None or not files.is_complete:
            return None
        root = extends.resolve(references.resolve(root, report), report)
    except TooLarge as beyond:
        report.error(beyond.mark, "too_large", str(beyond))
        return None
    except (LimitExceeded, CircularReference) as beyond:
        report.error(Mark(path, 1, 1), "limit_exceeded", str(beyond))
        return None
    except Unavailable as wrong:
        report.error(Mark(path, 1, 1), "unavailable", str(wrong))
        return None
    except RecursionError:
        # Every limit here is well below that of the interpreter, but the caller may stand deep already.
        report.error(Mark(path, 1, 1), "too_large", "The configuration and its includes are nested too deep")
        return None
    return root


def _plan(root: Mapping, context: CompileContext, report: Report) -> Planned:
    read = configuration.read(root, context.list_files, report, context.last_commit)
    expanded = expansion.expand(read, report)
    graph.check(read, expanded, report)
    environments.check(read, report)
    if report.has_errors:
        return Planned()
    try:
        return Planner(read, expanded, context, report).plan()
    except (LimitExceeded, CircularReference) as beyond:
        report.error(root.mark, "limit_exceeded", str(beyond))
        return Planned()
    except Unavailable as wrong:
        report.error(root.mark, "unavailable", str(wrong))
        return Planned()


class _Dumper(_BaseDumper):
    """Writes YAML that is read back as it was, also by the rules of Psych, which takes more texts for numbers."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def text(self, value: str) -> yaml.Node:
        style = None if scalars.resolve(value) == value else "'"
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _Dumper.text)


def _render(root: Node) -> str:
    """The whole configuration as one YAML text."""
    plain = nodes.to_plain(root)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True)
