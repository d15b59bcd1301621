"""axe-core in the page: what people with disabilities cannot use."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SERIOUS = ("serious", "critical")
_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


def serious_faults(page: Page) -> list[str]:
    """The page's serious faults, each with the rule and the elements; none is how it should be."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']][:3]}"
        for fault in found
        if fault["impact"] in _SERIOUS
    ]
