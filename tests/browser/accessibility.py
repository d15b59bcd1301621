"""axe-core in the page: what people with disabilities cannot use."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SERIOUS = ("serious", "critical")
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def serious_faults(page: Page) -> list[str]:
    """The page's serious faults, each with the rule and the elements; none is how it should be."""
    return _faults(page, {"type": "tag", "values": _TAGS})


def contrast_faults(page: Page) -> list[str]:
    """The same of the colours alone: all that can differ between light and dark."""
    return _faults(page, {"type": "rule", "values": ("color-contrast",)})


def _faults(page: Page, rules: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']][:3]}"
        for fault in found
        if fault["impact"] in _SERIOUS
    ]
