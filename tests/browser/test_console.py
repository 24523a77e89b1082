"""Agents at their consoles, a supervisor at the wall: real calls between real browser phones."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People, serious
from tests.journeys.people import PASSWORD, make_user

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "begin": "Begin work",
        "connected": "Browser phone is connected",
        "answer": "Answer",
        "dial": "Number or extension",
        "hold": "Hold",
        "resume": "Resume",
        "held": "on hold",
        "no call": "No call",
        "notes": "Notes on this call",
        "save": "Save and next",
        "saved": "Saved",
        "not ready": "Not ready",
        "ready": "Ready",
        "talking": "talking",
        "new task": "New task",
        "to do": "To do",
        "create": "Create",
        "done": "Done",
        "lines": "Lines",
        "no answer": "no answer",
    },
    "zh": {
        "begin": "签入",
        "connected": "浏览器电话已连接",
        "answer": "接听",
        "dial": "号码或分机",
        "hold": "保持",
        "resume": "恢复",
        "held": "保持中",
        "no call": "没有通话",
        "notes": "通话小结",
        "save": "保存并处理下一项",
        "saved": "已保存",
        "not ready": "示忙",
        "ready": "示闲",
        "talking": "通话中",
        "new task": "新建任务",
        "to do": "待办",
        "create": "新建",
        "done": "完成",
        "lines": "线路",
        "no answer": "无响应",
    },
}


async def make_agent(product: Product, name: str, extension: str) -> str:
    """A person who is an agent at a browser phone; made once in a product. Their id."""
    id = await make_user(product, name, "agent", extension)
    made = await product.graphql(
        "mutation($u: String!, $a: AgentInput!) { saveAgent(userId: $u, agent: $a)"
        " { errors { code message { en } } } }",
        u=id,
        a={"extension": extension, "phoneKind": "browser"},
    )
    assert made["saveAgent"]["errors"] == [], made
    return id


async def make_trunk(product: Product) -> None:
    """A trunk that would register where nobody is. It is there for the wall only: nothing is dialled through it."""
    made = await product.graphql(
        "mutation($t: TrunkInput!) { saveTrunk(input: $t) { errors { code message { en } } } }",
        t={"name": "nowhere", "host": "127.0.0.1", "port": 9, "username": "nobody", "registers": True},
    )
    assert [one["code"] for one in made["saveTrunk"]["errors"]] in ([], ["conflict"]), made


async def at_work(people: People, name: str, language: Language) -> Page:
    """A console whose agent is signed in and whose phone is connected."""
    say = WORDS[language]
    page = await people.page("/console", language=language, name=name, password=PASSWORD)
    begin = page.get_by_role("button", name=say["begin"])
    state = page.locator(".cw-state-button")
    await expect(begin.or_(state)).to_be_visible()
    if await begin.is_visible():
        await begin.click()
    await expect(page.get_by_text(say["connected"])).to_be_visible()
    return page


async def test_a_call_is_made_answered_held_and_written_down(
    people: People, product: Product, language: Language
) -> None:
    say = WORDS[language]
    names = [f"{who}-{language}" for who in ("caller", "called")]
    extensions = {"zh": ("7301", "7302"), "en": ("7311", "7312")}[language]
    for name, extension in zip(names, extensions, strict=True):
        await make_agent(product, name, extension)
    await make_trunk(product)
    caller = await at_work(people, names[0], language)
    called = await at_work(people, names[1], language)
    assert await serious(caller) == []

    await caller.get_by_label(say["dial"]).fill(extensions[1])
    await caller.keyboard.press("Enter")
    await expect(called.get_by_role("button", name=re.compile(say["answer"]))).to_be_visible()
    assert await serious(called) == []
    await called.locator("body").click(position={"x": 700, "y": 300})
    await called.keyboard.press("Enter")

    bar = caller.locator(".cw-callbar")
    await expect(bar.get_by_role("button", name=re.compile(say["hold"]))).to_be_visible()
    await expect(called.locator(".cw-callbar")).to_contain_text(extensions[0])
    await caller.get_by_label(say["notes"]).fill("wants an offer")
    await caller.locator(".cw-customer h2").first.click()
    await caller.keyboard.press("h")
    await expect(bar).to_contain_text(say["held"])
    await caller.keyboard.press("h")
    await expect(bar.get_by_role("button", name=re.compile(say["hold"]))).to_be_visible()

    wall = await people.page("/floor", language=language)
    await expect(wall.locator(".cw-tile").filter(has_text=extensions[0])).to_be_visible()
    assert await serious(wall) == []
    await wall.locator(".cw-floor-head").get_by_text(re.compile(f"^{say['lines']}")).click()
    line = wall.locator("tr").filter(has_text=extensions[0]).filter(has_text=extensions[1])
    await expect(line).to_contain_text(names[0])
    await expect(wall.locator(".cw-trunks li").filter(has_text="nowhere")).to_contain_text(say["no answer"])
    assert await serious(wall) == []

    # What was typed outlives the keys that held and resumed the call.
    await expect(caller.get_by_label(say["notes"])).to_have_value("wants an offer")
    await caller.get_by_role("button", name=re.compile(say["save"])).click()
    await expect(caller.get_by_text(say["saved"], exact=True).first).to_be_visible()
    await caller.locator(".cw-customer h2").first.click()
    await caller.keyboard.press("Escape")
    await caller.keyboard.press("Escape")
    await expect(bar).to_contain_text(say["no call"])
    kept: Any = await product.graphql("{ wrapUps(first: 5) { nodes { note } } }")
    assert "wants an offer" in [one["note"] for one in kept["wrapUps"]["nodes"]]


async def test_an_agent_is_ready_and_not_by_the_keyboard_and_works_on_tasks(people: People, product: Product) -> None:
    await make_agent(product, "tasker", "7321")
    page = await at_work(people, "tasker", "en")
    state = page.locator(".cw-state-button")
    await expect(state).to_contain_text("Ready")
    await page.keyboard.press("Alt+r")
    await expect(state).to_contain_text("Not ready")
    await page.keyboard.press("Alt+r")
    await expect(state).not_to_contain_text("Not ready")
    await page.get_by_role("button", name="New task").click()
    await page.get_by_role("dialog").get_by_label("To do").first.fill("send the offer")
    await page.get_by_role("dialog").get_by_role("button", name="Create").click()
    row = page.locator(".cw-task").filter(has_text="send the offer")
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Done").click()
    await expect(row).to_be_hidden()


HELP: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Call for help", "Call a supervisor", "I will help", "is coming"),
    "zh": ("求助班长", "呼叫班长", "我来协助", "正在协助"),
}


async def test_an_agent_calls_for_help_and_a_supervisor_comes(
    people: People, product: Product, language: Language
) -> None:
    call, send, answer, comes = HELP[language]
    name, extension = {"zh": ("helpless-zh", "7331"), "en": ("helpless-en", "7332")}[language]
    await make_agent(product, name, extension)
    page = await at_work(people, name, language)
    wall = await people.page("/floor", language=language)
    await page.get_by_role("button", name=call).click()
    await page.locator(".cw-help-form input").fill("wants the manager")
    assert await serious(page) == []
    await page.get_by_role("button", name=send).click()
    tile = wall.locator(".cw-tile").filter(has_text=extension)
    await expect(tile).to_contain_text("wants the manager")
    assert await serious(wall) == []
    await tile.get_by_role("button", name=answer).click()
    await expect(page.locator(".cw-help")).to_contain_text(comes)
    await page.locator(".cw-help").get_by_role("button").click()
    await expect(page.get_by_role("button", name=call)).to_be_visible()
    await expect(tile).not_to_contain_text("wants the manager")


async def test_somebody_who_is_no_agent_is_told_what_to_do(people: People) -> None:
    page = await people.page("/console")
    await expect(page.get_by_text("You are not set up as an agent")).to_be_visible()
