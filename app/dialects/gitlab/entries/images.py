"""`image` and `services`."""

from app.dialects.gitlab import values
from app.dialects.gitlab.entries import variables
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report, quoted
from app.domain.plan import Image, Service

PULL_POLICIES = ("always", "if-not-present", "never")
_IMAGE_KEYS = ("name", "entrypoint", "pull_policy", "docker", "kubernetes")
_SERVICE_KEYS = (*_IMAGE_KEYS, "alias", "command", "variables")
_STRINGS = "should be an array of strings"


def image(report: Report, node: Node, path: str) -> Image | None:
    """An image: its name, or a mapping that has one."""
    if values.is_text(node):
        return Image(name) if (name := _name(report, node, path)) else None
    found = values.mapping(report, node, path, _IMAGE_KEYS, "config should be a hash or a string")
    return _image(report, found, path) if found else None


def _name(report: Report, node: Node, path: str) -> str | None:
    if values.is_text(node) and not str(node.value).strip():
        values.refuse(report, node, path, "name can't be blank")
        return None
    return values.text(report, node, f"{path} name", "should be a string")


def _image(report: Report, node: Mapping, path: str) -> Image:
    name_node = node.get("name")
    if name_node is None:
        values.refuse(report, node, path, "name can't be blank")
    name = _name(report, name_node, path) if name_node else None
    entrypoint = node.get("entrypoint")
    user, platform = _docker(report, node, path)
    _no_kubernetes(report, node, path)
    return Image(
        name or "",
        entrypoint=values.texts(report, entrypoint, f"{path} entrypoint", _STRINGS) if entrypoint else None,
        pull_policy=_pull_policy(report, node, path),
        user=user,
        platform=platform,
    )


def _pull_policy(report: Report, node: Mapping, path: str) -> tuple[str, ...]:
    given = node.get("pull_policy")
    if given is None:
        return ()
    path = f"{path}:pull_policy"
    if isinstance(given, Sequence) and not given.items:
        values.refuse(report, given, path, "config can't be blank")
    found = values.text_or_texts(report, given, path, "config should be an array of strings or a string") or ()
    for policy in found:
        if policy not in PULL_POLICIES:
            hint = report.did_you_mean(policy, PULL_POLICIES)
            problem = "contains unknown values:" if isinstance(given, Sequence) else "is not included in the list:"
            known = f"; it should be one of: {', '.join(PULL_POLICIES)}"
            values.refuse(report, given, path, f"config {problem} {quoted(policy)}{hint}{known}")
    return found


def _docker(report: Report, node: Mapping, path: str) -> tuple[str | None, str | None]:
    """The user and the platform of `docker: {user, platform}`."""
    given = node.get("docker")
    found = values.mapping(report, given, f"{path}:docker", ("user", "platform")) if given else None
    if found is None:
        return None, None
    user, platform = found.get("user"), found.get("platform")
    return (
        values.text(report, user, f"{path}:docker user", "should be a string") if user else None,
        values.text(report, platform, f"{path}:docker platform", "should be a string") if platform else None,
    )


def _no_kubernetes(report: Report, node: Mapping, path: str) -> None:
    given = node.entries.get("kubernetes")
    if given is not None:
        message = f"{path} asks for `kubernetes`, which is declined: jobs run in Podman here"
        report.error(given.key_mark, "declined_keyword", message)


def services(report: Report, node: Node, path: str) -> tuple[Service, ...] | None:
    """A list of services, each its image's name or a mapping."""
    if not isinstance(node, Sequence):
        values.refuse(report, node, path, "config should be an array")
        return None
    found = (_service(report, item, f"{path}:service") for item in node.items)
    return tuple(service for service in found if service)


def _service(report: Report, node: Node, path: str) -> Service | None:
    if values.is_text(node):
        return Service(Image(name), default_aliases(name)) if (name := _name(report, node, path)) else None
    given = values.mapping(report, node, path, _SERVICE_KEYS, "config should be a hash or a string")
    if given is None:
        return None
    parsed = _image(report, given, path)
    alias, command, own = given.get("alias"), given.get("command"), given.get("variables")
    names = values.text(report, alias, f"{path} alias", "should be a string") if alias else None
    return Service(
        parsed,
        aliases=_split_aliases(names) if names else default_aliases(parsed.name),
        command=values.texts(report, command, f"{path} command", _STRINGS) if command else None,
        variables=(variables.variables(report, own, f"{path}:variables") or ()) if own else (),
    )


def _split_aliases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def default_aliases(name: str) -> tuple[str, ...]:
    """The host names of a service without an alias: its image without tag, `/` written as `__` and as `-`."""
    without_digest = name.partition("@")[0]
    path, colon, tag = without_digest.rpartition(":")
    plain = path if colon and "/" not in tag else without_digest
    return tuple(dict.fromkeys((plain.replace("/", "__"), plain.replace("/", "-"))))
