"""Past runs in full, walked again on another version, and counted."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.calls.facts import CallEnded, CallStarted, RunFinished, write_facts
from backend.calls.history import past_run, replay_run
from backend.calls.statistics import flow_statistics
from backend.database import utcnow
from backend.errors import ConflictError
from backend.flows import service as flows
from backend.identity.permissions import Actor
from backend.state import AppState
from backend.testing import ApiClient
from flows.cases import CasePlayer, FlowCase
from flows.plan import plan_from_bytes
from flows.simulation import Simulation
from flows.task import CallFacts, FlowStart
from flows.virtual import run_in_virtual_time
from nodes.sdk.registry import registry

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = {
    case["name"]: FlowCase.model_validate(case)
    for case in json.loads((EXAMPLES / "cases" / "service_hotline.json").read_text(encoding="utf-8"))
}


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / "flows" / "service_hotline.json").read_text(encoding="utf-8"))
    return found


async def walked(state: AppState, actor: Actor, *names: str) -> list[str]:
    """Publish the hotline and put runs of its cases on record, as a gateway would."""
    if not await flows.list_flows(state.db, "main"):
        saved = await flows.import_flow(state.db, actor, document())
        await flows.publish(state.db, actor, saved.flow.key)
    version = await flows.version_behind(state.db, "main", "service-hotline")
    plan = plan_from_bytes(version.plan)
    runs = []
    for number, name in enumerate(names):
        case = CASES[name]
        id = f"call-{number}-{name}"
        scene = case.scene.model_copy(update={"begin": utcnow() - timedelta(hours=1)})
        simulation = Simulation(plan, registry(), scene, run_id=id)
        run_in_virtual_time(lambda: simulation.run(CasePlayer(case, simulation).play))  # noqa: B023
        assert simulation.result is not None
        start = FlowStart(
            run_id=id, business_id="main", flow_id="service-hotline", version=version.number, plan=plan.hash,
            kind="ivr", alias="live", call=CallFacts(id=id[5:], caller="13800000001", called="100", language="zh"),
        )  # fmt: skip
        await write_facts(
            state.db,
            [
                CallStarted(id[5:], "main", "g", "13800000001", "100", language="zh", run=start),
                CallEnded(id[5:], "normal"),
                RunFinished(start, simulation.result.result, simulation.result.trail),
            ],
        )
        runs.append(id)
    return runs


async def test_a_run_is_told_in_full_without_its_secrets(state: AppState, actor: Actor, client: ApiClient) -> None:
    (run,) = await walked(state, actor, "balance")
    past = await past_run(state.db, "main", run)
    assert past.inputs is not None and past.call is not None
    by_node = {entry.node_id: past.inputs.get(entry.seq) for entry in past.trail}
    assert by_node["verify"] is not None and by_node["verify"]["card"] == "62220001"
    told = await client.ask(
        "query($i: String!) { pastRun(id: $i) { run { state } call { caller } legs { kind } "
        "steps { inputs seconds step { nodeId port } } } }",
        i=run,
    )
    words = json.dumps(told)
    assert "2468" not in words and "62220001" in words
    assert [one["step"]["nodeId"] for one in told["pastRun"]["steps"]][:3] == ["answer", "blocked", "greeting"]
    assert any(one["seconds"] and one["seconds"] > 1 for one in told["pastRun"]["steps"])


async def test_an_old_run_on_a_changed_draft_parts_where_the_draft_was_changed(
    state: AppState, actor: Actor, client: ApiClient
) -> None:
    (run,) = await walked(state, actor, "news")
    same = await replay_run(state.db, "main", run, on="live")
    assert same.parting is None and same.why is None
    changed = document()
    next(e for e in changed["edges"] if (e["from"], e["port"]) == ("news", "next"))["to"] = "goodbye"
    await flows.save_draft(state.db, actor, "service-hotline", changed, revision=1)
    told = await client.ask(
        "query($i: String!) { replayRun(id: $i) { judgement parting why { en zh } newOutcome "
        "rows { same old { nodeId port } new { nodeId port } } } }",
        i=run,
    )
    found = told["replayRun"]
    assert found["judgement"] == "parted"
    assert found["why"]["en"] == "behind “最新公告 News” by “Next” came “主菜单 Main menu”, now “再见 Goodbye”"
    assert found["rows"][found["parting"]]["old"]["nodeId"] == "menu"


async def test_a_run_that_still_goes_on_is_not_replayed(state: AppState, actor: Actor) -> None:
    await walked(state, actor)
    start = FlowStart(run_id="r", business_id="main", flow_id="service-hotline", version=1, plan="p", kind="ivr")
    await write_facts(state.db, [CallStarted("c", "main", "g", "1", "100", run=start)])
    with pytest.raises(ConflictError):
        await replay_run(state.db, "main", "r")


async def test_nodes_are_counted_over_a_period(state: AppState, actor: Actor, client: ApiClient) -> None:
    await walked(state, actor, "news", "balance", "wrong-pin", "hangs-up-in-menu", "query-fails")
    now = utcnow()
    found = await flow_statistics(state.db, "main", "service-hotline", since=now - timedelta(days=1), until=now)
    assert found.runs == 5 and found.outcomes == {"completed": 4, "hangup": 1}
    nodes = {one.node_id: one for one in found.nodes}
    assert nodes["menu"].entered == 6 and nodes["menu"].hangups == 1
    assert nodes["menu"].left == {"1": 3, "2": 1, "9": 1, "hangup": 1}
    assert nodes["verify"].left == {"ok": 3, "wrong": 1}
    assert nodes["balance"].errors == {"query_failed": 1}
    greeting = nodes["greeting"]
    assert greeting.median is not None and greeting.p95 is not None and 0 < greeting.median <= greeting.p95 < 60
    earlier = await flow_statistics(
        state.db, "main", "service-hotline", since=now - timedelta(days=9), until=now - timedelta(days=8)
    )
    assert earlier.runs == 0 and earlier.nodes == []
    other = await flow_statistics(
        state.db, "main", "service-hotline", since=now - timedelta(days=1), until=now, version=9
    )
    assert other.runs == 0 and other.nodes == []
    told = await client.ask(
        'query($s: DateTime!) { flowStatistics(key: "service-hotline", since: $s) { runs '
        "nodes { nodeId entered left { name count } median standing } } }",
        s=(now - timedelta(days=1)).isoformat(),
    )
    assert told["flowStatistics"]["runs"] == 5


async def test_median_and_p95_are_by_nearest_rank(state: AppState, actor: Actor) -> None:
    from flows.task import FlowResult, TrailStep

    await walked(state, actor)
    at = utcnow() - timedelta(hours=1)
    steps = [
        TrailStep(seq=n, node_id="n", node_type="t", entered=at, left=at + timedelta(seconds=n), port="next")
        for n in range(1, 21)
    ]
    start = FlowStart(run_id="r", business_id="main", flow_id="f", version=1, plan="p", kind="ticket")
    await write_facts(state.db, [RunFinished(start, FlowResult(outcome="completed"), steps)])
    found = await flow_statistics(state.db, "main", "f", since=at - timedelta(hours=1), until=utcnow())
    assert (found.nodes[0].median, found.nodes[0].p95) == (10.0, 19.0)
