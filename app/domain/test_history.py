"""How a test is known again from one run to the next, and what its outcomes on one commit say of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from app.domain import junit

FAILING = frozenset({junit.FAILED, junit.ERROR})
#: The ranks of failing cases in `JunitCase.rank` are these and below.
LAST_FAILING_RANK = 1


def case_key(project_id: int, suite: str, case: junit.Case) -> int:
    """What stands for a test in all runs of its project: 63 bits over the names of its job's suite, its own suite,
    class and name.

    The job's suite is part of it, so that one test in two jobs of a matrix is two tests.
    """
    names = (str(project_id), suite, case.suite, case.classname, case.name)
    digest = blake2b("\0".join(names).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def title(classname: str, name: str) -> str:
    """A test's class and name in one line."""
    return f"{classname} \u203a {name}" if classname else name


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The keys of the tests of one report that failed, and of those that passed.

    Where several cases of a report share a key and differ in their outcome, nobody can tell which is which: such a
    key is in neither.
    """

    failed: frozenset[int]
    passed: frozenset[int]


def outcomes(cases: Iterable[tuple[int, str]]) -> Outcomes:
    """The outcomes of one report, of its cases as (key, status)."""
    failed, passed = set(), set()
    for key, status in cases:
        if status in FAILING:
            failed.add(key)
        elif status == junit.SUCCESS:
            passed.add(key)
    return Outcomes(frozenset(failed - passed), frozenset(passed - failed))
