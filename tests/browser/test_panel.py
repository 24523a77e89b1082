"""The property panel and the problems: a menu is edited, prompts are recorded and heard, expressions and lists help."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People, serious

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "name": "Name of the node",
        "add": "Add to Choices",
        "label": "Label of Choices 3",
        "move": "Choices 3 of 3. Arrow keys move it.",
        "tries": "Tries",
        "range": "It must be from 1 to 9",
        "reset": "Tries: back to the default",
        "play": "Play: English",
        "other": "Chinese",
        "missing": "missing",
        "part": "Prompt: Recording",
        "choose": "Choose from the prompt library",
        "record": "Record",
        "stop": "Stop",
        "use": "Use this recording",
        "recorded": "Recording",
        "meter": "Loudness of the microphone",
        "close": "Close",
        "problems": "Problems",
        "create": "Create the variable “amont”",
        "unknown": "there is no vars.amont",
        "unfinished": "something is missing at the end",
        "end": "End here",
        "fill": "Fill this in",
        "url": "URL",
        "fails": "When it goes wrong",
        "retries": "Tries again",
    },
    "zh": {
        "name": "节点名称",
        "add": "添加选项",
        "label": "选项 3 的名称",
        "move": "选项第 3 项，共 3 项，用方向键移动。",
        "tries": "尝试次数",
        "range": "应在 1 到 9 之间",
        "reset": "尝试次数：恢复默认值",
        "play": "播放: 中文",
        "other": "英语",
        "missing": "缺少",
        "part": "播报内容: 录音",
        "choose": "从语音库选择",
        "record": "录音",
        "stop": "停止",
        "use": "使用此录音",
        "recorded": "录音",
        "meter": "麦克风音量",
        "close": "关闭",
        "problems": "问题",
        "create": "新建变量“amont”",
        "unknown": "没有 vars.amont",
        "unfinished": "末尾不完整",
        "end": "到此结束",
        "fill": "请填写此项",
        "url": "地址",
        "fails": "出错时",
        "retries": "重试次数",
    },
}
CREATE = """mutation($document: JSON!) {
  importFlow(document: $document, replace: true) { errors { message { en } } }
}"""
DRAFT = "query($key: String!) { flow(key: $key) { draft } }"


def said(zh: str, en: str = "") -> dict[str, Any]:
    """A prompt of one text."""
    return {"parts": [{"kind": "text", "text": {"zh": zh} | ({"en": en} if en else {})}]}


async def drawn(product: Product, key: str) -> None:
    """A flow with one of everything that these tests look at."""
    menu = {"prompt": said("请选择。", "Please choose."), "choices": [{"key": "1"}, {"key": "2"}]}
    nodes = {
        "answer": {"type": "voice.answer", "config": {}},
        "menu": {"type": "voice.menu", "name": "Menu", "config": menu},
        "say": {
            "type": "voice.say",
            "name": "Balance",
            "config": {"prompt": said("您的余额是 {{ vars.amount }} 元。")},
        },
        "branch": {"type": "logic.branch", "name": "Rich", "config": {"condition": "call.anonymous"}},
        "web": {"type": "web.http", "name": "Ask", "config": {"url": ""}},
    }
    ways = [("answer", "next", "menu"), ("menu", "1", "say"), ("menu", "2", "branch"), ("branch", "yes", "web")]
    document = {
        "spec_version": "1.0.0",
        "id": key,
        "kind": "ivr",
        "name": key,
        "languages": ["zh", "en"],
        "entry": "answer",
        "variables": [{"name": "amount", "type": "number", "default": 25}],
        "nodes": nodes,
        "edges": [{"from": a, "port": port, "to": b} for a, port, b in ways],
        "ui": {"positions": {name: {"x": 20 + 20 * at, "y": 40 + 150 * at} for at, name in enumerate(nodes)}},
    }
    made = await product.graphql(CREATE, document=document)
    assert made["importFlow"]["errors"] == []


async def kept(product: Product, key: str, right: Callable[[Any], bool]) -> Any:
    """The draft on the server once it is right."""
    draft: Any = None
    for _ in range(100):
        draft = (await product.graphql(DRAFT, key=key))["flow"]["draft"]
        if right(draft):
            return draft
        await asyncio.sleep(0.1)
    raise AssertionError(f"the draft never became right: {draft}")


async def chosen(page: Page, node: str) -> Locator:
    """The panel, after a click on a card."""
    await page.locator(f'.react-flow__node[data-id="{node}"] .cw-card').click()
    panel = page.locator(".cw-panel")
    await expect(panel.locator(".cw-panel-id")).to_contain_text(node)
    return panel


async def opened(people: People, product: Product, key: str, language: Language) -> Page:
    await drawn(product, key)
    page = await people.page(f"/flows/{key}", language=language)
    await expect(page.locator('.react-flow__node[data-id="web"]')).to_be_visible()
    return page


async def test_a_menu_is_edited_by_mouse_and_keyboard(people: People, product: Product, language: Language) -> None:
    key, say = f"edited-{language}", WORDS[language]
    page = await opened(people, product, key, language)
    panel = await chosen(page, "menu")
    await panel.get_by_role("textbox", name=say["name"]).fill("Main menu")
    await panel.get_by_role("button", name=say["add"], exact=True).click()
    await panel.get_by_role("textbox", name=say["label"]).fill("Person")
    handle = panel.get_by_role("button", name=say["move"])
    await handle.focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    draft = await kept(product, key, lambda one: one["nodes"]["menu"]["config"]["choices"][0]["key"] == "3")
    assert draft["nodes"]["menu"]["name"] == "Main menu"
    assert [one["key"] for one in draft["nodes"]["menu"]["config"]["choices"]] == ["3", "1", "2"]
    assert draft["nodes"]["menu"]["config"]["choices"][0]["label"] == "Person"

    # Another key for the choice that leads to the balance: the edge follows.
    keys = panel.locator('[data-place="choices.1.key"] input')
    await keys.fill("9")
    await page.keyboard.press("Enter")
    draft = await kept(product, key, lambda one: one["nodes"]["menu"]["config"]["choices"][1]["key"] == "9")
    assert {"from": "menu", "port": "9", "to": "say"} in draft["edges"]

    # What is wrong is said at once and can be taken back.
    tries = panel.get_by_label(say["tries"], exact=True)
    await tries.fill("50")
    await expect(panel.get_by_text(say["range"])).to_be_visible()
    await panel.get_by_role("button", name=say["reset"]).click()
    await expect(panel.get_by_text(say["range"])).to_be_hidden()
    await expect(tries).to_have_value("3")

    await panel.get_by_text(say["fails"]).click()
    await panel.get_by_label(say["retries"]).fill("2")
    await kept(product, key, lambda one: one["nodes"]["menu"].get("policy", {}).get("retries") == 2)
    assert "\n".join(await serious(page)) == ""


async def test_prompts_are_heard_and_recorded(people: People, product: Product, language: Language) -> None:
    key, say = f"recorded-{language}", WORDS[language]
    page = await opened(people, product, key, language)
    panel = await chosen(page, "say")
    prompt = panel.locator('[data-place="prompt"]')
    if language == "en":
        # The text is there in Chinese only, and says so.
        await expect(prompt.get_by_label(say["missing"])).to_be_visible()
        await prompt.locator(".cm-content").click()
        await page.keyboard.type("Your balance is {{vars.amount")
        await page.keyboard.press("Escape")
        await expect(prompt.get_by_label(say["missing"])).to_be_hidden()
    async with page.expect_response(lambda answer: "/previews/" in answer.url or answer.url.endswith(".wav")) as sound:
        await prompt.get_by_role("button", name=say["play"]).click()
    assert (await sound.value).ok
    heard = {"zh": "您的余额是 25 元。", "en": "Your balance is 25"}[language]
    await expect(prompt.get_by_role("status").filter(has_text=heard)).to_be_visible()

    # A recording by the browser's own microphone.
    name = f"thanks {language}"
    await prompt.get_by_role("button", name=say["part"]).click()
    picker = prompt.get_by_role("combobox", name=say["choose"])
    await picker.fill(name)
    await page.get_by_title(re.compile(name)).first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=say["record"], exact=True).click()
    await expect(dialog.get_by_role("meter", name=say["meter"])).to_be_visible()
    await asyncio.sleep(1.5)
    assert "\n".join(await serious(page)) == ""
    await dialog.get_by_role("button", name=say["stop"]).click()
    await dialog.get_by_role("button", name=say["use"]).click()
    tab = dialog.get_by_role("tab", selected=True)
    await expect(tab).to_contain_text(say["recorded"])
    await dialog.get_by_role("button", name=say["close"]).first.click()
    await expect(dialog).to_be_hidden()
    stored = await product.graphql("{ prompts { name language seconds url } }")
    [mine] = [one for one in stored["prompts"] if one["name"] == name]
    assert mine["language"] == language and mine["seconds"] > 0.8 and mine["url"]
    await kept(product, key, lambda one: one["nodes"]["say"]["config"]["prompt"]["parts"][-1].get("prompt") == name)
    assert "\n".join(await serious(page)) == ""


async def test_expressions_are_completed_and_checked(people: People, product: Product, language: Language) -> None:
    key, say = f"expressed-{language}", WORDS[language]
    page = await opened(people, product, key, language)
    panel = await chosen(page, "branch")
    field = panel.locator('[data-place="condition"]')
    await field.locator(".cm-content").click()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("vars.am")
    option = page.locator(".cm-tooltip-autocomplete [role=option]").filter(has_text="vars.amount")
    await expect(option).to_be_visible()
    # A list that has just opened takes no Enter: it may have been meant for something else.
    await asyncio.sleep(0.3)
    await page.keyboard.press("Enter")
    await expect(field.locator(".cm-content")).to_have_text("vars.amount")
    await page.keyboard.type(" > 100 and")
    await page.keyboard.press("Escape")
    await expect(field.get_by_text(say["unfinished"])).to_be_visible()
    await page.keyboard.type(" vars.amont")
    await page.keyboard.press("Escape")
    await expect(field.get_by_text(say["unknown"])).to_be_visible()
    await kept(
        product,
        key,
        lambda one: one["nodes"]["branch"]["config"]["condition"] == "vars.amount > 100 and vars.amont",
    )

    # The problem is in the list, and a click mends it.
    await page.get_by_role("button", name=re.compile(f"^{say['problems']}")).click()
    drawer = page.get_by_role("region", name=say["problems"])
    await drawer.get_by_role("button", name=say["create"]).click()
    await expect(field.get_by_text(say["unknown"])).to_be_hidden()
    draft = await kept(product, key, lambda one: len(one["variables"]) == 2)
    assert draft["variables"][1]["name"] == "amont"


async def test_a_problem_is_shown_at_its_field_and_fixed(people: People, product: Product, language: Language) -> None:
    key, say = f"mended-{language}", WORDS[language]
    page = await opened(people, product, key, language)
    badge = page.locator('.react-flow__node[data-id="web"] .cw-badge')
    await expect(badge).to_be_visible()
    await page.get_by_role("button", name=re.compile(f"^{say['problems']}")).click()
    drawer = page.get_by_role("region", name=say["problems"])
    group = drawer.locator("section").filter(has=page.get_by_role("heading", name=re.compile("Ask")))
    assert "\n".join(await serious(page)) == ""

    # From the list to the field, which has the cursor then.
    await group.get_by_role("button", name=re.compile(say["url"])).first.click()
    url = page.locator('.cw-panel [data-place="url"]')
    await expect(url.get_by_text(say["fill"])).to_be_visible()
    await expect(url.locator(".cm-content")).to_be_focused()
    await page.keyboard.type("https://example.com/")
    await expect(url.get_by_text(say["fill"])).to_be_hidden()

    # An open way out is led to an end by one click, and undone by one key: the search for the field that was asked
    # for just before does not take the cursor, and the key, into that field.
    row = group.locator("li").filter(has=page.get_by_role("button", name=say["end"])).first
    await row.locator(".cw-problems-text").click()
    await row.get_by_role("button", name=say["end"]).click()
    draft = await kept(product, key, lambda one: any(edge["from"] == "web" for edge in one["edges"]))
    [edge] = [edge for edge in draft["edges"] if edge["from"] == "web"]
    assert draft["nodes"][edge["to"]]["type"] == "logic.end"
    await expect(badge).to_be_hidden()
    await page.keyboard.press("Control+z")
    await expect(badge).to_be_visible()
    await kept(product, key, lambda one: not any(edge["from"] == "web" for edge in one["edges"]))
