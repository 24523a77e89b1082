"""Walking old runs again: on their own version nothing changes, on another one the parting is told."""

import json
from typing import Any

import pytest

from flows.cases import CasePlayer, FlowCase
from flows.plan import Plan, compile_plan
from flows.rerun import Comparison, RecordedRun, compare, judgement, walk_again
from flows.simulation import Simulation
from flows.task import CallFacts, FlowStart
from flows.test_cases import EXAMPLES, HOTLINE_CASES
from flows.validation import parse_draft
from flows.virtual import run_in_virtual_time
from nodes.sdk.registry import registry

HOTLINE: dict[str, Any] = json.loads((EXAMPLES / "flows" / "service_hotline.json").read_text(encoding="utf-8"))


def compiled_hotline(change: Any = None) -> Plan:
    document = json.loads(json.dumps(HOTLINE))
    if change is not None:
        change(document)
    return compile_plan(parse_draft(document)[0], registry(), version=1)


PLAN = compiled_hotline()


def recorded(case: FlowCase) -> RecordedRun:
    """A run as the product would have recorded it."""
    simulation = Simulation(PLAN, registry(), case.scene, run_id=f"old-{case.name}")
    run_in_virtual_time(lambda: simulation.run(CasePlayer(case, simulation).play))
    assert simulation.result is not None
    start = FlowStart(
        run_id=simulation.run_id, business_id="b", flow_id="service-hotline", version=1, plan=PLAN.hash, kind="ivr",
        call=CallFacts(id="c", caller=case.scene.caller, called="100", language=simulation.language),
        timezone="Asia/Shanghai",
    )  # fmt: skip
    return RecordedRun(start, simulation.result.trail)


def replayed(name: str, change: Any, **assume: str) -> Comparison:
    run = recorded(next(case for case in HOTLINE_CASES if case.name == name))
    new = walk_again(run, compiled_hotline(change), registry(), assume=assume)
    return compare(walk_again(run, PLAN, registry()), new)


@pytest.mark.parametrize("case", HOTLINE_CASES, ids=lambda case: case.name)
def test_a_run_walked_again_on_its_own_version_takes_the_same_way(case: FlowCase) -> None:
    run = recorded(case)
    again = walk_again(run, PLAN, registry())
    assert again.stopped is None
    assert [(step.node_id, step.port) for step in again.steps] == [(step.node_id, step.port) for step in run.steps]
    assert judgement(compare(again, walk_again(run, PLAN, registry()))) == "same"


def test_an_edge_that_leads_elsewhere_is_where_the_paths_part() -> None:
    def change(document: dict[str, Any]) -> None:
        next(e for e in document["edges"] if (e["from"], e["port"]) == ("news", "next"))["to"] = "goodbye"

    found = replayed("news", change)
    assert judgement(found) == "parted" and found.parting is not None
    assert found.rows[found.parting - 1].same and found.why is not None
    assert found.why.en == "behind “最新公告 News” by “Next” came “主菜单 Main menu”, now “再见 Goodbye”"


def test_a_node_that_the_old_call_never_met_stops_the_walk_or_takes_the_assumed_port() -> None:
    def change(document: dict[str, Any]) -> None:
        document["nodes"]["vip"] = {
            "type": "logic.list",
            "name": "VIP",
            "config": {"list": "vip", "number": "call.caller"},
        }
        next(e for e in document["edges"] if (e["from"], e["port"]) == ("menu", "2"))["to"] = "vip"
        document["edges"] += [{"from": "vip", "port": p, "to": "news"} for p in ("listed", "not_listed")]

    found = replayed("news", change)
    assert judgement(found) == "stopped" and found.stopped is not None
    assert "no answer for the node “VIP”" in found.stopped.en
    assumed = replayed("news", change, vip="listed")
    assert assumed.stopped is None and assumed.new_outcome == "completed"
    assert [row.new.node_id for row in assumed.rows if row.new][6:8] == ["vip", "news"]


def test_a_key_that_the_new_menu_lacks_is_told() -> None:
    def change(document: dict[str, Any]) -> None:
        menu = document["nodes"]["menu"]["config"]
        menu["choices"] = [choice for choice in menu["choices"] if choice["key"] != "2"]
        document["edges"] = [
            e for e in document["edges"] if (e["from"], e["port"]) != ("menu", "2") and e["from"] != "news"
        ]
        del document["nodes"]["news"]

    found = replayed("news", change)
    assert (
        found.stopped is not None
        and "left “主菜单 Main menu” by “2”, a port that this version lacks" in found.stopped.en
    )


def test_a_variable_that_comes_out_differently_is_told() -> None:
    def change(document: dict[str, Any]) -> None:
        document["nodes"]["left"]["config"]["assignments"][0]["value"] = "false"

    found = replayed("hangs-up-in-menu", change)
    assert found.parting is None and found.variables == {"left_early": (True, False)}


def test_confidential_values_are_never_shown() -> None:
    run = recorded(next(case for case in HOTLINE_CASES if case.name == "balance"))
    again = walk_again(run, PLAN, registry())
    told = again.model_dump_json()
    assert "2468" not in told and "•••" in told
    verify = next(step for step in again.steps if step.node_id == "verify")
    assert verify.inputs is not None and verify.inputs["card"] == "62220001"
