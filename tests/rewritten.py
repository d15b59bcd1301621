"""Pytest rewrites the asserts of each test file and keeps the outcome beside it, for the next run.

In a fresh clone several workers would all do this with all files at the same time. Here each does its share first and
finds what the others have kept. Pytest holds what is kept against the file itself, and has no public name for this.
"""

import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite


def rewrite_share(config: pytest.Config) -> None:
    """In a worker of pytest-xdist: rewrite each so many-th file, unless that was done before."""
    given = getattr(config, "workerinput", None)
    if given is None or sys.dont_write_bytecode:
        return
    files = sorted(file for kind in ("test_*.py", "conftest.py") for file in Path(__file__).parent.rglob(kind))
    for file in files[int(given["workerid"].removeprefix("gw")) :: given["workercount"]]:
        kept = rewrite.get_cache_dir(file) / (file.stem + rewrite.PYC_TAIL)
        if rewrite._read_pyc(file, kept) is None and rewrite.try_makedirs(kept.parent):
            source_hash, code = rewrite._rewrite_test(file, config)
            rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source_hash, kept)
