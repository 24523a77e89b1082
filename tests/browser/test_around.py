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


async def test_a_template_shows_its_picture_and_brings_its_cases(
    people: People, product: Product, language: Language
) -> None:
    page = await people.page("/flows", language=language)
    new, named, create = {
        "zh": ("新建流程", "新流程的名称", "创建并打开"),
        "en": ("New flow", "Name of the new flow", "Create and open"),
    }[language]
    await page.get_by_role("button", name=new).first.click()
    templates = (await product.graphql("{ flowTemplates { key title { zh en } cases } }"))["flowTemplates"]
    chosen = next(one for one in templates if one["cases"])
    card = page.locator(".cw-template", has_text=chosen["title"][language]).first
    await expect(card.get_by_role("img")).to_be_visible()
    await card.click()
    await page.get_by_label(named).fill(f"Out of a template {language}")
    await page.get_by_role("button", name=create).click()
    await page.wait_for_url(re.compile("/flows/.+"))
    flows = (await product.graphql("{ flows { name cases { total } } }"))["flows"]
    made = next(one for one in flows if one["name"] == f"Out of a template {language}")
    assert made["cases"]["total"] == chosen["cases"]


async def test_a_broken_file_keeps_all_files_out(
    people: People, product: Product, tmp_path: Path, language: Language
) -> None:
    words = {
        "zh": ("导入", "有文件损坏时不会导入任何内容", "不是有效的 JSON", "导入 1 个流程", "移出列表", "导入 2 个流程"),
        "en": (
            "Import",
            "Nothing is imported while a file is broken",
            "This is not valid JSON",
            "Import 1 flow",
            "Take out of the list",
            "Import 2 flows",
        ),
    }[language]
    key = f"from-file-{language}"
    good, whole = tmp_path / "good.json", tmp_path / "bundle.json"
    small = {"kind": "ivr", "nodes": {}}
    good.write_text(json.dumps({"id": key, "name": f"From a file {language}", **small}))
    broken = tmp_path / "broken.json"
    broken.write_text('{"id": "half", "kind": ')
    page = await people.page("/flows", language=language)
    await page.get_by_role("button", name=words[0], exact=True).click()
    await page.locator("input[type=file]").set_input_files([good, broken])
    await expect(page.get_by_text(words[1])).to_be_visible()
    await expect(page.get_by_text(words[2])).to_be_visible()
    send = page.get_by_role("button", name=words[3])
    await expect(send).to_be_disabled()
    keys = {flow["key"] for flow in (await product.graphql("{ flows { key } }"))["flows"]}
    assert key not in keys
    await page.locator("li", has_text="broken.json").get_by_role("button", name=words[4]).click()

    # One file of several flows: what the server finds wrong with one of them keeps all out, the other file too.
    wrong = {"id": f"{key}-b", "name": "B", "cases": [{"steps": []}], **small}
    whole.write_text(json.dumps({"flows": [{**wrong, "cases": []}, {**wrong, "id": f"{key}-c", "name": "C"}]}))
    await page.locator("input[type=file]").set_input_files([whole])
    await page.get_by_role("button", name=re.compile("^(导入 3 个流程|Import 3 flows)$")).click()
    await expect(
        page.locator("li").filter(has=page.get_by_text("C", exact=True)).locator(".cw-import-bad")
    ).to_contain_text("name")
    assert key not in {flow["key"] for flow in (await product.graphql("{ flows { key } }"))["flows"]}
    await page.locator("li").filter(has=page.locator(".cw-import-bad")).get_by_role("button", name=words[4]).click()
    await page.get_by_role("button", name=words[5]).click()
    await expect(page.get_by_role("link", name=f"From a file {language}").first).to_be_visible()
    assert {key, f"{key}-b"} <= {flow["key"] for flow in (await product.graphql("{ flows { key } }"))["flows"]}


async def test_flows_are_archived_together_and_one_that_is_called_stays(
    people: People, product: Product, language: Language
) -> None:
    archive, kept, restore = {
        "zh": ("归档", "正在使用、不会归档", "恢复"),
        "en": ("Archive", "In use and therefore left", "Restore"),
    }[language]
    old = [f"Old menu {number} {language}" for number in (1, 2)]
    for name in old:
        await product.graphql(
            "mutation($d: JSON!) { importFlow(document: $d) { errors { code } } }",
            d={"id": name.lower().replace(" ", "-"), "name": name, "kind": "ivr", "nodes": {}},
        )
    page = await people.page("/flows", language=language)
    called = page.get_by_role("checkbox", name=re.compile("Service hotline")).first
    for box in (called, *(page.get_by_role("checkbox", name=name) for name in old)):
        await box.check()
    await page.locator(".cw-selection").get_by_role("button", name=archive).click()
    asked = page.get_by_role("dialog")
    await expect(asked).to_contain_text(kept)
    await expect(asked).to_contain_text("100")
    await asked.get_by_role("button", name=archive).click()
    for name in old:
        await expect(page.get_by_role("checkbox", name=name)).to_be_hidden()
    await expect(called).to_be_visible()
    flows = (await product.graphql("{ flows(archived: true) { name archived } }"))["flows"]
    assert {flow["name"] for flow in flows if flow["archived"]} >= set(old)

    await page.goto("/flows?archived=yes")
    for name in old:
        await page.get_by_role("checkbox", name=name).check()
    await page.locator(".cw-selection").get_by_role("button", name=restore).click()
    for name in old:
        await expect(page.get_by_role("checkbox", name=name)).to_be_hidden()
    assert {flow["name"] for flow in (await product.graphql("{ flows { name } }"))["flows"]} >= set(old)


async def test_a_live_call_is_on_top_and_then_told_step_by_step(
    people: People, caller: Caller, language: Language
) -> None:
    words = {
        "zh": ("进行中", "重放", "重新走一遍", "路径一致"),
        "en": ("Live now", "Replay", "Walk it again", "Same path"),
    }[language]
    page = await people.page("/calls", language=language)
    live = page.get_by_role("region", name=words[0])
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
    await page.get_by_role("button", name=words[1]).click()
    await page.get_by_role("button", name=words[2]).click()
    await expect(page.get_by_text(words[3])).to_be_visible()


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


async def test_a_list_takes_all_numbers_or_none(people: People, product: Product, language: Language) -> None:
    words = {
        "zh": ("批量导入", "要导入的号码", "第 2 行", "导入 1 个号码", "导入 2 个号码", "号码或备注"),
        "en": ("Import", "Numbers to import", "Line 2", "Import 1 number", "Import 2 numbers", "Number or note"),
    }[language]
    first, second = {"zh": ("13700000001", "13700000002"), "en": ("13700000003", "13700000004")}[language]
    page = await people.page("/lists?list=vip", language=language)
    await page.get_by_role("button", name=words[0]).click()
    box = page.get_by_label(words[1])
    await box.fill(f"{first}, first\nnot 12 a number")
    await expect(page.get_by_text(words[2])).to_be_visible()
    await expect(page.get_by_role("button", name=words[3])).to_be_disabled()
    await box.fill(f"{first}, first\n{second}, second {language}, 2099-01-31")
    await page.get_by_role("button", name=words[4]).click()
    await expect(page.get_by_text(f"second {language}", exact=True)).to_be_visible()
    told = await product.graphql("{ numberLists { name entries { nodes { number note } } } }")
    vip = next(one for one in told["numberLists"] if one["name"] == "vip")
    assert {"number": f"+86{second}", "note": f"second {language}"} in vip["entries"]["nodes"]
    await page.get_by_role("textbox", name=words[5]).fill(second)
    await expect(page).to_have_url(re.compile(f"search={second}"))
    await expect(page.get_by_text("first", exact=True)).to_be_hidden()
    await expect(page.get_by_text(f"second {language}", exact=True)).to_be_visible()


async def test_a_query_is_tried(people: People, language: Language) -> None:
    page = await people.page("/sources", language=language)
    words = {"zh": ("试一试 balance-by-card", "运行"), "en": ("Try it balance-by-card", "Run")}[language]
    await page.get_by_role("button", name=words[0]).click()
    await page.get_by_label(":card", exact=True).fill("62220001")
    await page.get_by_role("button", name=words[1], exact=True).click()
    await expect(page.get_by_role("cell", name="1234.5")).to_be_visible()


async def test_a_new_extension_shows_its_password_once(people: People, product: Product, language: Language) -> None:
    words = {
        "zh": ("新建分机", "分机号", "保存", "仅显示这一次", "我已记下", "删除"),
        "en": ("New extension", "Extension", "Save", "shown only now", "I have written it down", "Delete"),
    }[language]
    number = {"zh": "8078", "en": "8077"}[language]
    page = await people.page("/numbers?tab=extensions", language=language)
    await page.get_by_role("button", name=words[0]).click()
    await page.get_by_label(words[1], exact=True).fill(number)
    await page.get_by_role("button", name=words[2]).click()
    await expect(page.get_by_text(words[3])).to_be_visible()
    assert len(await page.locator(".cw-secret code").inner_text()) >= 8
    await page.get_by_role("button", name=words[4]).click()
    await expect(page.get_by_text(words[3])).to_be_hidden()
    assert number in {one["number"] for one in (await product.graphql("{ extensions { number } }"))["extensions"]}
    # An emergency number that rings there, until its way is taken back.
    asked = (
        "mutation($n: String!, $to: String!) { saveEmergencyRoute(number: $n, destination: $to) { errors { code } } }"
    )
    told = await product.graphql(asked, n=number[::-1], to=number)
    assert told["saveEmergencyRoute"]["errors"] == []
    await page.goto("/numbers?tab=emergency")
    row = page.get_by_role("row").filter(has_text=number[::-1])
    await row.get_by_role("button", name=words[5]).click()
    await page.get_by_role("tooltip").get_by_role("button", name=words[5], exact=True).click()
    await expect(row).to_have_count(0)
    routes = (await product.graphql("{ emergencyRoutes { number } }"))["emergencyRoutes"]
    assert number[::-1] not in {one["number"] for one in routes}


async def test_the_chain_of_deeds_is_checked(people: People, language: Language) -> None:
    page = await people.page("/audit", language=language)
    words = {"zh": ("校验链条", "链条完整"), "en": ("Check the chain", "The chain holds")}[language]
    await page.get_by_role("button", name=words[0]).click()
    await expect(page.get_by_text(words[1])).to_be_visible()
