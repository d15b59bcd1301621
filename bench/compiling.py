"""Compiling a configuration to a plan, against merely parsing the same text with the YAML library's C parser.

What is between the two is all that the compiler does: places of every value, merging, rules, checks, the plan.
"""

import time
from collections.abc import Callable

import yaml

from app.dialects.base import CompileContext
from app.dialects.gitlab import compile_text
from bench.place import Place
from bench.table import Row

ALONE = True
"""Needs no installation."""

RUNS = 15
AIM = "4 × YAML alone"
_BASE = ".base:\n  retry: 1\n  interruptible: true\n  before_script: [echo begin]\n"
_JOB = """job {name}:
  extends: .base
  stage: build
  image: alpine
  script:
    - echo {name} 1
    - echo {name} 2
    - echo {name} 3
  tags: [linux, small]
  rules:
    - if: $CI_COMMIT_BRANCH == "main" && $SKIP =~ /^{name}/
      when: never
    - if: $CI_COMMIT_BRANCH
  variables:
    NAME: '{name}'
"""
_PREDEFINED = {f"CI_EXAMPLE_{number}": f"value {number}" for number in range(80)}


def run(place: Place | None) -> list[Row]:
    """One row for a long file, one for many files."""
    whole = _BASE + "".join(_JOB.format(name=number) for number in range(100))
    parts = {f"ci/{n:02}.yml": "".join(_JOB.format(name=f"{n}-{m}") for m in range(2)) for n in range(50)}
    main = _BASE + "include: 'ci/*.yml'\n"
    context = CompileContext(predefined=_PREDEFINED, read_file=parts.get, list_files=lambda: dict.fromkeys(parts, "0"))
    lines = whole.count("\n")
    return [
        _row(f"compile 100 jobs in {lines} lines", whole, [whole], context),
        _row(f"compile 100 jobs in {len(parts)} included files", main, [main, *parts.values()], context),
    ]


def _row(what: str, text: str, texts: list[str], context: CompileContext) -> Row:
    plan = compile_text(".gitlab-ci.yml", text, context).plan
    if plan is None or len(plan.jobs) != 100:
        raise RuntimeError("the configuration of the benchmark does not compile")
    ours = _samples(lambda: compile_text(".gitlab-ci.yml", text, context))
    alone = _samples(lambda: [yaml.load(part, Loader=yaml.CSafeLoader) for part in texts])
    return Row(what, ours, "YAML alone", alone, AIM)


def _samples(work: Callable[[], object]) -> list[float]:
    """Seconds of the processor: what else this host does shall not count. The first run is dropped."""
    found = []
    for _ in range(RUNS + 1):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return found[1:]
