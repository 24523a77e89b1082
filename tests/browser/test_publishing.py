"""A flow from the draft to callers and back: simulated, tried by a real call, published, watched live, rolled back."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People, serious
from tests.journeys.scenes import put_live
from tests.journeys.walker import Caller

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "test": "Test",
        "simulator": "Simulator",
        "call": "Call",
        "skip": "Skip ahead",
        "hang up": "Hang up",
        "save case": "Save as test case",
        "case name": "Name of the test case",
        "cases": "Test cases",
        "run all": "Run all",
        "one green": "1 of 1 green",
        "save": "Save",
        "publish": "Publish",
        "note": "What is new",
        "versions": "Versions",
        "put live": "Put live",
        "move": "Move",
        "compare": "Compare with the draft",
        "over": "The call is over",
        "numbers": "Calls on the drawing",
        "live": "live",
        "last run": "In the last run: ",
    },
    "zh": {
        "test": "测试",
        "simulator": "模拟器",
        "call": "呼叫",
        "skip": "快进",
        "hang up": "挂机",
        "save case": "存为测试用例",
        "case name": "用例名称",
        "cases": "测试用例",
        "run all": "全部运行",
        "one green": "1 个中 1 个通过",
        "save": "保存",
        "publish": "发布",
        "note": "变更说明",
        "versions": "版本",
        "put live": "设为线上",
        "move": "确定切换",
        "compare": "与草稿比较",
        "over": "通话已结束",
        "numbers": "流程图上的通话",
        "live": "线上",
        "last run": "上次运行：",
    },
}


def menu(key: str, *, words: str = "For your balance press 1.") -> dict[str, Any]:
    """A small hotline: answer, menu, goodbye."""

    def prompt(text: str) -> dict[str, Any]:
        return {"parts": [{"kind": "text", "text": {"en": text, "zh": text}}]}

    nodes = {
        "answer": {"type": "voice.answer", "name": "Pick up", "config": {}},
        "menu": {
            "type": "voice.menu",
            "name": "Main menu",
            "config": {"prompt": prompt(words), "choices": [{"key": "1", "label": "Balance"}], "timeout": 30},
        },
        "bye": {"type": "voice.say", "name": "Goodbye", "config": {"prompt": prompt("Goodbye.")}},
        "end": {"type": "voice.hangup", "name": "Put down", "config": {}},
    }
    ways = [("answer", "next", "menu"), ("menu", "1", "bye"), ("bye", "next", "end")]
    ways += [("menu", "timeout", "bye"), ("menu", "invalid", "bye")]
    return {
        "spec_version": "1.0.0",
        "id": key,
        "kind": "ivr",
        "name": f"Menu {key}",
        "entry": "answer",
        "languages": ["zh", "en"],
        "nodes": nodes,
        "edges": [{"from": a, "port": port, "to": b} for a, port, b in ways],
        "ui": {"positions": {name: {"x": 0, "y": 160 * at} for at, name in enumerate(nodes)}},
    }


def card(page: Page, node: str) -> Any:
    return page.locator(f'.react-flow__node[data-id="{node}"]')


async def opened(people: People, key: str, language: Language) -> Page:
    page = await people.page(f"/flows/{key}", language=language)
    await expect(card(page, "menu")).to_be_visible()
    return page


async def test_a_draft_is_walked_in_the_simulator_and_kept_as_a_test_case(
    people: People, product: Product, language: Language
) -> None:
    key = f"simulated-{language}"
    await put_live(product, menu(key))
    say = WORDS[language]
    page = await opened(people, key, language)
    await page.get_by_role("button", name=say["test"], exact=True).click()
    await page.get_by_role("menuitem", name=say["simulator"]).click()
    simulator = page.get_by_label(say["simulator"], exact=True).last
    async with page.expect_response(lambda answer: "/files/simulations/" in answer.url) as sound:
        await simulator.get_by_role("button", name=say["call"], exact=True).click()
    assert (await sound.value).ok
    await expect(simulator.get_by_text("For your balance press 1.").first).to_be_visible()
    await simulator.get_by_role("button", name=re.compile("1$")).first.click()
    await simulator.get_by_role("button", name=say["skip"]).click()
    await expect(simulator.get_by_text(say["over"])).to_be_visible()
    assert await serious(page) == []

    await simulator.get_by_role("button", name=say["save case"]).click()
    await page.get_by_label(say["case name"]).fill("balance")
    await page.get_by_role("dialog").get_by_role("button", name=say["save"], exact=True).click()
    await simulator.get_by_text(say["cases"], exact=True).click()
    await simulator.get_by_role("button", name=say["run all"]).click()
    await expect(simulator.get_by_text(say["one green"])).to_be_visible()


async def test_a_published_change_is_called_watched_live_and_rolled_back(
    people: People, product: Product, caller: Caller, language: Language
) -> None:
    key, number = f"published-{language}", {"zh": "7101", "en": "7102"}[language]
    await put_live(product, menu(key), number)
    say = WORDS[language]
    fresh = menu(key, words="For your balance press 1, please.")
    fresh["nodes"]["thanks"] = {
        "type": "voice.say",
        "name": "Thanks",
        "config": {"prompt": {"parts": [{"kind": "text", "text": {"zh": "谢谢。", "en": "Thank you."}}]}},
    }
    for way in fresh["edges"]:
        if way["from"] == "menu" and way["port"] == "1":
            way["to"] = "thanks"
    fresh["variables"] = [{"name": "twice", "type": "string"}]
    fresh["nodes"]["count"] = {
        "type": "logic.set",
        "name": "Count",
        "config": {"assignments": [{"name": "twice", "value": "nodes.menu.key + nodes.menu.key"}]},
    }
    fresh["edges"] += [
        {"from": "thanks", "port": "next", "to": "count"},
        {"from": "count", "port": "next", "to": "bye"},
    ]
    fresh["ui"]["positions"]["count"] = {"x": 360, "y": 440}
    fresh["ui"]["positions"]["thanks"] = {"x": 360, "y": 240}
    saved = await product.graphql(
        "mutation($key: String!, $document: JSON!, $revision: Int!) { saveDraft(key: $key, document: $document,"
        " revision: $revision) { errors { code message { en } } } }",
        key=key,
        document=fresh,
        revision=(await product.graphql("query($key: String!) { flow(key: $key) { revision } }", key=key))["flow"][
            "revision"
        ],
    )
    assert saved["saveDraft"]["errors"] == []

    page = await opened(people, key, language)
    await page.get_by_role("button", name=say["publish"], exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Thanks")).to_be_visible()
    await expect(dialog.get_by_text(re.compile(number))).to_be_visible()
    assert await serious(page) == []
    await dialog.get_by_label(say["note"]).fill("a word of thanks")
    await dialog.get_by_role("button", name=say["publish"], exact=True).click()
    await expect(dialog).to_be_hidden()

    await page.get_by_role("button", name=say["numbers"]).click()
    walker = await caller()
    await walker.dial(number)
    await walker.at("menu")
    await expect(card(page, "menu").locator(".cw-heat-here")).to_be_visible()
    assert await serious(page) == []
    await walker.press("menu", "1")
    await walker.finished()
    assert ("thanks", "next") in await walker.path()
    await expect(card(page, "thanks").locator(".cw-heat")).to_contain_text("1")
    behind = page.locator(".cw-runs tr").filter(has_text="Thanks").get_by_role("link", name="1", exact=True)
    await expect(behind).to_have_attribute("href", re.compile(f"flow={key}&node=thanks"))
    # Beside an expression stands what it came to in that call.
    await page.keyboard.press("Shift+Digit1")
    await card(page, "count").locator(".cw-card").click()
    await expect(page.locator(".cw-panel .cw-preview")).to_contain_text(f"{say['last run']}“11”")

    await page.get_by_role("button", name=say["versions"], exact=True).click()
    await expect(page.get_by_text("a word of thanks")).to_be_visible()
    oldest = page.locator(".cw-version-list li").last
    await oldest.get_by_role("button", name=say["compare"]).click()
    await expect(page.locator(".cw-changes")).to_contain_text("Thanks")
    assert await serious(page) == []
    await oldest.get_by_role("button", name=say["put live"]).click()
    await page.get_by_role("dialog").get_by_role("button", name=say["move"]).click()
    await expect(oldest.get_by_text(say["live"], exact=True)).to_be_visible()

    again = await caller()
    await again.dial(number)
    await again.press("menu", "1")
    await again.finished()
    assert "thanks" not in [node for node, _ in await again.path()]


async def test_errors_keep_a_draft_from_being_published(people: People, product: Product) -> None:
    broken = menu("broken")
    broken["nodes"]["menu"]["config"]["choices"] = []
    made = await product.graphql(
        "mutation($d: JSON!) { createFlow(document: $d) { value { flow { key } } errors { code } } }", d=broken
    )
    key = made["createFlow"]["value"]["flow"]["key"]
    page = await opened(people, key, "en")
    await page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("These errors keep the flow from being published")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Publish", exact=True)).to_be_disabled()
    await dialog.get_by_role("button", name="Show").first.click()
    await expect(dialog).to_be_hidden()
    await expect(card(page, "menu")).to_have_class(re.compile("selected"))
    # A call is refused for the same reasons, by the name of the node; a click leads to the field.
    await card(page, "end").locator("header").click()
    await page.get_by_role("button", name="Test", exact=True).click()
    await page.get_by_role("menuitem", name="Test call").click()
    call = page.get_by_label("Test call", exact=True).last
    await call.get_by_text("Ring a phone").click()
    await call.get_by_label("Number or extension to ring").fill("8001")
    await call.get_by_role("button", name="Call", exact=True).click()
    refusal = call.get_by_role("alert").filter(has_text="The call was not begun")
    reason = refusal.get_by_role("listitem").filter(has_text="Main menu: ").first
    await reason.get_by_role("button", name="Show").click()
    await expect(card(page, "menu")).to_have_class(re.compile("selected"))
    await expect(page.locator('.cw-panel [data-place="choices"] :focus')).to_have_count(1)


async def test_a_draft_is_called_from_the_browser(people: People, product: Product) -> None:
    await put_live(product, menu("called-here"))
    page = await opened(people, "called-here", "en")
    await page.get_by_role("button", name="Test", exact=True).click()
    await page.get_by_role("menuitem", name="Test call").click()
    call = page.get_by_label("Test call", exact=True).last
    await call.get_by_role("button", name="Call", exact=True).click()
    await expect(call.get_by_text("In the call")).to_be_visible()
    await expect(call.get_by_role("button", name="Main menu")).to_be_visible()
    await asyncio.sleep(1)
    await call.get_by_role("button", name="Key 1", exact=True).click()
    await expect(call.get_by_role("button", name="Goodbye")).to_be_visible()
    await expect(call.get_by_text("The call is over")).to_be_visible()
    assert await serious(page) == []


async def test_a_refused_microphone_is_told_with_the_other_way(people: People, product: Product) -> None:
    await put_live(product, menu("no-microphone"))
    page = await people.page("/flows/no-microphone", permissions=())
    # The browser's own answer to a person who refuses.
    await page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia ="
        " () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    )
    await page.get_by_role("button", name="Test", exact=True).click()
    await page.get_by_role("menuitem", name="Test call").click()
    call = page.get_by_label("Test call", exact=True).last
    await call.get_by_role("button", name="Call", exact=True).click()
    await expect(call.get_by_role("alert")).to_contain_text("let a phone ring instead")
