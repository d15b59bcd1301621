"""`script`, `before_script`, `after_script`, and other keywords that are a few plain values."""

from dataclasses import dataclass

from app.dialects.gitlab import patterns, values
from app.dialects.gitlab.nodes import Mapping, Node, Scalar, Sequence
from app.dialects.gitlab.report import Report, quoted
from app.domain import durations, failure
from app.domain.plan import RetryPolicy

MOST_RETRIES = 2
MOST_TAGS = 49
LONGEST_TIMEOUT = durations.MONTH
LONGEST_DELAY = durations.WEEK
_RETRY_KEYS = ("max", "when", "exit_codes")


@dataclass(frozen=True, slots=True)
class AllowFailure:
    """`allow_failure`: always (`static`), or for these exit codes."""

    static: bool
    exit_codes: tuple[int, ...] = ()


def script(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    """The lines of a script, of which there has to be one."""
    found = values.lines(report, node, path)
    if found == () or found == ("",):
        values.refuse(report, node, " ".join(path.rsplit(":", 1)), "can't be blank")
        return None
    return found


def timeout(report: Report, node: Node, path: str) -> int | None:
    return values.duration(report, node, f"{path} config", LONGEST_TIMEOUT)


def start_in(report: Report, node: Node, path: str) -> int | None:
    return values.duration(report, node, path, LONGEST_DELAY)


def tags(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    found = values.texts(report, node, path)
    if found is not None and len(found) > MOST_TAGS:
        values.refuse(report, node, path, f"config must be less than the limit of {MOST_TAGS + 1} tags")
        return None
    return found


def allow_failure(report: Report, node: Node, path: str) -> AllowFailure | None:
    """true, false, or `{exit_codes: …}`."""
    if isinstance(node, Mapping):
        values.check_keys(report, node, path, ("exit_codes",))
        codes = node.get("exit_codes")
        return AllowFailure(False, exit_codes(report, codes, path) if codes else ())
    found = values.boolean(report, node, path, "config should be a hash or a boolean value")
    return None if found is None else AllowFailure(found)


def exit_codes(report: Report, node: Node, path: str) -> tuple[int, ...]:
    """A whole number or a list of them."""
    items = node.items if isinstance(node, Sequence) else (node,)
    problem = "exit codes should be an array of integers or an integer"
    found = [values.integer(report, item, path, problem) for item in items]
    return tuple(code for code in found if code is not None)


def retry(report: Report, node: Node, path: str) -> RetryPolicy | None:
    """How often, or `{max, when, exit_codes}`."""
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return RetryPolicy(values.number(report, node, f"{path} config", 0, MOST_RETRIES) or 0)
    given = values.mapping(report, node, path, _RETRY_KEYS, "config has to be either an integer or a hash")
    if given is None:
        return None
    maximum, when, codes = given.get("max"), given.get("when"), given.get("exit_codes")
    reasons = _retry_when(report, when, f"{path} when") if when else None
    default = () if codes else ("always",)
    return RetryPolicy(
        max=(values.number(report, maximum, f"{path} max", 0, MOST_RETRIES) or 0) if maximum else 0,
        when=default if reasons is None else reasons,
        exit_codes=exit_codes(report, codes, path) if codes else (),
    )


def _retry_when(report: Report, node: Node, path: str) -> tuple[str, ...]:
    known = (*failure.REASONS, "always")
    problem = (
        "contains unknown values:" if isinstance(node, Sequence) else "is not included in the list: unknown value:"
    )
    found = values.text_or_texts(report, node, path, "should be an array of strings or a string") or ()
    for reason in found:
        if reason not in known:
            hint = report.did_you_mean(reason, known)
            values.refuse(report, node, path, f"{problem} {quoted(reason)}{hint}")
    return found


def manual_confirmation(report: Report, node: Node, path: str) -> str | None:
    """A string; an empty one is as if it were not there."""
    if values.is_text(node):
        return str(node.value) or None
    values.refuse(report, node, path, "should be a string")
    return None


def dependencies(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    return values.texts(report, node, path, "should be an array of strings")


def stage(report: Report, node: Node, path: str) -> str | None:
    return values.text(report, node, path)


def stages(report: Report, node: Node) -> tuple[str, ...] | None:
    """The names in the order written, lists in lists made flat; `.pre` and `.post` are added by the caller."""
    found = values.names(report, node, "stages")
    if found is not None and not all(found):
        values.refuse(report, node, "stages", "config should not have empty names")
        return None
    return found


def coverage(report: Report, node: Node, path: str) -> str | None:
    """A `/pattern/`, given without its slashes."""
    text = str(node.value) if values.is_text(node) else ""
    if not (len(text) > 2 and text.startswith("/") and text.endswith("/")):
        values.refuse(report, node, path, "config must be a regular expression")
        return None
    try:
        patterns.searcher(text[1:-1])
    except patterns.InvalidPattern as wrong:
        values.refuse(report, node, path, f"config must be a regular expression: {wrong}")
        return None
    return text[1:-1]


def hooks(report: Report, node: Node, path: str) -> tuple[str, ...] | None:
    """The lines of `pre_get_sources_script`, the only hook there is."""
    given = values.mapping(report, node, path, ("pre_get_sources_script",))
    lines = given.get("pre_get_sources_script") if given else None
    return None if lines is None else values.lines(report, lines, f"{path}:pre_get_sources_script")
