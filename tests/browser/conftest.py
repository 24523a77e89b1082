"""The running product and people who look at it with a real browser."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from backend.runtime.testing import Product
from tests.browser.pages import People, chromium
from tests.journeys.conftest import agent, caller, database, product, prompts, renderer

__all__ = ["agent", "caller", "database", "product", "prompts", "renderer"]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests; its microphone plays Chromium's own beeps."""
    async with chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, product: Product, tmp_path: Path) -> AsyncIterator[People]:
    """Makes signed-in pages. The test fails when a page had an error that nobody saw."""
    async with People(browser, product, tmp_path) as made:
        yield made
        assert made.faults == []


_LANGUAGES = ("zh", "en")
_asking: Counter[str] = Counter()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A journey that asks for a `language` runs once, in the one that the journey before it in the file did not use;
    the other language comes in the soak."""
    if "language" not in metafunc.fixturenames:
        return
    at = _asking[metafunc.module.__name__]
    _asking[metafunc.module.__name__] += 1
    first, other = _LANGUAGES[at % 2], _LANGUAGES[1 - at % 2]
    metafunc.parametrize("language", [first, pytest.param(other, marks=pytest.mark.soak)])
