"""Numbers by the text: pasted, or out of a table."""

from backend.testing import ApiClient

IMPORT = """mutation($l: String!, $t: String!, $c: Boolean!) { importListEntries(listId: $l, text: $t, checkOnly: $c) {
  value { added updated repeated refused { line content field message { zh en } remedy { zh en } } }
  errors { code field } } }"""
ENTRIES = "{ numberLists { entries { nodes { number note until } } } }"


async def test_sound_lines_are_taken_and_the_others_told(client: ApiClient) -> None:
    save = 'mutation { saveNumberList(name: "b", kind: "black") { value { id } errors { code } } }'
    id = (await client.change(save))["id"]
    text = (
        "\ufeff号码,备注,到期\n13800000001,骚扰,2030-12-31\n\n138 0000 0002\n"
        'abc,x\n13800000001,"again, and again"\n+14155550100;US\n13800000003\tnote\t32.13.2030\n8001'
    )
    checked = await client.change(IMPORT, l=id, t=text, c=True)
    assert checked["added"] == 4 and (await client.ask(ENTRIES))["numberLists"][0]["entries"]["nodes"] == []
    report = await client.change(IMPORT, l=id, t=text, c=False)
    assert (report["added"], report["updated"], report["repeated"]) == (4, 0, 1)
    assert [(one["line"], one["field"]) for one in report["refused"]] == [(5, "number"), (8, "until")]
    assert all(one["remedy"]["zh"] and one["message"]["en"] for one in report["refused"])
    stored = {one["number"]: one for one in (await client.ask(ENTRIES))["numberLists"][0]["entries"]["nodes"]}
    assert set(stored) == {"+8613800000001", "+8613800000002", "+14155550100", "8001"}
    assert stored["+8613800000001"]["note"] == "again, and again"
    again = await client.change(IMPORT, l=id, t="13800000001,new,2030-12-31", c=False)
    assert (again["added"], again["updated"]) == (0, 1)
    stored = {one["number"]: one for one in (await client.ask(ENTRIES))["numberLists"][0]["entries"]["nodes"]}
    assert stored["+8613800000001"]["until"].startswith("2030-12-31T15:59:59"), "the end of that day in Shanghai"
    assert (await client.refusal(IMPORT, l="none", t="8002", c=False))["code"] == "not_found"
    assert (await client.refusal(IMPORT, l=id, t="8" * 5_000_001, c=False))["field"] == "text"
