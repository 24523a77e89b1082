"""Drafts, versions, aliases and plans, with the real engine."""

import asyncio
from typing import Any

import pytest

from backend.errors import ConflictError, InvalidError, NotFoundError
from backend.flows import service
from backend.flows.service import InvalidFlowError, VersionPlans
from backend.identity.permissions import Actor
from backend.numbers.service import save_number
from backend.state import AppState
from backend.testing import ApiClient
from flows.plan import plan_from_bytes


def document(key: str = "small", *, name: str = "小流程", message: str = "x") -> dict[str, Any]:
    """A document that publishes: it sets a variable and ends."""
    return {
        "spec_version": "1.0.0", "id": key, "kind": "subflow", "name": name, "entry": "set",
        "variables": [{"name": "note", "type": "string", "default": ""}],
        "nodes": {"end": {"type": "logic.end", "name": message}, "set": {"type": "logic.end", "name": message}},
        "edges": [], "ui": {"positions": {"end": [1, 2]}},
    }  # fmt: skip


async def draft(state: AppState, actor: Actor, **given: Any) -> service.Saved:
    made = document(**given)
    del made["nodes"]["end"]
    return await service.create_flow(state.db, actor, made)


async def test_a_draft_saves_leniently_and_publishes_strictly(state: AppState, actor: Actor) -> None:
    saved = await service.create_flow(state.db, actor, {})
    assert saved.flow.key == "flow" and saved.flow.revision == 1
    with pytest.raises(InvalidFlowError) as refused:
        await service.publish(state.db, actor, "flow")
    assert refused.value.problems and refused.value.message.zh
    assert await service.list_versions(state.db, "main", "flow") == []


async def test_two_states_of_a_flow_are_compared(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await service.publish(state.db, actor, "small")
    await service.save_draft(state.db, actor, "small", document(message="new name"), revision=1)
    told = await client.ask(
        '{ flowDiff(key: "small") { nodes { node kind renamed fields { field old new title { zh } } } wires { node } '
        "flow { field } } }"
    )
    nodes = {one["node"]: one for one in told["flowDiff"]["nodes"]}
    assert nodes["end"]["kind"] == "added" and nodes["set"]["renamed"]
    assert nodes["set"]["fields"] == [{"field": "name", "old": "x", "new": "new name", "title": {"zh": "名称"}}]
    same = await service.flow_diff(state.db, "main", "small", "1", "live")
    assert same.empty


async def test_an_older_draft_never_overwrites_a_newer_one(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    saved = await service.save_draft(state.db, actor, "small", document(name="new"), revision=1)
    assert saved.flow.revision == 2 and saved.flow.name == "new"
    with pytest.raises(ConflictError) as refused:
        await service.save_draft(state.db, actor, "small", document(name="old"), revision=1)
    assert refused.value.field == "revision"
    results = await asyncio.gather(
        *(service.save_draft(state.db, actor, "small", document(name=str(n)), revision=2) for n in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ConflictError) for result in results) == 4


async def test_versions_are_published_rolled_back_and_never_change(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    first = await service.publish(state.db, actor, "small", message="first")
    assert first.version.number == 1 and first.is_new
    same = await service.publish(state.db, actor, "small")
    assert same.version.number == 1 and not same.is_new
    changed = document(message="second")
    del changed["nodes"]["end"]
    await service.save_draft(state.db, actor, "small", changed, revision=1)
    second = await service.publish(state.db, actor, "small", revision=2)
    assert second.version.number == 2
    assert (await service.version_behind(state.db, "main", "small")).number == 2
    await service.move_alias(state.db, actor, "small", alias="live", version=1)
    live = await service.version_behind(state.db, "main", "small")
    assert (live.number, live.note) == (1, "first")
    plan = plan_from_bytes(await VersionPlans(state.db).load(first.version.plan_hash))
    assert plan.hash == first.version.plan_hash and plan.root == "small@1"
    with pytest.raises(KeyError):
        await VersionPlans(state.db).load("none")
    with pytest.raises(NotFoundError):
        await service.move_alias(state.db, actor, "small", alias="live", version=9)
    with pytest.raises(InvalidError):
        await service.move_alias(state.db, actor, "small", alias="best", version=1)


@pytest.mark.parametrize(("field", "value"), [("nodes", None), ("nodes", []), ("edges", {}), ("edges", "none")])
async def test_a_draft_is_not_replaced_by_what_has_no_nodes_or_edges(
    state: AppState, actor: Actor, field: str, value: object
) -> None:
    await draft(state, actor)
    with pytest.raises(InvalidError) as refused:
        await service.save_draft(state.db, actor, "small", document() | {field: value}, revision=1)
    assert refused.value.field == f"document.{field}"
    assert (await service.get_flow(state.db, "main", "small")).draft["nodes"]


async def test_publishing_at_once_makes_one_version(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    done = await asyncio.gather(*(service.publish(state.db, actor, "small") for _ in range(4)))
    assert {published.version.number for published in done} == {1}


async def test_a_document_goes_out_and_comes_in(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    out = await service.export_flow(state.db, "main", "small")
    copy = await service.import_flow(state.db, actor, out)
    assert (copy.flow.key, copy.flow.name) == ("small-2", "小流程 (2)")
    replaced = await service.import_flow(state.db, actor, out | {"name": "again"}, replace=True)
    assert (replaced.flow.key, replaced.flow.revision, replaced.flow.name) == ("small", 2, "again")
    for bad in ("text", [1], out | {"spec_version": "99.0.0"}):
        with pytest.raises(InvalidError) as refused:
            await service.import_flow(state.db, actor, bad)
        assert refused.value.field == "document"
    assert (await service.get_flow(state.db, "main", "small")).revision == 2


async def test_a_broken_import_tells_all_that_is_wrong_and_imports_nothing(client: ApiClient) -> None:
    broken = document() | {
        "kind": "tree",
        "nodes": {"a": {"name": "no type"}, "b": {"type": "logic.end", "policy": {"retries": 99}}, "c": 5},
        "edges": [{"from": "a"}],
        "surprise": 1,
        "cases": [{"name": "x", "steps": [{"press": "hello"}]}, {"steps": []}],
    }
    take = """mutation($d: JSON!) { importFlow(document: $d) { value { flow { key } }
      errors { code node field message { zh en } remedy { zh en } } } }"""
    (result,) = (await client.ask(take, d=broken)).values()
    told = {(one["node"], one["field"]) for one in result["errors"]}
    assert result["value"] is None
    assert {(None, "kind"), (None, "surprise"), ("a", "type"), ("c", "type"), (None, "cases.1.name")} <= told
    assert {(None, "cases.0.steps.0.press"), ("b", "policy.retries")} <= told
    assert all(
        one["message"]["zh"] and one["remedy"]["en"].endswith("nothing was imported.") for one in result["errors"]
    )
    assert (await client.ask("{ flows { key } }"))["flows"] == []


async def test_several_flows_come_in_together_or_not_at_all(client: ApiClient) -> None:
    take = """mutation($f: [FlowToImport!]!) { importFlows(flows: $f) { value { flow { key revision } }
      errors { code node field message { en } remedy { en } } } }"""
    first = document() | {"cases": [{"name": "whole", "expect": {"outcome": "completed"}}]}
    second = document() | {"id": "second", "name": "另一个"}
    broken = second | {"nodes": {"a": {"name": "no type"}}, "cases": [{"steps": []}]}
    (told,) = (await client.ask(take, f=[{"document": first}, {"document": broken}, {"document": [1]}])).values()
    assert told["value"] is None
    places = {(one["node"], one["field"]) for one in told["errors"]}
    assert {("a", "flows.1.type"), (None, "flows.1.cases.0.name"), (None, "flows.2.document")} <= places
    assert not any(one["field"].startswith("flows.0") for one in told["errors"])
    assert all(one["remedy"]["en"].endswith("nothing was imported.") for one in told["errors"])
    assert (await client.ask("{ flows { key } }"))["flows"] == []

    (told,) = (await client.ask(take, f=[{"document": first}, {"document": second}, {"document": first}])).values()
    assert [one["flow"]["key"] for one in told["value"]] == ["small", "second", "small-2"]
    # What only the database can tell undoes all of it as well.
    many = [{"name": f"case {number}"} for number in range(500)]
    (told,) = (
        await client.ask(
            take,
            f=[
                {"document": second | {"name": "Changed"}, "replace": True},
                {"document": first | {"cases": many}, "replace": True},
            ],
        )
    ).values()
    assert told["value"] is None and told["errors"][0]["code"] == "conflict"
    flows = (await client.ask("{ flows { key name cases { total } } }"))["flows"]
    assert sorted((one["key"], one["name"], one["cases"]["total"]) for one in flows) == [
        ("second", "另一个", 0),
        ("small", document()["name"], 1),
        ("small-2", f"{document()['name']} (2)", 1),
    ]
    (told,) = (
        await client.ask(take, f=[{"document": second, "replace": True}, {"document": second, "replace": True}])
    ).values()
    assert [one["field"] for one in told["errors"]] == ["flows.1.id"]


async def test_a_flow_that_a_number_leads_to_is_not_put_away(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    await save_number(state.db, actor, number="100", flow="small")
    with pytest.raises(ConflictError):
        await service.set_archived(state.db, actor, "small", True)
    await save_number(state.db, actor, id=None, number="101")


async def test_flows_over_the_api(client: ApiClient) -> None:
    made = document()
    del made["nodes"]["end"]
    create = """mutation($d: JSON!) { createFlow(document: $d) {
      value { flow { key revision } problems { code } } errors { code } } }"""
    assert (await client.change(create, d=made))["flow"] == {"key": "small", "revision": 1}
    publish = """mutation($k: String!) { publishFlow(key: $k, note: "v1") {
      value { isNew version { number planHash } flow { aliases { name version } } }
      errors { code node message { zh en } } } }"""
    done = await client.change(publish, k="small")
    assert done["version"]["number"] == 1 and done["flow"]["aliases"] == [{"name": "live", "version": 1}]
    await client.change(create, d={"id": "empty"})
    refused = await client.refusal(publish, k="empty")
    assert refused["code"] and refused["message"]["zh"] and refused["message"]["en"]
    found = await client.ask('{ flow(key: "small") { versions { number document author } } }')
    assert found["flow"]["versions"][0]["author"] == "admin"
