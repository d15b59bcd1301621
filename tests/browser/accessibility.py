"""axe-core in the page: what people with disabilities cannot use."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SERIOUS = ("serious", "critical")
_MADE_BY_AN_ATTACK = "img[src^=x], script:not([src]), [onload], [onerror]"
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def serious_faults(page: Page) -> list[str]:
    """The page's serious faults, each with the rule and the elements; none is how it should be."""
    return _faults(page, {"type": "tag", "values": _TAGS})


def contrast_faults(page: Page) -> list[str]:
    """The same of the colours alone: all that can differ between light and dark."""
    return _faults(page, {"type": "rule", "values": ("color-contrast",)})


def everybody_can_use(page: Page, *, looked_into: bool = True, tones: bool = False) -> None:
    """Fail if the page as it stands has made elements of an attack that it shows, is wider than a phone or,
    `looked_into`, has a serious fault; `tones`: also in the dark, because its colours mean something.
    """
    found = page.locator(_MADE_BY_AN_ATTACK).evaluate_all("made => made.map((one) => one.outerHTML)")
    if looked_into:
        found += serious_faults(page)
    if tones:
        page.emulate_media(color_scheme="dark")
        found += contrast_faults(page)
        page.emulate_media(color_scheme="light")
    before = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than a phone")
    if before:
        page.set_viewport_size(before)
    assert not found, f"{page.url}: {found}"


def _faults(page: Page, rules: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']][:3]}"
        for fault in found
        if fault["impact"] in _SERIOUS
    ]
