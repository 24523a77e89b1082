"""The canvas: drawing by mouse and by keyboard, undo, copies between flows, two people, lost connections."""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People, serious

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_numbers = itertools.count(1)
WORDS = {
    "zh": {
        "add": "添加第一个节点",
        "answer": "接听",
        "menu": "按键菜单",
        "say": "播报",
        "hang": "挂机",
        "undo": "撤销",
        "redo": "重做",
        "rename": "修改流程名称",
    },
    "en": {
        "add": "Add the first node",
        "answer": "answer",
        "menu": "menu",
        "say": "say",
        "hang": "hang up",
        "undo": "Undo",
        "redo": "Redo",
        "rename": "Rename this flow",
    },
}


def _say(zh: str, en: str) -> dict[str, Any]:
    return {"prompt": {"parts": [{"kind": "text", "text": {"zh": zh, "en": en}}]}}


THREE: dict[str, Any] = {
    "nodes": {
        "answer": {"type": "voice.answer", "name": "Pick up", "config": {}},
        "hello": {"type": "voice.say", "name": "Hello", "config": _say("您好", "Hello there")},
        "bye": {"type": "voice.hangup", "name": "Goodbye", "config": {}},
    },
    "edges": [{"from": "answer", "port": "next", "to": "hello"}, {"from": "hello", "port": "next", "to": "bye"}],
    "entry": "answer",
    "ui": {"positions": {"answer": {"x": 0, "y": 0}, "hello": {"x": 320, "y": 0}, "bye": {"x": 640, "y": 0}}},
}


async def new_flow(product: Product, **parts: Any) -> str:
    """A flow of these parts, blank without any; its key."""
    number = next(_numbers)
    document = {
        "spec_version": "1.0.0",
        "id": f"canvas-{number}",
        "kind": "ivr",
        "name": f"Canvas {number}",
        "ui": {"positions": {"@start": {"x": 0, "y": 0}, "@hangup": {"x": 0, "y": 64}, "@error": {"x": 0, "y": 128}}},
        **parts,
    }
    asked = "mutation($document: JSON!) { createFlow(document: $document) { value { flow { key } } } }"
    told = await product.graphql(asked, document=document)
    return str(told["createFlow"]["value"]["flow"]["key"])


async def draft(product: Product, key: str) -> dict[str, Any]:
    told = await product.graphql("query($key: String!) { flow(key: $key) { draft } }", key=key)
    found: dict[str, Any] = told["flow"]["draft"]
    return found


async def until(product: Product, key: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The stored draft once it is as wanted: autosave brings it there."""
    for _ in range(150):
        document = await draft(product, key)
        if wanted(document):
            return document
        await asyncio.sleep(0.1)
    raise AssertionError(json.dumps(document, ensure_ascii=False)[:3000])


def types(document: dict[str, Any]) -> list[str]:
    return sorted(node["type"] for node in document["nodes"].values())


def wires(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Edges by the types of their nodes."""
    kind = {key: node["type"] for key, node in document["nodes"].items()}
    return {(kind[edge["from"]], edge["port"], kind[edge["to"]]) for edge in document["edges"]}


def card(page: Page, node: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{node}"]')


async def opened(page: Page, key: str) -> Locator:
    """The canvas of a flow."""
    await page.goto(f"/flows/{key}")
    canvas = page.locator(".cw-ed-canvas .react-flow")
    await expect(canvas).to_be_visible()
    await expect(page.locator(".cw-event").first).to_be_visible()
    return canvas


async def drag(page: Page, source: Locator, x: float, y: float) -> None:
    """From the middle of something to a point of the screen."""
    box = await source.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(x - 8, y - 8, steps=4)
    await page.mouse.move(x, y, steps=2)
    await page.mouse.up()


async def pick(page: Page, typed: str) -> None:
    """Choose in the picker that is open."""
    await expect(page.locator(".cw-pick")).to_be_visible()
    await page.keyboard.type(typed)
    await page.keyboard.press("Enter")
    await expect(page.locator(".cw-pick")).to_have_count(0)


async def test_the_main_menu_is_drawn_by_mouse(people: People, product: Product, language: Language) -> None:
    words = WORDS[language]
    key = await new_flow(product)
    page = await people.page(language=language, width=1700, height=1000)
    await opened(page, key)
    await page.get_by_role("button", name=words["add"]).click()
    await pick(page, words["answer"])
    answer = card(page, "answer")
    box = await answer.bounding_box()
    assert box is not None
    # From a port into the blank: the picker opens there.
    await drag(page, answer.locator('[data-handleid="next"]'), box["x"] + 420, box["y"] + 10)
    await pick(page, words["menu"])
    menu = card(page, "menu")
    place = await menu.bounding_box()
    assert place is not None
    await drag(page, menu.locator('[data-handleid="1"]'), place["x"] + 330, place["y"] - 120)
    await pick(page, words["say"])
    await drag(page, menu.locator('[data-handleid="2"]'), place["x"] + 330, place["y"] + 160)
    await pick(page, words["hang"])
    # From a port onto a card.
    hangup = await card(page, "hangup").bounding_box()
    assert hangup is not None
    await drag(
        page, card(page, "say").locator('[data-handleid="next"]'), hangup["x"] + hangup["width"] / 2, hangup["y"] + 20
    )
    # From the palette onto an edge.
    middle: dict[str, float] = await page.evaluate(
        """() => {
          const path = document.querySelector('.react-flow__edge[data-id="answer|next"] path');
          const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
          return {x: at.x, y: at.y};
        }"""
    )
    canvas = await page.locator(".cw-ed-canvas").bounding_box()
    assert canvas is not None
    await page.locator('.cw-ed-item[data-type="voice.say"]').drag_to(
        page.locator(".cw-ed-canvas"),
        target_position={"x": middle["x"] - canvas["x"], "y": middle["y"] - canvas["y"]},
    )
    await expect(card(page, "say_2")).to_be_visible()
    # The name of the flow.
    await page.locator(".cw-ed-name").click()
    await page.get_by_label(words["rename"]).fill("Main menu")
    await page.keyboard.press("Enter")

    full = await until(product, key, lambda now: now["name"] == "Main menu" and len(now["nodes"]) == 5)
    assert full["entry"] == "answer"
    assert wires(full) == {
        ("voice.answer", "next", "voice.say"),
        ("voice.say", "next", "voice.menu"),
        ("voice.menu", "1", "voice.say"),
        ("voice.menu", "2", "voice.hangup"),
        ("voice.say", "next", "voice.hangup"),
    }
    # All of it is undone and done again.
    undo = page.get_by_role("button", name=re.compile(f"^{words['undo']}"))
    while await undo.is_enabled():
        await undo.click()
    await until(product, key, lambda now: now["nodes"] == {} and now["edges"] == [] and now["entry"] is None)
    redo = page.get_by_role("button", name=re.compile(f"^{words['redo']}"))
    while await redo.is_enabled():
        await redo.click()
    again = await until(product, key, lambda now: now["name"] == "Main menu" and len(now["nodes"]) == 5)
    assert again == full


async def test_the_main_menu_is_drawn_by_keyboard(people: People, product: Product, language: Language) -> None:
    words = WORDS[language]
    key = await new_flow(product)
    page = await people.page(language=language)
    canvas = await opened(page, key)
    await canvas.focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("n")
    await pick(page, words["answer"])
    await page.keyboard.press("1")
    await pick(page, words["menu"])
    await page.keyboard.press("1")
    await pick(page, words["say"])
    # Back along the edge, then from the second key, and from the first node's port by its name.
    await page.keyboard.press("Alt+ArrowLeft")
    await page.keyboard.press("2")
    await pick(page, words["hang"])
    await page.keyboard.press("Alt+ArrowLeft")
    await page.keyboard.press("Alt+ArrowRight")
    await expect(card(page, "say").locator("[data-selected]")).to_be_visible()
    # Which way out, then a node that is there already: it is found by its id below the new ones.
    await page.keyboard.press("n")
    await expect(page.locator(".cw-pick-row").first).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.type("hangup")
    known = page.locator(".cw-pick-row").last
    await expect(known).to_have_attribute("data-family", "voice")
    for _ in range(await page.locator(".cw-pick-row").count()):
        await page.keyboard.press("ArrowDown")
    await expect(known).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    full = await until(product, key, lambda now: len(now["edges"]) == 4)
    assert wires(full) == {
        ("voice.answer", "next", "voice.menu"),
        ("voice.menu", "1", "voice.say"),
        ("voice.menu", "2", "voice.hangup"),
        ("voice.say", "next", "voice.hangup"),
    }
    # Nothing is thrown away by a mistaken key.
    await page.keyboard.press("Shift+Digit1")
    await expect(page.locator(".cw-card")).to_have_count(4)
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Delete")
    await expect(page.locator(".cw-card")).to_have_count(0)
    await page.keyboard.press("Control+z")
    await expect(page.locator(".cw-card")).to_have_count(4)
    await page.keyboard.press("l")
    arranged = await until(product, key, lambda now: "routes" in now["ui"] and len(now["nodes"]) == 4)
    places = arranged["ui"]["positions"]
    assert places["answer"]["x"] < places["menu"]["x"] < places["say"]["x"]
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")


async def test_nodes_are_copied_to_another_flow(people: People, product: Product) -> None:
    first = await new_flow(product, **THREE)
    second = await new_flow(product)
    page = await people.page()
    canvas = await opened(page, first)
    await canvas.focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Control+c")
    copied = json.loads(await page.evaluate("navigator.clipboard.readText()"))
    assert sorted(copied["nodes"]) == ["answer", "bye", "hello"]
    canvas = await opened(page, second)
    await canvas.focus()
    await page.keyboard.press("Control+v")
    await expect(page.locator(".cw-card")).to_have_count(3)
    await page.keyboard.press("Control+v")
    await page.keyboard.press("Shift+Digit1")
    await expect(page.locator(".cw-card")).to_have_count(6)
    pasted = await until(product, second, lambda now: len(now["nodes"]) == 6)
    assert types(pasted) == sorted(2 * ["voice.answer", "voice.say", "voice.hangup"])
    assert len(pasted["edges"]) == 4
    # What is no node is refused, and said.
    await page.evaluate('navigator.clipboard.writeText(\'{"nodes": {"x": {"type": "voice.sing"}}}\')')
    await canvas.focus()
    await page.keyboard.press("Control+v")
    await expect(page.get_by_text("voice.sing")).to_be_visible()
    await expect(page.locator(".cw-card")).to_have_count(6)


async def _rename(page: Page, key: str, name: str) -> None:
    await page.locator(".cw-ed-name").click()
    await page.get_by_label("Rename this flow").fill(name)
    await page.keyboard.press("Enter")


async def _without_saving(page: Page, act: Awaitable[Any]) -> None:
    """Do something that this page cannot save meanwhile."""

    async def refuse(route: Any) -> None:
        if "saveDraft" in (route.request.post_data or ""):
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/graphql", refuse)
    await act
    await expect(page.locator(".cw-ed-save")).to_contain_text("Kept on this computer")


async def test_the_work_of_two_people_is_merged(people: People, product: Product) -> None:
    key = await new_flow(product, **THREE)
    mine, theirs = await people.page(), await people.page()
    await opened(theirs, key)
    await opened(mine, key)
    await expect(mine.locator(".cw-ed-presence")).to_be_visible()

    async def duplicate() -> None:
        await card(mine, "bye").locator("header").click()
        await mine.keyboard.press("Control+d")

    await _without_saving(mine, duplicate())
    await card(theirs, "hello").locator("header").click()
    await theirs.keyboard.press("Delete")
    await until(product, key, lambda now: "hello" not in now["nodes"])
    await mine.unroute_all()
    dialog = mine.get_by_role("dialog")
    await expect(dialog).to_contain_text("saved this flow while you were changing it")
    await expect(dialog.get_by_role("row", name=re.compile("Hello"))).to_contain_text("removed")
    await dialog.get_by_role("button", name="Keep both").click()
    merged = await until(product, key, lambda now: sorted(now["nodes"]) == ["answer", "bye", "hangup"])
    assert merged["entry"] == "answer"
    # The other person sees it without doing anything.
    await expect(card(theirs, "hangup")).to_be_visible()
    # Taking back one's own step leaves the other's.
    await mine.keyboard.press("Control+z")
    await until(product, key, lambda now: sorted(now["nodes"]) == ["answer", "bye"])


async def test_a_conflict_shows_both_sides_and_loses_nothing(people: People, product: Product) -> None:
    key = await new_flow(product, **THREE)
    mine, theirs = await people.page(), await people.page()
    await opened(theirs, key)
    await opened(mine, key)
    await _without_saving(mine, _rename(mine, key, "Mine"))
    await _rename(theirs, key, "Theirs")
    await until(product, key, lambda now: now["name"] == "Theirs")
    await mine.unroute_all()
    dialog = mine.get_by_role("dialog")
    await expect(dialog).to_contain_text("both changed")
    await dialog.get_by_role("button", name="Keep mine as a copy").click()
    await expect(mine.locator(".cw-ed-name")).to_have_text("Theirs")
    await mine.get_by_role("button", name="Open it").click()
    await expect(mine.locator(".cw-ed-name")).to_contain_text("Mine")


async def test_work_without_a_connection_is_kept_and_sent(people: People, product: Product) -> None:
    key = await new_flow(product, **THREE)
    page = await people.page()
    await opened(page, key)
    await page.wait_for_load_state("networkidle")
    await page.context.set_offline(True)
    await card(page, "hello").locator("header").click()
    await page.keyboard.press("Delete")
    await expect(page.locator(".cw-ed-save")).to_contain_text("Kept on this computer")
    await page.context.set_offline(False)
    await until(product, key, lambda now: "hello" not in now["nodes"])
    await expect(page.locator(".cw-ed-save")).to_contain_text("Saved")
    # Also when the page is closed before the connection is back.
    await page.context.set_offline(True)
    await page.keyboard.press("Control+z")
    await expect(page.locator(".cw-ed-save")).to_contain_text("Kept on this computer")
    context = page.context
    await page.close()
    await context.set_offline(False)
    page = await context.new_page()
    await opened(page, key)
    await expect(card(page, "hello")).to_be_visible()
    await until(product, key, lambda now: "hello" in now["nodes"])


async def test_a_selection_becomes_a_subflow(people: People, product: Product) -> None:
    key = await new_flow(product, **THREE)
    page = await people.page()
    await opened(page, key)
    await card(page, "hello").locator("header").click()
    await page.keyboard.press("Control+Shift+g")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Greeting")
    await dialog.get_by_role("button", name="Make the subflow").click()
    await expect(card(page, "subflow")).to_be_visible()
    document = await until(product, key, lambda now: "subflow" in now["nodes"] and "hello" not in now["nodes"])
    inner = document["nodes"]["subflow"]["config"]["flow"]
    assert wires(document) == {("voice.answer", "next", "logic.subflow"), ("logic.subflow", "next", "voice.hangup")}
    assert types(await draft(product, inner)) == ["logic.end", "voice.say"]
    await page.keyboard.press("Control+z")
    await until(product, key, lambda now: sorted(now["nodes"]) == ["answer", "bye", "hello"])


async def test_groups_notes_keys_and_finding(people: People, product: Product) -> None:
    key = await new_flow(product, **THREE)
    page = await people.page()
    canvas = await opened(page, key)
    await canvas.focus()
    await page.keyboard.press("Control+a")
    await page.get_by_role("button", name="Group", exact=True).click()
    await page.keyboard.press("Escape")
    await canvas.focus()
    await page.keyboard.press("m")
    await page.get_by_label("Note", exact=True).fill("Ask the lawyers")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="A key that works at any time").click()
    await page.get_by_role("menuitem", name="Key 0 at any time").click()
    pill = page.locator('.react-flow__node[data-id="@key:0"]')
    bye = await card(page, "bye").bounding_box()
    assert bye is not None
    await drag(page, pill.locator('[data-handleid="out"]'), bye["x"] + bye["width"] / 2, bye["y"] + 15)
    document = await until(product, key, lambda now: now["shortcuts"] != [])
    assert document["shortcuts"] == [{"key": "0", "to": "bye"}]
    assert document["ui"]["comments"][0]["text"] == "Ask the lawyers"
    assert sorted(document["ui"]["groups"][0]["nodes"]) == ["answer", "bye", "hello"]
    await page.keyboard.press("Control+f")
    await page.keyboard.type("hello there")
    await page.keyboard.press("Enter")
    await expect(card(page, "hello").locator("[data-selected]")).to_be_visible()
    # The field of the hit is shown, and the cursor stays in the search for the next Enter.
    await expect(page.locator("[data-flash]")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Find", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")


async def test_a_loose_card_is_dropped_into_an_edge_and_menus_tell_what_can_be_done(
    people: People, product: Product
) -> None:
    loose = {"type": "voice.say", "name": "Loose", "config": _say("您好", "Loose")}
    places = {**THREE["ui"]["positions"], "loose": {"x": 160, "y": 320}}
    key = await new_flow(product, **{**THREE, "nodes": {**THREE["nodes"], "loose": loose}, "ui": {"positions": places}})
    page = await people.page()
    canvas = await opened(page, key)
    before, after = await card(page, "answer").bounding_box(), await card(page, "hello").bounding_box()
    assert before is not None and after is not None
    gap = (before["x"] + before["width"] + after["x"]) / 2
    # The head of the card comes to lie on the edge between the two ports.
    port = await card(page, "answer").locator('[data-handleid="next"]').bounding_box()
    assert port is not None
    await drag(page, card(page, "loose").locator("header"), gap, (port["y"] + before["y"] + 24) / 2)
    joined = {("answer", "loose"), ("loose", "hello"), ("hello", "bye")}
    await until(product, key, lambda now: {(edge["from"], edge["to"]) for edge in now["edges"]} == joined)
    await canvas.focus()
    await page.keyboard.press("Control+z")
    await until(product, key, lambda now: len(now["edges"]) == 2 and now["ui"]["positions"]["loose"] == places["loose"])

    # A right click on a card, then the menu key on what is selected; arrows and Enter choose.
    await card(page, "loose").locator("header").click(button="right")
    menu = page.get_by_role("menu", name="What can be done here")
    await expect(menu.get_by_role("menuitem", name="Start here")).to_be_visible()
    assert await serious(page) == []
    await menu.get_by_role("menuitem", name="Duplicate").click()
    await until(product, key, lambda now: len(now["nodes"]) == 5)
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Shift+F10")
    await expect(menu.get_by_role("menuitem", name="Make a subflow")).to_be_visible()
    chosen, told = menu.locator(".ant-dropdown-menu-item-active, .ant-dropdown-menu-submenu-active"), ""
    for _ in range(12):
        await page.keyboard.press("ArrowDown")
        # The next key comes when the last one has shown its effect, as with a person.
        await expect(chosen.filter(has_not_text=told) if told else chosen).to_have_count(1)
        told = await chosen.inner_text()
        if told.startswith("Group"):
            break
    await page.keyboard.press("Enter")
    await until(product, key, lambda now: "groups" in now["ui"])
    await page.locator(".cw-frame-head").click(button="right")
    await menu.get_by_role("menuitem", name="Colour").hover()
    await page.get_by_role("menuitem", name="Amber").click()
    await expect(page.locator('.cw-frame[data-colour="amber"]')).to_be_visible()
    assert await serious(page) == []
    await until(product, key, lambda now: now["ui"]["groups"][0].get("colour") == "amber")
    # What is cut by the menu is pasted where it is opened next.
    await card(page, "loose").locator("header").click(button="right")
    await menu.get_by_role("menuitem", name="Cut").click()
    await page.keyboard.press("Escape")
    box = await canvas.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + 120, box["y"] + box["height"] - 60, button="right")
    await menu.get_by_role("menuitem", name="Paste here").click()
    moved = await until(product, key, lambda now: now["ui"]["positions"].get("loose", {"y": 0})["y"] > 400)
    assert "loose" not in moved["ui"]["groups"][0]["nodes"]
    # Walked from a node in the middle.
    await page.keyboard.press("Shift+Digit1")
    await card(page, "hello").locator("header").click(button="right")
    await menu.get_by_role("menuitem", name="Try from here in the simulator").click()
    await expect(page.locator(".cw-sim")).to_contain_text(re.compile("Hello ▸ .*Goodbye ▸"))


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.soak), "dark"])
async def test_whoever_may_only_look_changes_nothing_and_axe_is_content(
    people: People, product: Product, theme: Any, language: Language
) -> None:
    key = await new_flow(product, **THREE)
    page = await people.page(language=language, theme=theme)
    await opened(page, key)
    assert await serious(page) == []
    await card(page, "hello").click()
    await expect(page.locator(".cw-results")).to_be_visible()
    assert await serious(page) == []
    if theme == "dark":
        return
    name = f"looker-{key}"
    asked = (
        'mutation($name: String!) { createUser(name: $name, password: "look-only-2026", role: "quality",'
        " mustChangePassword: false) { errors { message { en } } } }"
    )
    told = await product.graphql(asked, name=name)
    assert told["createUser"]["errors"] == []
    looker = await people.page(language=language, name=name, password="look-only-2026")
    await opened(looker, key)
    await expect(looker.get_by_text({"zh": "只读", "en": "Read only"}[language])).to_be_visible()
    await card(looker, "hello").locator("header").click()
    await looker.keyboard.press("Delete")
    await expect(card(looker, "hello")).to_be_visible()
