"""`environment`: where a job deploys to (gitlab.md C.2)."""

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Mapping, Node
from app.dialects.gitlab.report import Report
from app.domain import durations
from app.domain.delivery import EnvironmentSpec
from app.domain.environments import ACTIONS, MOST_CHARACTERS, NAME_RULE, TIERS, is_valid_name

_KEYS = ("name", "url", "action", "on_stop", "auto_stop_in", "kubernetes", "deployment_tier")


def environment(report: Report, node: Node, path: str) -> EnvironmentSpec | None:
    """A name, or `{name, url, action, on_stop, auto_stop_in, deployment_tier}`."""
    if values.is_text(node):
        name = _name(report, node, path)
        return None if name is None else EnvironmentSpec(name)
    given = values.mapping(report, node, path, _KEYS, "config should be a hash or a string")
    if given is None:
        return None
    if "kubernetes" in given:
        message = f"{path}: `kubernetes` is declined: jobs run in Podman here, and no cluster is managed"
        report.error(given.entries["kubernetes"].key_mark, "unsupported_keyword", message)
    named = given.get("name")
    if named is None:
        values.refuse(report, given, path, "name can't be blank")
    name = _name(report, named, path) if named else None
    found = _details(report, given, path)
    return None if name is None else EnvironmentSpec(name=name, **found)


def _name(report: Report, node: Node, path: str) -> str | None:
    name = values.text(report, node, f"{path} name", "should be a string")
    if name is not None and len(name) > MOST_CHARACTERS:
        values.refuse(report, node, f"{path} name", f"is too long (maximum is {MOST_CHARACTERS} characters)")
    elif name is not None and not is_valid_name(name):
        values.refuse(report, node, f"{path} name", NAME_RULE)
    return name


def _details(report: Report, node: Mapping, path: str) -> dict:
    """What the mapping says besides the name; keywords that are not there, or wrong, are left out."""
    found: dict = {}
    for key in ("url", "on_stop"):
        if (given := node.get(key)) is not None:
            found[key] = values.text(report, given, f"{path} {key.replace('_', ' ')}", "should be a string")
    url = node.get("url")
    if url is not None and len(found["url"] or "") > MOST_CHARACTERS:
        values.refuse(report, url, f"{path} url", f"is too long (maximum is {MOST_CHARACTERS} characters)")
    if (action := node.get("action")) is not None:
        found["action"] = values.one_of(report, action, f"{path} action", ACTIONS) or ACTIONS[0]
    if (tier := node.get("deployment_tier")) is not None:
        found["deployment_tier"] = values.one_of(report, tier, f"{path} deployment tier", TIERS)
    if (stop := node.get("auto_stop_in")) is not None:
        found["auto_stop_in"] = _auto_stop_in(report, stop, f"{path} auto stop in")
    return found


def _auto_stop_in(report: Report, node: Node, path: str) -> str | None:
    """The duration in words. One that holds variables can be judged only when they are known."""
    if not values.is_text(node):
        values.refuse(report, node, path, "should be a duration")
        return None
    text = str(node.value)
    if "$" not in text:
        try:
            durations.parse(text, never=True)
        except durations.InvalidDuration:
            values.refuse(report, node, path, "should be a duration")
            return None
    return text
