"""Test cases and simulated calls through the service and the API."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from backend.errors import ConflictError
from backend.flows import service as flows
from backend.identity.permissions import Actor
from backend.runtime.first_start import plant
from backend.simulation import service
from backend.state import AppState
from backend.testing import ApiClient

EXAMPLES = Path(__file__).parents[2] / "examples"
ERRORS = "errors { code field message { zh en } }"


def hotline() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / "flows" / "service_hotline.json").read_text(encoding="utf-8"))
    return document


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EXAMPLES / "cases" / "service_hotline.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
async def key(state: AppState, actor: Actor) -> str:
    """The hotline as a draft, with its cases."""
    saved = await flows.import_flow(state.db, actor, hotline() | {"cases": cases()}, replace=True)
    return saved.flow.key


async def planted(state: AppState, actor: Actor) -> None:
    """The example data: calendar, lists, customers, the query."""
    await plant(state.settings, state.db, state.secrets, actor, EXAMPLES)


async def test_cases_travel_with_the_document(state: AppState, actor: Actor, key: str) -> None:
    exported = await flows.export_flow(state.db, "main", key)
    assert [case["name"] for case in exported["cases"]] == sorted(case["name"] for case in cases())
    await flows.import_flow(state.db, actor, exported, replace=True)
    assert len(await service.list_cases(state.db, "main", key)) == len(cases())
    saved = await flows.import_flow(state.db, actor, exported)
    assert saved.flow.key != key and len(await service.list_cases(state.db, "main", saved.flow.key)) == len(cases())


async def test_a_document_with_a_bad_case_is_not_imported_at_all(state: AppState, actor: Actor) -> None:
    broken = hotline() | {"id": "other", "cases": [{"name": "x", "steps": [{"press": "hello"}]}]}
    with pytest.raises(flows.InvalidFlowError) as refused:
        await flows.import_flow(state.db, actor, broken)
    assert [found.field for found in refused.value.problems] == ["cases.0.steps.0.press"]
    assert [flow.key for flow in await flows.list_flows(state.db, "main")] == []


async def test_all_cases_of_the_hotline_run_green_and_the_results_are_kept(
    state: AppState, client: ApiClient, key: str
) -> None:
    ran = await client.change(
        f"mutation($k: String!) {{ runFlowCases(key: $k) {{ value {{ name passed seconds }} {ERRORS} }} }}", k=key
    )
    assert len(ran) == len(cases()) and all(one["passed"] for one in ran), [one for one in ran if not one["passed"]]
    listed = await client.ask(
        "query($k: String!) { flowCases(key: $k) { name passed ranOn ranAt lastResult { outcome path } } }", k=key
    )
    assert all(one["passed"] and one["ranOn"] and one["lastResult"]["path"] for one in listed["flowCases"])


async def test_a_flow_that_demands_green_cases_refuses_to_publish_with_a_red_one(
    state: AppState, actor: Actor, client: ApiClient, key: str
) -> None:
    await service.set_cases_required(state.db, actor, key, True)
    published = await flows.publish(state.db, actor, key)
    red = {"name": "red", "steps": [{"hear": "你好世界", "within": 5}]}
    saved = await client.change(
        f"mutation($k: String!, $c: JSON!) {{ saveFlowCase(key: $k, case: $c) {{ value {{ id name }} {ERRORS} }} }}",
        k=key,
        c=red,
    )
    with pytest.raises(ConflictError) as refused:
        await flows.publish(state.db, actor, key)
    assert "red" in refused.value.message.en and refused.value.field == "cases"
    assert len(await flows.list_versions(state.db, "main", key)) == published.version.number
    await client.change(
        f"mutation($i: String!) {{ deleteFlowCase(id: $i) {{ value {{ ok }} {ERRORS} }} }}", i=saved["id"]
    )
    assert not (await flows.publish(state.db, actor, key)).is_new
    for row in await service.list_cases(state.db, "main", key):
        await service.delete_case(state.db, actor, row.id)
    with pytest.raises(ConflictError, match="has none"):
        await flows.publish(state.db, actor, key)


async def test_two_cases_never_share_a_name(state: AppState, actor: Actor, key: str) -> None:
    with pytest.raises(ConflictError) as refused:
        await service.save_case(state.db, actor, key, {"name": "news"})
    assert refused.value.field == "case.name"


async def test_the_calendar_and_lists_of_the_business_are_read(state: AppState, actor: Actor, key: str) -> None:
    await planted(state, actor)
    case = {
        "name": "real hours",
        "scene": {"begin": "2027-02-07T02:00:00Z", "caller": "13900000000"},
        "steps": [{"hear": "无法使用本服务"}],
        "expect": {"path": ["blocked.listed"]},
    }
    holiday = {
        "name": "spring festival",
        "scene": {"begin": "2027-02-07T02:00:00Z"},
        "steps": [{"node": "language"}, {"press": "1"}, {"hear": "春节"}, {"hang_up": True}],
        "expect": {"path": ["hours.holiday"]},
    }
    for one in (case, holiday):
        await service.save_case(state.db, actor, key, one)
    ran = await service.run_cases(state.db, "main", key, names=["real hours", "spring festival"])
    assert all(one.result.passed for one in ran), [one.result.failures for one in ran]


# --------------------------------------------------------------------------- sessions

VIEW = "value { id over outcome standing ringing at path variables transcript { at kind text node sound } }"


class Simulated:
    """A session through the API."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.id = ""

    async def start(self, **given: Any) -> Any:
        seen = await self.client.change(
            "mutation($k: String!, $s: JSON, $d: JSON) { startSimulation(key: $k, scene: $s, document: $d) { "
            f"{VIEW} {ERRORS} }} }}",
            **({"k": ""} | given),
        )
        self.id = seen["id"]
        return seen

    async def do(self, field: str, declared: str = "", **given: Any) -> Any:
        names = "".join(f", {name}: ${name}" for name in given)
        return await self.client.change(
            f"mutation($i: String!{declared}) {{ {field}(id: $i{names}) {{ {VIEW} {ERRORS} }} }}", i=self.id, **given
        )

    async def until(self, node: str) -> Any:
        for _ in range(50):
            seen = await self.do("advanceSimulation")
            if seen["standing"] == node or seen["over"]:
                return seen
        raise AssertionError(f"the flow never stood at {node}: {seen}")


@pytest.fixture
async def simulated(state: AppState, actor: Actor, client: ApiClient, key: str) -> Simulated:
    await planted(state, actor)
    return Simulated(client)


async def test_a_person_walks_the_hotline_by_hand(simulated: Simulated, key: str, client: ApiClient) -> None:
    await simulated.start(k=key, s={"caller": "13800000001"})
    await simulated.until("language")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="1")
    await simulated.until("menu")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="1")
    await simulated.until("card")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="62220001#")
    await simulated.until("pin")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="2468#")
    seen = await simulated.until("after")
    told = " ".join(line["text"] for line in seen["transcript"] if line["kind"] == "heard")
    assert "王芳" in told and "您的余额是" in told
    assert any(line["sound"] for line in seen["transcript"] if line["kind"] == "heard")
    seen = await simulated.do("hangUpSimulation")
    for _ in range(20):
        if seen["over"]:
            break
        seen = await simulated.do("advanceSimulation")
    assert seen["over"] and seen["outcome"] == "hangup" and "verify.ok" in seen["path"]
    assert seen["variables"]["left_early"] is True
    refused = await client.refusal(
        f'mutation($i: String!) {{ pressInSimulation(id: $i, keys: "1") {{ {VIEW} {ERRORS} }} }}', i=simulated.id
    )
    assert refused["code"] == "conflict" and "the call is over" in refused["message"]["en"]
    case = await client.change(
        f'mutation($i: String!) {{ saveSimulationAsCase(id: $i, name: "by hand") {{ value {{ id case }} {ERRORS} }} }}',
        i=simulated.id,
    )
    assert {"press": "62220001#"} in case["case"]["steps"] and case["case"]["expect"]["outcome"] == "hangup"
    await client.change(
        f"mutation($i: String!) {{ stopSimulation(id: $i) {{ value {{ ok }} {ERRORS} }} }}", i=simulated.id
    )


async def test_whoever_is_dialled_does_what_the_person_says(simulated: Simulated, key: str) -> None:
    await simulated.start(k=key)
    await simulated.until("language")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="1")
    await simulated.do("pressInSimulation", ", $keys: String!", keys="0")
    for _ in range(50):
        seen = await simulated.do("advanceSimulation", ", $seconds: Float", seconds=0.2)
        if seen["ringing"]:
            break
    assert seen["ringing"] and seen["standing"] == "person"
    await simulated.do("personInSimulation", ", $does: String!", does="busy")
    seen = await simulated.until("voicemail")
    assert "person.busy" in seen["path"]


async def test_time_passes_by_itself_and_faster_when_skipped(simulated: Simulated, key: str) -> None:
    first = await simulated.start(k=key)
    await asyncio.sleep(0.5)
    second = await simulated.do("advanceSimulation", ", $seconds: Float", seconds=0.001)
    assert 0.3 < second["at"] - first["at"] < 5
    third = await simulated.do("advanceSimulation", ", $seconds: Float", seconds=3600)
    assert third["over"] and "menu.timeout" in third["path"]


async def test_a_document_need_not_be_stored_and_a_broken_one_is_told(client: ApiClient, simulated: Simulated) -> None:
    document = {
        "spec_version": "1.0.0", "id": "x", "kind": "ivr", "name": "x", "languages": ["en"], "entry": "a",
        "nodes": {"a": {"type": "voice.answer", "name": "a"}, "b": {"type": "voice.hangup", "name": "b"}},
        "edges": [{"from": "a", "port": "next", "to": "b"}],
    }  # fmt: skip
    await simulated.start(d=document)
    seen = await simulated.do("advanceSimulation", ", $seconds: Float", seconds=10)
    assert seen["path"] == ["a.next", "b.next"] and seen["over"]
    refused = await client.refusal(
        f"mutation($d: JSON) {{ startSimulation(document: $d) {{ {VIEW} {ERRORS} }} }}", d={**document, "entry": "z"}
    )
    assert refused["code"]
    bad = await client.refusal(
        f"mutation($d: JSON, $s: JSON) {{ startSimulation(document: $d, scene: $s) {{ {VIEW} {ERRORS} }} }}",
        d=document,
        s={"people": [{"number": "1", "does": "dances"}]},
    )
    assert bad["field"] == "scene.people.0.does"


async def test_simulations_are_limited_and_gone_when_stopped(
    state: AppState, actor: Actor, client: ApiClient, simulated: Simulated, key: str
) -> None:
    many = [Simulated(client) for _ in range(3)]
    for one in many:
        await one.start(k=key)
    followed = [state.simulations.follow(state.simulations.find(actor, one.id)) for one in many]
    for views in followed:
        await anext(views)
    refused = await client.refusal(f"mutation($k: String!) {{ startSimulation(key: $k) {{ {VIEW} {ERRORS} }} }}", k=key)
    assert refused["code"] == "conflict"
    for views in followed:
        await views.aclose()
    stop = f"mutation($i: String!) {{ stopSimulation(id: $i) {{ value {{ ok }} {ERRORS} }} }}"
    for one in many:
        await client.change(stop, i=one.id)
    gone = await client.refusal(stop, i=many[0].id)
    assert gone["code"] == "not_found"


async def test_a_simulation_whose_page_is_gone_makes_way_for_the_next(
    state: AppState, actor: Actor, client: ApiClient, simulated: Simulated, key: str
) -> None:
    reloaded = [Simulated(client) for _ in range(3)]
    for one in reloaded:
        await one.start(k=key)
    watched = state.simulations.follow(state.simulations.find(actor, reloaded[0].id))
    await anext(watched)
    await simulated.start(k=key)
    stop = f"mutation($i: String!) {{ stopSimulation(id: $i) {{ value {{ ok }} {ERRORS} }} }}"
    assert (await client.refusal(stop, i=reloaded[1].id))["code"] == "not_found", "the one left longest makes way"
    await watched.aclose()
    for one in (reloaded[0], reloaded[2], simulated):
        await client.change(stop, i=one.id)
