"""Dialogs, drawers and pickers of the designer and of the set-up pages: axe finds nothing serious, light or dark."""

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from backend.runtime.testing import Product
from tests.browser.pages import WCAG, People, serious
from tests.browser.test_publishing import menu
from tests.journeys.scenes import put_live

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FORMS = [
    ("/numbers", "New number"),
    ("/calendars", "Public holidays"),
    ("/prompts", "New prompt"),
    ("/lists", "New list"),
    ("/users", "New user"),
    ("/agents", "Make a user an agent"),
    ("/agents?tab=queues", "New queue"),
    ("/centre?tab=announcements", "Announce"),
    ("/customers", "New customer"),
    ("/recordings?tab=rules", "New rule"),
]
"""Pages with the button that opens their form."""


class Looks:
    """Looks at what is open in both themes: the page wears the theme of the system."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    async def at(self, name: str, opened: str) -> None:
        """Look at what is `opened` (a selector), which has the `name` in the report."""
        await expect(self.page.locator(opened).first).to_be_visible()
        await self._in("light", name, opened, WCAG)
        # Only the colours differ.
        await self._in("dark", name, opened, ("color-contrast",))

    async def _in(self, theme: Literal["light", "dark"], name: str, opened: str, rules: Sequence[str]) -> None:
        await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await expect(self.page.locator("html")).to_have_attribute("data-theme", theme)
        if problems := await serious(self.page, within=opened, rules=rules):
            self.found[f"{name} ({theme})"] = problems


@pytest.mark.soak
async def test_what_opens_is_accessible_in_both_themes(people: People, product: Product) -> None:
    await put_live(product, menu("looked-at"))
    page = await people.page("/flows", theme="system")
    looks = Looks(page)
    dialog, drawer = ".ant-modal-container", ".ant-drawer-section"
    button = page.get_by_role("button")

    await button.filter(has_text="New flow").first.click()
    await looks.at("gallery", dialog)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await looks.at("palette of commands", dialog)

    await page.goto("/flows/looked-at")
    node = page.locator('.react-flow__node[data-id="menu"]')
    await node.click(position={"x": 60, "y": 12})
    await page.keyboard.press("n")
    await looks.at("picker of nodes", ".cw-pick")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Versions", exact=True).click()
    await looks.at("versions", ".cw-ed-bottom")
    for name in ("Simulator", "Test call"):
        await page.get_by_role("button", name="Test", exact=True).click()
        await page.get_by_role("menuitem", name=name).click()
        await looks.at(name, ".cw-ed-bottom")
    await page.get_by_role("button", name="Publish", exact=True).click()
    await looks.at("publish", dialog)

    for address, opens in FORMS:
        await page.goto(address)
        await page.get_by_role("button", name=re.compile(opens)).first.click()
        await looks.at(f"{opens} of {address}", f"{dialog}, {drawer}")
    assert looks.found == {}, looks.found
