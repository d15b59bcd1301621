"""`python -m bench [NAME …]`: run the benchmarks and print their table; of all of them it is kept in
bench/results/latest.md.
"""

import os
import platform
import sys
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import ModuleType

from bench.place import Place, installed
from bench.table import Row, render

ALL = (
    "compiling",
    "claims",
    "polls",
    "lists",
    "first_page",
    "growth",
    "traces",
    "big_artifact",
    "long_log",
    "one_job",
    "hundred_jobs",
    "big_log",
    "checkout",
    "push_to_green",
    "line_to_stream",
    "gitlab_ci_local",
    "idle",
)
RESULT = Path(__file__).parent / "results" / "latest.md"


def main(names: list[str]) -> int:
    """Run those of `names`, or all. The whole table alone is kept: a part of it would hide what was left out."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark is called {unknown[0]}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    modules = [import_module(f"bench.{name}") for name in names or ALL]
    alone = all(getattr(module, "ALONE", False) for module in modules)
    machine = _machine()
    with nullcontext() if alone else installed() as place:
        measured = [_measure(module, place) for module in modules]
    table = render([row for rows in measured for row in rows or ()])
    print(table)
    failed = [module.__name__ for module, rows in zip(modules, measured, strict=True) if rows is None]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    elif not names:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(f"# Benchmarks of {datetime.now(UTC):%Y-%m-%d}\n\n{machine}\n\n{table}")
    return 1 if failed else 0


def _measure(module: ModuleType, place: Place | None) -> list[Row] | None:
    """The rows of one benchmark; None where it fails, which the others need not suffer for."""
    print(f"{module.__name__} …", end=" ", file=sys.stderr, flush=True)
    began = perf_counter()
    try:
        rows = list(module.run(place))
    except Exception:
        traceback.print_exc()
        return None
    print(f"{perf_counter() - began:.0f} s", file=sys.stderr)
    return rows


def _machine() -> str:
    """What the figures depend on: the machine, and how much else it had to do when they were begun."""
    kind = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    return f"{kind}; load before: {os.getloadavg()[0]:.1f}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
