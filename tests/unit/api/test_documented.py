"""docs/reference/rest-api.md says what the server has: every call, and every parameter of it."""

import re
from pathlib import Path

from app.api.gitlab_v4 import ENDPOINTS

PAGE = (Path(__file__).parents[3] / "docs/reference/rest-api.md").read_text()
_ROW = re.compile(r"\| (`[A-Z]+ /.*?`) \| .*? \| (.*?) ?\|")


def documented() -> dict[str, tuple[set[str], bool]]:
    """Of each call: its parameters (a star marks required ones), and whether its answer comes in pages."""
    rows = [found.groups() for found in map(_ROW.fullmatch, PAGE.splitlines()) if found]
    return {
        call: ({name + star for name, star in re.findall(r"`(\w+)`(\*?)", params)}, params.endswith("pages"))
        for calls, params in rows
        for call in re.findall(r"`(.*?)`", calls)
    }


def declared() -> dict[str, tuple[set[str], bool]]:
    found = {}
    for endpoint in ENDPOINTS:
        names = {param.name: param.name + ("*" if param.required else "") for param in endpoint.params}
        paged = names.pop("page", None) is not None
        names.pop("per_page", None)
        for path in endpoint.paths:
            call = f"{endpoint.method} " + re.sub(r"<(?:path:)?(\w+)>", r":\1", path)
            found[call] = (set(names.values()), paged)
    return found


def test_every_call_and_every_parameter_is_documented() -> None:
    assert documented() == declared()


def test_every_endpoint_says_in_a_sentence_what_it_does() -> None:
    assert [endpoint.name for endpoint in ENDPOINTS if not (endpoint.view.__doc__ or "").strip()] == []
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)
