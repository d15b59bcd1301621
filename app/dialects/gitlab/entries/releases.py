"""`release`: what is released when the job's script has passed (gitlab.md C.2)."""

from datetime import datetime

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Mapping, Node, Sequence
from app.dialects.gitlab.report import Report
from app.domain.delivery import ReleaseLink, ReleaseSpec
from app.domain.releases import LINK_TYPES

_TEXTS = ("tag_name", "description", "name", "tag_message", "ref", "released_at")
_KEYS = (*_TEXTS, "milestones", "assets")
_LINK_TEXTS = ("name", "url", "filepath")


def release(report: Report, node: Node, path: str) -> ReleaseSpec | None:
    """`{tag_name, description, name, tag_message, ref, milestones, released_at, assets: {links}}`."""
    given = values.mapping(report, node, path, _KEYS)
    if given is None:
        return None
    texts = {key: _text(report, given, key, path) for key in _TEXTS}
    for key in ("tag_name", "description"):
        if given.get(key) is None:
            values.refuse(report, node, path, f"{key.replace('_', ' ')} can't be blank")
    released_at = given.get("released_at")
    if released_at is not None and texts["released_at"] and not _is_time(texts["released_at"]):
        values.refuse(report, released_at, f"{path} released at", "must be a valid datetime (ISO 8601)")
    milestones = given.get("milestones")
    problem = "should be an array of strings or a string"
    named = (values.text_or_texts(report, milestones, f"{path} milestones", problem) or ()) if milestones else ()
    links = _links(report, given, f"{path}:assets")
    if not texts["tag_name"] or not texts["description"]:
        return None
    return ReleaseSpec(
        tag_name=texts["tag_name"],
        description=texts["description"],
        name=texts["name"],
        tag_message=texts["tag_message"],
        ref=texts["ref"],
        released_at=texts["released_at"],
        milestones=named,
        links=links,
    )


def _text(report: Report, node: Mapping, key: str, path: str) -> str | None:
    given = node.get(key)
    return values.text(report, given, f"{path} {key.replace('_', ' ')}", "should be a string") if given else None


def _is_time(text: str) -> bool:
    """Whether `text` is a time; one that holds variables is judged when they are known."""
    if "$" in text:
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _links(report: Report, node: Mapping, path: str) -> tuple[ReleaseLink, ...]:
    assets = node.get("assets")
    given = values.mapping(report, assets, path, ("links",)) if assets else None
    links = given.get("links") if given else None
    if links is None:
        if given is not None:
            values.refuse(report, given, f"{path} config", "missing required keys: links")
        return ()
    if not isinstance(links, Sequence):
        values.refuse(report, links, f"{path}:links", "config should be an array of hashes")
        return ()
    found = (_link(report, item, f"{path}:links:link") for item in links.items)
    return tuple(link for link in found if link)


def _link(report: Report, node: Node, path: str) -> ReleaseLink | None:
    given = values.mapping(report, node, path, (*_LINK_TEXTS, "link_type"))
    if given is None:
        return None
    texts = {key: _text(report, given, key, path) for key in _LINK_TEXTS}
    for key in ("name", "url"):
        if given.get(key) is None:
            values.refuse(report, node, path, f"{key} can't be blank")
    kind = given.get("link_type")
    link_type = (values.one_of(report, kind, f"{path} link type", LINK_TYPES) if kind else None) or LINK_TYPES[0]
    name, url = texts["name"], texts["url"]
    return ReleaseLink(name, url, texts["filepath"], link_type) if name and url else None
