"""`id_tokens`: signed statements of who a job is, each in a variable (gitlab.md C.2)."""

from app.dialects.gitlab import values
from app.dialects.gitlab.nodes import Mapping, Node
from app.dialects.gitlab.report import Report, quoted
from app.domain.delivery import IdToken
from app.domain.variables import valid_key


def id_tokens(report: Report, node: Node, path: str) -> tuple[IdToken, ...] | None:
    """`{NAME: {aud: a text or a list of texts}}`."""
    if not isinstance(node, Mapping):
        values.refuse(report, node, path, "config should be a hash")
        return None
    found = (_token(report, name, entry.value, path) for name, entry in node.present())
    return tuple(token for token in found if token)


def _token(report: Report, name: str, node: Node, path: str) -> IdToken | None:
    place = f"{path}:{quoted(name)}"
    if not valid_key(name):
        values.refuse(report, node, place, "name can hold only letters, digits and '_'")
    given = values.mapping(report, node, place, ("aud",))
    if given is None:
        return None
    audience = given.get("aud")
    if audience is None:
        values.refuse(report, node, place, "config missing required keys: aud")
        return None
    listed = not values.is_text(audience)
    texts = values.text_or_texts(report, audience, f"{place} aud", "should be an array of strings or a string")
    if texts is not None and not any(texts):
        values.refuse(report, audience, f"{place} aud", "can't be blank")
    return IdToken(name, texts, listed) if texts else None
