"""The list of flows, what points at a flow, and who is there."""

import asyncio
import dataclasses
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.calls.models import Run
from backend.database import read, utcnow, write
from backend.errors import ConflictError, InvalidError, NotFoundError
from backend.flows import listing, presence, service
from backend.flows.models import FlowVersion
from backend.flows.test_flows import document, draft
from backend.identity.permissions import Actor
from backend.numbers.service import save_number
from backend.simulation.service import list_cases, run_cases, save_case
from backend.state import AppState
from backend.testing import ApiClient


def sound(key: str = "small", *, name: str = "小流程", message: str = "x") -> dict[str, Any]:
    made = document(key, name=name, message=message)
    del made["nodes"]["end"]
    return made


LIST = """{ flows { key folder tags draftAhead problemCounts { errors warnings }
  cases { total green red neverRan stale } numbers { number } aliases { name version } updatedBy } }"""


async def test_the_list_tells_how_each_flow_stands(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await save_number(state.db, actor, number="100", flow="small")
    await save_case(state.db, actor, "small", {"name": "ends", "steps": []})
    (flow,) = (await client.ask(LIST))["flows"]
    assert flow["draftAhead"] and flow["numbers"] == [{"number": "100"}] and flow["problemCounts"]["errors"] == 0
    assert flow["cases"] == {"total": 1, "green": 0, "red": 0, "neverRan": 1, "stale": 0}
    await service.publish(state.db, actor, "small")
    await run_cases(state.db, "main", "small")
    (flow,) = (await client.ask(LIST))["flows"]
    assert not flow["draftAhead"] and flow["aliases"] == [{"name": "live", "version": 1}]
    assert flow["cases"]["green"] + flow["cases"]["red"] == 1 and flow["cases"]["stale"] == 0
    await service.save_draft(state.db, actor, "small", sound(message="another"), revision=1)
    (flow,) = (await client.ask(LIST))["flows"]
    assert flow["draftAhead"] and flow["cases"]["stale"] == 1 and flow["updatedBy"] == "test"
    broken = sound(message="another") | {"entry": None}
    await service.save_draft(state.db, actor, "small", broken, revision=2)
    (flow,) = (await client.ask(LIST))["flows"]
    assert flow["problemCounts"]["errors"] >= 1
    moved = sound(message="x") | {"ui": {"positions": {"set": [9, 9]}}}
    await service.save_draft(state.db, actor, "small", moved, revision=3)
    assert not (await client.ask("{ flows { draftAhead } }"))["flows"][0]["draftAhead"], "layout is no change"


async def test_drafts_and_documents_come_only_when_asked_for(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await service.publish(state.db, actor, "small")
    (row,) = await service.list_flows(state.db, "main")
    (version,) = await service.list_versions(state.db, "main", "small")
    assert "draft" not in row.__dict__ and "document" not in version.__dict__ and "plan" not in version.__dict__
    told = await client.ask('{ flows { draft versions { number document } } flow(key: "small") { draft } }')
    assert told["flows"][0]["draft"]["id"] == "small" == told["flow"]["draft"]["id"]
    assert told["flows"][0]["versions"][0]["document"]["entry"] == "set"


async def test_a_draft_stored_before_there_were_hashes_is_compared_all_the_same(
    state: AppState, actor: Actor, client: ApiClient
) -> None:
    await draft(state, actor)
    await service.publish(state.db, actor, "small")
    async with write(state.db) as session:
        row = await service._flow(session, "main", "small", lock=True)
        row.draft_hash = ""
    assert not (await client.ask("{ flows { draftAhead } }"))["flows"][0]["draftAhead"]


async def test_flows_are_sorted_and_tagged(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    change = """mutation($folder: String, $tags: [String!]) { updateFlowMeta(key: "small", folder: $folder, tags: $tags)
      { value { folder tags revision } errors { code field } } }"""
    done = await client.change(change, folder=" sales / night/", tags=["vip", " vip", "b"])
    assert done == {"folder": "sales/night", "tags": ["b", "vip"], "revision": 1}
    assert (await client.change(change, tags=[])) == {"folder": "sales/night", "tags": [], "revision": 1}
    assert (await client.ask("{ flowLabels { folders tags } }"))["flowLabels"] == {
        "folders": ["sales/night"],
        "tags": [],
    }
    assert (await client.refusal(change, folder="a/b/c/d/e/f"))["field"] == "folder"
    with pytest.raises(InvalidError):
        await listing.update_meta(state.db, actor, "small", tags=["x" * 99])


async def test_a_copy_has_the_cases_and_its_own_key(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    await listing.update_meta(state.db, actor, "small", folder="a", tags=["t"])
    await save_case(state.db, actor, "small", {"name": "ends", "steps": []})
    copy = await listing.duplicate(state.db, actor, "small")
    assert (copy.flow.key, copy.flow.name, copy.flow.folder) == ("small-2", "小流程 (2)", "a")
    assert [row.name for row in await list_cases(state.db, "main", "small-2")] == ["ends"]


async def test_a_flow_goes_only_when_nothing_leads_to_it(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await service.publish(state.db, actor, "small")
    await save_case(state.db, actor, "small", {"name": "ends", "steps": []})
    number = await save_number(state.db, actor, number="100", flow="small")
    caller = sound("caller")
    caller["nodes"]["set"] = {"type": "logic.subflow", "config": {"flow": "small"}}
    await service.create_flow(state.db, actor, caller)
    async with write(state.db) as session:
        session.add(Run(id="r1", business_id="main", flow_key="small", flow_version=1, kind="ivr"))
    remove = 'mutation { deleteFlow(key: "small") { value { ok } errors { code details message { zh en } } } }'
    refused = await client.refusal(remove)
    assert refused["code"] == "conflict"
    assert refused["details"] == {"numbers": ["100"], "flows": ["caller"], "rules": [], "running": 1}
    await save_number(state.db, actor, id=number.id, number="100", flow=None)
    async with write(state.db) as session:
        run = await session.get(Run, "r1")
        assert run is not None
        run.state = "completed"
    await service.save_draft(state.db, actor, "caller", sound("caller"), revision=1)
    assert (await client.change(remove)) == {"ok": True}
    with pytest.raises(NotFoundError):
        await service.get_flow(state.db, "main", "small")
    async with read(state.db) as session:
        assert (await session.exec(select(FlowVersion.id))).all() == []


async def test_moving_an_alias_tells_whom_it_touches(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await service.publish(state.db, actor, "small")
    await save_number(state.db, actor, number="100", flow="small")
    await save_number(state.db, actor, number="101", flow="small", version=1)
    async with write(state.db) as session:
        for number, (version, call, how) in enumerate(
            [
                (1, "c1", "running"),
                (1, "c2", "running"),
                (2, "c3", "running"),
                (1, None, "running"),
                (1, "c4", "hangup"),
            ]
        ):
            session.add(
                Run(
                    id=f"r{number}", business_id="main", flow_key="small", flow_version=version, call_id=call, state=how
                )
            )
    told = await client.ask(
        '{ aliasImpact(key: "small") { version calls { version count } runs { version count } numbers { number } '
        "flows rules } }"
    )
    assert told["aliasImpact"] == {
        "version": 1,
        "calls": [{"version": 1, "count": 2}, {"version": 2, "count": 1}],
        "runs": [{"version": 1, "count": 1}],
        "numbers": [{"number": "100"}],
        "flows": [],
        "rules": [],
    }


async def test_a_conflict_names_the_draft_that_is_there(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    await service.save_draft(state.db, actor, "small", sound(name="other"), revision=1)
    save = """mutation($d: JSON!) { saveDraft(key: "small", document: $d, revision: 1) {
      value { flow { key } } errors { code field details } } }"""
    refused = await client.refusal(save, d=sound())
    assert (refused["code"], refused["field"]) == ("conflict", "revision")
    assert (refused["details"]["revision"], refused["details"]["by"]) == (2, "test")


async def test_history_tells_saves_in_a_row_as_one(state: AppState, actor: Actor, client: ApiClient) -> None:
    await draft(state, actor)
    other = dataclasses.replace(actor, name="li")
    for revision, who in enumerate([actor, actor, other], start=1):
        await service.save_draft(state.db, who, "small", sound(name=str(revision)), revision=revision)
    await service.publish(state.db, actor, "small", message="first")
    told = (await client.ask('{ flowHistory(key: "small") { nodes { action actor times text { zh en } } hasNext } }'))[
        "flowHistory"
    ]
    assert [(one["action"], one["actor"], one["times"]) for one in told["nodes"]] == [
        ("flow.alias_moved", "test", 1),
        ("flow.published", "test", 1),
        ("flow.draft_saved", "li", 1),
        ("flow.draft_saved", "test", 2),
        ("flow.created", "test", 1),
    ]
    assert told["nodes"][1]["text"] == {"zh": "发布了第 1 版", "en": "published version 1"}
    first = await listing.history(state.db, "main", "small", first=2)
    rest = await listing.history(state.db, "main", "small", first=9, after=first.end)
    assert [deed.action for deed in rest.items][-1] == "flow.created" and first.has_next


def thousand() -> dict[str, Any]:
    """A flow of a thousand nodes with prompts, as an editor holds it."""
    nodes, edges, positions = {}, [], {}
    for number in range(1000):
        words = {"zh": f"这里是第 {number} 步，请听题。", "en": f"This is step {number}, please listen."}
        nodes[f"n{number}"] = {
            "type": "voice.say",
            "name": f"步骤 {number}",
            "config": {"prompt": {"parts": [{"kind": "text", "text": words}]}},
        }
        positions[f"n{number}"] = [number * 10, number % 30 * 80]
        if number:
            edges.append({"from": f"n{number - 1}", "port": "next", "to": f"n{number}"})
    return {
        "id": "big", "kind": "ivr", "name": "大流程", "entry": "n0", "nodes": nodes, "edges": edges,
        "ui": {"positions": positions},
    }  # fmt: skip


async def test_a_thousand_nodes_are_saved_in_a_moment(state: AppState, actor: Actor, client: ApiClient) -> None:
    made = thousand()
    await service.create_flow(state.db, actor, made)
    save = """mutation($d: JSON!, $r: Int!) { saveDraft(key: "big", document: $d, revision: $r) {
      value { flow { revision } problems { code } } errors { code } } }"""
    took = []
    for revision in range(1, 6):
        made["nodes"]["n5"]["name"] = str(revision)
        began = time.process_time()
        assert (await client.change(save, d=made, r=revision))["flow"]["revision"] == revision + 1
        took.append(time.process_time() - began)
    assert min(took) < 0.3


async def test_who_is_here_shows_and_goes(state: AppState, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BEAT", 0.1)
    monkeypatch.setattr(presence, "GONE", 0.4)
    other = dataclasses.replace(actor, name="li", user_id="u2")
    mine, theirs = presence.attend(state, actor, "small"), presence.attend(state, other, "small")
    elsewhere = presence.attend(state, other, "another")
    assert [one.name for one in await anext(mine)] == ["test"]
    assert [one.name for one in await anext(elsewhere)] == ["li"]
    seen: list[list[str]] = []

    async def watch() -> None:
        async for present in mine:
            seen.append([one.name for one in present])  # noqa: PERF401  one by one, as they come

    watching = asyncio.create_task(watch())
    assert [one.name for one in await anext(theirs)] == ["li"]
    # Greeted by whoever is there already, long before the next beat of theirs would be due.
    assert [(one.name, one.me) for one in await asyncio.wait_for(anext(theirs), 30)] == [("li", True), ("test", False)]
    await theirs.aclose()
    async with asyncio.timeout(30):
        while seen != [["test", "li"], ["test"]]:
            await asyncio.sleep(0.02)
    # Somebody whose machine died says nothing more.
    dead = {"client": "x", "user": None, "name": "gone", "since": (utcnow() - timedelta(hours=1)).isoformat()}
    await presence._tell(state, actor, "small", **dead, here=True)
    async with asyncio.timeout(30):
        while seen[2:] != [["test", "gone"], ["test"]]:
            await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await elsewhere.aclose()


async def test_two_who_save_at_once_are_told(state: AppState, actor: Actor) -> None:
    await draft(state, actor)
    results = await asyncio.gather(
        *(service.save_draft(state.db, actor, "small", sound(name=str(n)), revision=1) for n in range(3)),
        return_exceptions=True,
    )
    refused = [one for one in results if isinstance(one, ConflictError)]
    assert len(refused) == 2 and all(one.details and one.details["revision"] == 2 for one in refused)
