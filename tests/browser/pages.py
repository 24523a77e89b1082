"""People at the web app: signed-in pages of a real Chromium, and what is asked of every page."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from backend.runtime.testing import Product

Language = Literal["zh", "en"]
Theme = Literal["light", "dark", "system"]

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)
AXE = Path(__file__).parents[2] / "designer" / "node_modules" / "axe-core" / "axe.min.js"
LOGIN = "mutation($name: String!, $password: String!) { login(name: $name, password: $password) { errors { code } } }"
PATIENCE = 15_000
"""Milliseconds until something that should show up counts as missing; the machine may be busy."""

expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """A headless Chromium that talks to nobody but the product.

    For a microphone that plays a file pass ``--use-fake-device-for-media-stream``, ``--use-fake-ui-for-media-stream``
    and ``--use-file-for-fake-audio-capture=<wav>``.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


class People:
    """Makes signed-in pages, each in a browser profile of its own, and notices what went wrong on any of them."""

    def __init__(self, browser: Browser, product: Product, folder: Path) -> None:
        self._browser = browser
        self._product = product
        self._folder = folder
        self._stack = AsyncExitStack()
        self.pages: list[Page] = []
        self.faults: list[str] = []

    async def __aenter__(self) -> "People":
        return self

    async def __aexit__(self, *error: object) -> None:
        if error[0] is not None:
            for number, page in enumerate(self.pages):
                with contextlib.suppress(Exception):
                    await page.screenshot(path=self._folder / f"page-{number}.png")
        await self._stack.aclose()

    async def page(
        self,
        path: str = "/",
        *,
        language: Language = "en",
        theme: Theme = "light",
        name: str = "admin",
        password: str | None = None,
        width: int = 1440,
        height: int = 900,
        permissions: Sequence[str] = ("clipboard-read", "clipboard-write", "microphone"),
        sign_in: bool = True,
        script: str = "",
    ) -> Page:
        """A page of a person who is signed in and looks at `path`. `script` runs before any page of theirs does."""
        context = await self._browser.new_context(
            base_url=self._product.http_url,
            viewport={"width": width, "height": height},
            locale="zh-CN" if language == "zh" else "en-GB",
            permissions=list(permissions),
            reduced_motion="reduce",
        )
        self._stack.push_async_callback(context.close)
        context.set_default_timeout(PATIENCE)
        kept = {"callweave.language": language, "callweave.theme": theme}
        await context.add_init_script(
            f"for (const [k, v] of Object.entries({json.dumps(kept)})) if (!localStorage.getItem(k))"
            " localStorage.setItem(k, v)"
        )
        if script:
            await context.add_init_script(script)
        if sign_in:
            await self._sign_in(context, name, password or self._product.first_sign_in()["admin"])
        page = await context.new_page()
        page.on("pageerror", lambda fault: self.faults.append(f"{page.url}: {fault}"))
        page.on("console", lambda message: self._noticed(page, message))
        self.pages.append(page)
        await page.goto(path)
        return page

    async def _sign_in(self, context: BrowserContext, name: str, password: str) -> None:
        answer = await context.request.post(
            "/graphql",
            data={"query": LOGIN, "variables": {"name": name, "password": password}},
            headers={"x-callweave": "1"},
        )
        told = await answer.json()
        assert told["data"]["login"]["errors"] == [], told

    def _noticed(self, page: Page, message: ConsoleMessage) -> None:
        # A request that was refused or cut is told to the person by the page itself; tests look at that.
        expected = ("Failed to load resource", "net::ERR_INTERNET_DISCONNECTED")
        if message.type == "error" and not any(one in message.text for one in expected):
            self.faults.append(f"{page.url}: {message.text}")


WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


async def serious(page: Page, *, within: str = "html", rules: Sequence[str] = WCAG) -> list[str]:
    """What axe finds serious or critical on a page or `within` a part of it (WCAG 2.2 A and AA), a line each.

    `rules` are tags of rules, or the names of single ones.
    """
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(await asyncio.to_thread(AXE.read_text))
    found: dict[str, Any] = await page.evaluate(
        "([within, runOnly]) => axe.run(within, {runOnly})",
        [within, list(rules)],
    )
    return [
        f"{one['id']}: {one['help']}: {node['html'][:300]} ({'; '.join(c['message'] for c in node['any'][:1])})"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:5]
    ]
