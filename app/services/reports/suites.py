"""Names of test suites."""

import re

# How the instances of one parallel job are numbered: `x 1/2`. Those of a matrix, `x: [a, b]`, stay apart.
_INSTANCE = re.compile(r"\s+\d+/\d+\s*$", re.ASCII)


def suite_name(job_name: str) -> str:
    """The suite that a job's tests belong to (gitlab.md B.4)."""
    return _INSTANCE.sub("", job_name) or job_name
