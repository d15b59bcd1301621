"""`python -m bench [NAME …]`: run the benchmarks, print the table, keep it in bench/results/latest.md."""

import platform
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from bench.place import installed
from bench.table import render

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
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark is called {unknown[0]}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    modules = [import_module(f"bench.{name}") for name in names or ALL]
    alone = all(getattr(module, "ALONE", False) for module in modules)
    with nullcontext() if alone else installed() as place:
        rows = [row for module in modules for row in module.run(place)]
    table = render(rows)
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(f"# Benchmarks of {when}\n\nPython {platform.python_version()}, {platform.machine()}.\n\n{table}")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
