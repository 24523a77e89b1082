"""What holds on every page of the menu: it shows without a fault, has a title, and axe finds nothing serious.

With CALLWEAVE_SCREENSHOTS=<folder> a picture of each page in both languages and themes is kept there.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.pages import Language, People, Theme, serious

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def menu(page: Page) -> list[str]:
    """The addresses in the menu of whoever is signed in."""
    links = page.locator(".cw-menu a")
    await expect(links.first).to_be_visible()
    return [str(await link.get_attribute("href")) for link in await links.all()]


EVERY = slice(None)


@pytest.mark.parametrize(
    ("look", "theme", "which"),
    [
        # Each page once: every other one in Chinese and light, the rest in English and dark.
        ("zh", "light", slice(0, None, 2)),
        ("en", "dark", slice(1, None, 2)),
        *(
            pytest.param(look, theme, EVERY, marks=pytest.mark.soak)
            for look in ("zh", "en")
            for theme in ("light", "dark")
        ),
    ],
)
async def test_pages_are_whole_and_accessible(people: People, look: Language, theme: Theme, which: slice) -> None:
    page = await people.page("/", language=look, theme=theme)
    found: dict[str, list[str]] = {}
    for address in (await menu(page))[which]:
        await page.locator(f'.cw-menu a[href="{address}"]').click()
        await expect(page).to_have_url(re.compile(re.escape(address) + r"(\?.*)?$"))
        await expect(page.locator("#content h1").first).to_be_visible()
        await expect(page.locator(".ant-spin-spinning")).to_have_count(0)
        await _keep(page, f"{address.strip('/').replace('/', '-') or 'home'}-{look}-{theme}")
        if problems := await serious(page):
            found[address] = problems
    assert found == {}


async def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("CALLWEAVE_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")
