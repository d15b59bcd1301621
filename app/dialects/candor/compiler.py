"""A plan to one job: each stage a step in a fresh container of its own image, all on one workspace (candor.md A.8).

The text is read, checked against the schema, its `%parameters%` are put in, and every stage becomes a step whose last
command decides.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from app.dialects.base import Compilation, CompileContext
from app.dialects.candor.configuration import Configuration, Invalid, Problem, Stage, read
from app.dialects.candor.loader import Places, Unreadable, load
from app.dialects.diagnostics import Diagnostic, Severity
from app.domain.plan import ArtifactSpec, Image, JobPlan, Plan, Step, Variable

WORKSPACE = "/home/work"
JOB = "plan"
LONGEST_NAME = 255
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def compile_text(path: str, text: str, context: CompileContext) -> Compilation:
    """Compile the plan `text`. Never raises; problems are the result's diagnostics."""
    places = Places(text)
    try:
        configuration = read(load(text))
    except Unreadable as error:
        return _refused(Diagnostic(Severity.ERROR, "syntax", str(error), path, error.line, error.column))
    except Invalid as error:
        return _refused(*(_diagnostic("schema", one, path, places) for one in error.problems))
    given = {name: value for name, value in context.inputs.items() if isinstance(value, str)}
    stages = [fill_in(stage, given) for stage in configuration.stages]
    problems = [problem for number, stage in enumerate(stages) for problem in _unusable(stage, number)]
    refused = _refused(*(_diagnostic("stage", one, path, places) for one in problems))
    return refused if problems else Compilation(plan=_plan(configuration, stages, context))


def _refused(*problems: Diagnostic) -> Compilation:
    return Compilation(diagnostics=problems)


def _diagnostic(code: str, problem: Problem, path: str, places: Places) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, str(Invalid([problem])), path, *places.locate(problem[0]))


def fill_in(stage: Stage, parameters: Mapping[str, str]) -> Stage:
    """`stage` with every `%name%` replaced; what has no value stays as it is, and nothing in a value is replaced."""

    names = "|".join(re.escape(name) for name in sorted(parameters, key=len, reverse=True))
    pattern = re.compile(f"%({names})%")

    def fill(text: str) -> str:
        return pattern.sub(lambda found: parameters[found[1]], text) if parameters else text

    return replace(
        stage,
        name=fill(stage.name),
        image=fill(stage.image),
        runtime=None if stage.runtime is None else fill(stage.runtime),
        environment=tuple(fill(entry) for entry in stage.environment),
        script=tuple(fill(line) for line in stage.script),
    )


def _unusable(stage: Stage, number: int) -> list[Problem]:
    """What the schema lets through and no runner could do; parameters may have brought it in."""
    place = ("stages", number)
    problems: list[Problem] = []
    if len(stage.name) > LONGEST_NAME:
        problems.append(((*place, "name"), f"is longer than {LONGEST_NAME} characters"))
    if not stage.image.strip() or any(character.isspace() for character in stage.image) or stage.image[0] == "-":
        problems.append(((*place, "image"), f"{stage.image!r} is no image name"))
    for entry in filter(None, stage.environment):
        if not _KEY.fullmatch(key := entry.partition("=")[0]):
            problems.append(((*place, "environment"), f"{key!r} is no name of an environment variable"))
    return problems


def _plan(configuration: Configuration, stages: list[Stage], context: CompileContext) -> Plan:
    # A stored plan brings its own sources, mostly by `git clone … .`, which wants an empty folder.
    variables = (Variable("GIT_STRATEGY", "empty"),) if context.stored else ()
    # Names are literal here, and globs in the plan.
    paths = tuple(_pattern(path) for path in configuration.archive)
    job = JobPlan(
        name=JOB,
        stage=JOB,
        steps=tuple(_step(stage) for stage in stages),
        variables=variables,
        artifacts=(ArtifactSpec(paths=paths, required=True),) if paths else (),
        workspace=WORKSPACE,
    )
    return Plan(stages=(JOB,), jobs=(job,))


def _step(stage: Stage) -> Step:
    return Step(
        name=stage.name,
        script=stage.script,
        image=Image(stage.image.replace("$", "$$"), entrypoint=()),
        runtime=stage.runtime,
        errexit=False,
        pipefail=False,
        verbatim=True,
        environment=tuple(_variable(entry) for entry in stage.environment if entry),
    )


def _pattern(path: str) -> str:
    """The glob that means `path` alone; `services.artifacts.archived_files.literal` reads it back."""
    return "".join(f"\\{char}" if char in "*?[]\\{}" else "[$]" if char == "$" else char for char in path)


def _variable(entry: str) -> Variable:
    """`KEY=VALUE`; without a value the key is its own (`BAZ` is BAZ=BAZ)."""
    key, _, value = entry.partition("=")
    return Variable(key, value or key, raw=True)
