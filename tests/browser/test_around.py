"""What stands around the canvas: flows in folders and from files, calls, numbers, calendars, prompts, lists, people."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from backend.runtime.testing import Product
from tests.browser.pages import Language, People
from tests.journeys.walker import Caller

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_flow_begins_from_blank(people: People, product: Product, language: Language) -> None:
    page = await people.page("/flows", language=language)
    words = {
        "zh": ("新建流程", "空白：语音导航", "新流程的名称", "创建并打开"),
        "en": ("New flow", "Blank: Voice menu", "Name of the new flow", "Create and open"),
    }[language]
    await page.get_by_role("button", name=words[0]).first.click()
    await page.get_by_role("button", name=words[1]).click()
    await page.get_by_label(words[2]).fill(f"Night line {language}")
    await page.get_by_role("button", name=words[3]).click()
    await expect(page).to_have_url(re.compile(f"/flows/night-line-{language}"))
    told = await product.graphql(
        "query($key: String!) { flow(key: $key) { kind draftAhead } }", key=f"night-line-{language}"
    )
    assert told["flow"] == {"kind": "ivr", "draftAhead": True}


async def test_a_template_shows_its_picture_and_brings_its_cases(people: People, product: Product) -> None:
    page = await people.page("/flows")
    await page.get_by_role("button", name="New flow").first.click()
    templates = (await product.graphql("{ flowTemplates { key title { en } cases } }"))["flowTemplates"]
    chosen = next(one for one in templates if one["cases"])
    card = page.locator(".cw-template", has_text=chosen["title"]["en"]).first
    await expect(card.get_by_role("img")).to_be_visible()
    await card.click()
    await page.get_by_label("Name of the new flow").fill("Out of a template")
    await page.get_by_role("button", name="Create and open").click()
    await page.wait_for_url(re.compile("/flows/.+"))
    flows = (await product.graphql("{ flows { name cases { total } } }"))["flows"]
    made = next(one for one in flows if one["name"] == "Out of a template")
    assert made["cases"]["total"] == chosen["cases"]


async def test_a_broken_file_keeps_all_files_out(people: People, product: Product, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"id": "from-file", "kind": "ivr", "name": "From a file", "nodes": {}}))
    broken = tmp_path / "broken.json"
    broken.write_text('{"id": "half", "kind": ')
    page = await people.page("/flows")
    await page.get_by_role("button", name="Import").click()
    await page.locator("input[type=file]").set_input_files([good, broken])
    await expect(page.get_by_text("Nothing is imported while a file is broken")).to_be_visible()
    await expect(page.get_by_text("This is no JSON")).to_be_visible()
    send = page.get_by_role("button", name="Import 1 flow")
    await expect(send).to_be_disabled()
    keys = {flow["key"] for flow in (await product.graphql("{ flows { key } }"))["flows"]}
    assert "from-file" not in keys
    await page.locator("li", has_text="broken.json").get_by_role("button", name="Take out of the list").click()
    await send.click()
    await expect(page.get_by_role("link", name="From a file").first).to_be_visible()
    assert "from-file" in {flow["key"] for flow in (await product.graphql("{ flows { key } }"))["flows"]}


async def test_a_live_call_is_on_top_and_then_told_step_by_step(people: People, caller: Caller) -> None:
    page = await people.page("/calls")
    live = page.get_by_role("region", name="Live now")
    await expect(live).to_be_visible()
    walker = await caller()
    call = await walker.dial()
    row = live.get_by_role("link").filter(has_text=re.compile("100"))
    await expect(row.first).to_be_visible()
    await call.hang_up()
    await expect(row).to_have_count(0)
    await page.goto(f"/calls?number={walker.number}")
    await page.get_by_role("row").nth(1).get_by_role("link").first.click()
    await expect(page.get_by_text("接听 Answer")).to_be_visible()
    await page.get_by_role("button", name="Replay").click()
    await page.get_by_role("button", name="Walk it again").click()
    await expect(page.get_by_text("Same path")).to_be_visible()


async def test_hours_are_typed_and_holidays_taken_over(people: People, product: Product, language: Language) -> None:
    page = await people.page("/calendars", language=language)
    words = {
        "zh": ("新建日历", "名称", "星期一", "保存", "法定节假日…", "加入"),
        "en": ("New calendar", "Name", "Monday", "Save", "Public holidays…", "Take over"),
    }[language]
    name = f"hours-{language}"
    await page.get_by_role("button", name=words[0]).click()
    await page.get_by_label(words[1], exact=True).first.fill(name)
    await page.get_by_label(words[2], exact=True).fill("08:30-11:30 13:00-17:00")
    await page.get_by_role("button", name=words[4]).click()
    await page.get_by_role("button", name=re.compile(words[5])).click()
    await page.get_by_role("button", name=words[3], exact=True).click()
    await expect(page.get_by_role("navigation").get_by_role("button", name=re.compile(name))).to_be_visible()
    stored = (await product.graphql("{ calendars { name week days } }"))["calendars"]
    made = next(one for one in stored if one["name"] == name)
    assert made["week"]["mon"] == [["08:30", "11:30"], ["13:00", "17:00"]]
    assert made["days"]


async def test_a_list_takes_all_numbers_or_none(people: People, product: Product) -> None:
    page = await people.page("/lists?list=vip")
    await page.get_by_role("button", name="Import").click()
    box = page.get_by_label("Numbers to import")
    await box.fill("13700000001, first\nnot 12 a number")
    await expect(page.get_by_text("Line 2")).to_be_visible()
    await expect(page.get_by_role("button", name="Import 1 number")).to_be_disabled()
    await box.fill("13700000001, first\n13700000002, second, 2099-01-31")
    await page.get_by_role("button", name="Import 2 numbers").click()
    await expect(page.get_by_text("second", exact=True)).to_be_visible()
    told = await product.graphql("{ numberLists { name entries { nodes { number note } } } }")
    vip = next(one for one in told["numberLists"] if one["name"] == "vip")
    assert {"number": "+8613700000002", "note": "second"} in vip["entries"]["nodes"]


async def test_a_query_is_tried(people: People, language: Language) -> None:
    page = await people.page("/sources", language=language)
    words = {"zh": ("试一试 balance-by-card", "运行"), "en": ("Try it balance-by-card", "Run")}[language]
    await page.get_by_role("button", name=words[0]).click()
    await page.get_by_label(":card", exact=True).fill("62220001")
    await page.get_by_role("button", name=words[1], exact=True).click()
    await expect(page.get_by_role("cell", name="1234.5")).to_be_visible()


async def test_a_new_extension_shows_its_password_once(people: People, product: Product) -> None:
    page = await people.page("/numbers?tab=extensions")
    await page.get_by_role("button", name="New extension").click()
    await page.get_by_label("Extension", exact=True).fill("8077")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("shown only now")).to_be_visible()
    assert len(await page.locator(".cw-secret code").inner_text()) >= 8
    await page.get_by_role("button", name="I have written it down").click()
    await expect(page.get_by_text("shown only now")).to_be_hidden()
    assert "8077" in {one["number"] for one in (await product.graphql("{ extensions { number } }"))["extensions"]}


async def test_the_chain_of_deeds_is_checked(people: People, language: Language) -> None:
    page = await people.page("/audit", language=language)
    words = {"zh": ("校验链条", "链条完整"), "en": ("Check the chain", "The chain holds")}[language]
    await page.get_by_role("button", name=words[0]).click()
    await expect(page.get_by_text(words[1])).to_be_visible()
