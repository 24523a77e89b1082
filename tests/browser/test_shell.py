"""Signing in, the menu, the palette, languages and themes, a lost connection."""

import re

import pytest
from playwright.async_api import expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People, serious

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_person_signs_in_and_out(people: People, product: Product, language: Language) -> None:
    page = await people.page(language=language, sign_in=False)
    words = {
        "zh": ("账号", "密码", "登录", "退出登录"),
        "en": ("Sign-in name", "Password", "Sign in", "Sign out"),
    }[language]
    await page.get_by_label(words[0]).fill("admin")
    await page.get_by_label(words[1], exact=True).fill("not the password")
    await page.get_by_role("button", name=words[2], exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await serious(page) == []
    await page.get_by_label(words[1], exact=True).fill(product.first_sign_in()["admin"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await page.get_by_role("button", name={"zh": "账户", "en": "Account"}[language]).click()
    await page.get_by_text(words[3]).click()
    await expect(page.get_by_label(words[0])).to_be_visible()


async def test_everything_is_found_by_name(people: People) -> None:
    page = await people.page("/flows")
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="Go to").fill("service hotline")
    await expect(page.get_by_role("option", name=re.compile("Service hotline")).first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/flows/service-hotline"))


async def test_language_and_theme_are_switched_and_kept(people: People) -> None:
    page = await people.page("/flows")
    await expect(page.get_by_role("link", name="Flows")).to_be_visible()
    await page.get_by_role("button", name="Language").click()
    await expect(page.get_by_role("link", name="流程", exact=True)).to_be_visible()
    await page.get_by_role("button", name="外观").click()
    await page.get_by_role("menuitem", name="深色").click()
    await page.reload()
    await expect(page.get_by_role("link", name="流程", exact=True)).to_be_visible()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"


async def test_a_lost_connection_is_told_and_found_again(people: People) -> None:
    page = await people.page("/flows")
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await page.context.set_offline(True)
    banner = page.get_by_role("status").filter(has_text="No connection")
    await expect(banner).to_be_visible()
    await page.context.set_offline(False)
    await expect(banner).to_be_hidden()


async def test_an_ended_sign_in_asks_again_where_one_is(people: People, product: Product) -> None:
    page = await people.page("/flows")
    await expect(page.get_by_role("navigation").first).to_be_visible()
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Go to").click()
    await expect(page.get_by_text("Your sign-in has ended")).to_be_visible()
    await page.get_by_label("Sign-in name").fill("admin")
    await page.get_by_label("Password", exact=True).fill(product.first_sign_in()["admin"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your sign-in has ended")).to_be_hidden()
    await expect(page).to_have_url(re.compile("/flows"))
