"""What an editor asks while it draws, over the API."""

from datetime import timedelta
from typing import Any

from backend.calls.models import Call, Run, TrailEntry
from backend.customers.models import CustomerField
from backend.database import utcnow, write
from backend.flows import service
from backend.flows.test_listing import thousand
from backend.identity.permissions import Actor
from backend.state import AppState
from backend.testing import ApiClient

SHAPES = """query($nodes: [NodeShapeInput!]!) { nodeShapes(nodes: $nodes) {
  id known sound ports { name required role title { zh } } outputs { name type } summary { zh en }
  problems { code field } inputs { name type required default } runs } }"""


def asking() -> dict[str, Any]:
    """A flow that asks for a number and tells twice of it."""
    return {
        "id": "asking", "kind": "ivr", "name": "问", "entry": "ask",
        "variables": [{"name": "amount", "type": "number", "default": 5}],
        "nodes": {
            "ask": {"type": "voice.collect", "config": {"prompt": {"parts": []}}},
            "set": {"type": "logic.set", "config": {"assignments": [{"name": "amount", "value": "7"}]}},
            "tell": {"type": "voice.say", "config": {"prompt": {"parts": []}}},
            "bye": {"type": "voice.hangup"},
        },
        "edges": [{"from": "ask", "port": "next", "to": "set"}, {"from": "set", "port": "next", "to": "tell"},
                  {"from": "tell", "port": "next", "to": "bye"}],
    }  # fmt: skip


async def test_shapes_of_whole_half_and_unknown_nodes(state: AppState, actor: Actor, client: ApiClient) -> None:
    below = {
        "id": "balance", "kind": "subflow", "name": "余额", "entry": "end",
        "nodes": {"end": {"type": "logic.end"}}, "edges": [],
        "inputs": [{"name": "card", "type": "string", "required": True}],
        "outputs": [{"name": "amount", "type": "number"}],
    }  # fmt: skip
    await service.create_flow(state.db, actor, below)
    await service.publish(state.db, actor, "balance")
    asked = [
        {"id": "a", "type": "voice.menu", "config": {"choices": [{"key": "1", "label": "余额"}, {"key": "x"}]}},
        {"id": "b", "type": "logic.subflow", "config": {"flow": "balance"}},
        {"id": "c", "type": "no.such", "config": {}},
        {"id": "d", "type": "logic.subflow", "config": {"flow": "none"}},
        {"id": "e", "type": "voice.menu", "config": ["?"]},
    ]
    menu, subflow, unknown, nowhere, broken = (await client.ask(SHAPES, nodes=asked))["nodeShapes"]
    assert [(port["name"], port["role"]) for port in menu["ports"]] == [
        ("1", "own"), ("timeout", "own"), ("invalid", "own"), ("error", "error"), ("hangup", "hangup"),
    ]  # fmt: skip
    assert not menu["sound"] and menu["problems"] and menu["summary"]["zh"] == "1 余额 · x"
    assert subflow["inputs"] == [{"name": "card", "type": "string", "required": True, "default": None}]
    assert subflow["outputs"] == [{"name": "amount", "type": "number"}] and subflow["runs"] == "balance@1"
    assert subflow["summary"]["zh"].startswith("余额")
    assert (unknown["known"], unknown["ports"]) == (False, []) and nowhere["inputs"] is None
    assert "error" in {port["name"] for port in broken["ports"]}


async def test_a_thousand_shapes_come_at_once(client: ApiClient) -> None:
    nodes = [{"id": id, "type": spec["type"], "config": spec["config"]} for id, spec in thousand()["nodes"].items()]
    found = (await client.ask(SHAPES, nodes=nodes))["nodeShapes"]
    assert len(found) == 1000 and found[7]["summary"]["en"] == "This is step 7, please listen."


async def test_an_expression_is_helped_and_checked(state: AppState, actor: Actor, client: ApiClient) -> None:
    async with write(state.db) as session:
        session.add(CustomerField(business_id="main", key="shoe", label_zh="鞋码", label_en="Shoe size"))
    told = await client.ask(
        """query($d: JSON!) {
          expressionScope(document: $d, node: "tell") { names { path kind type title { zh en } node }
            filters { name title { zh } example gives } tests { name } }
          bad: checkExpression(document: $d, text: "vars.amout + 1") { code start end message { zh en } }
          good: checkExpression(document: $d, text: "{{ vars.amount | number }}", template: true) { code } }""",
        d=asking(),
    )
    names = {one["path"]: one for one in told["expressionScope"]["names"]}
    assert {"vars.amount", "nodes.ask.digits", "call.caller", "customer.level", "now.hour"} <= names.keys()
    assert names["customer.fields.shoe"]["title"] == {"zh": "鞋码", "en": "Shoe size"}
    assert len(told["expressionScope"]["filters"]) > 20
    assert [(one["code"], one["start"], one["end"]) for one in told["bad"]] == [("unknown_variable", 0, 10)]
    assert told["good"] == []
    await service.create_flow(state.db, actor, asking())
    by_key = await client.ask('{ checkExpression(key: "asking", text: "1 +") { code } }')
    assert by_key["checkExpression"] == [{"code": "expression_syntax"}]
    assert (await client.refusal('{ checkExpression(text: "1") { code } }'))["field"] == "document"


async def test_an_expression_is_computed_with_the_last_run(state: AppState, actor: Actor, client: ApiClient) -> None:
    await service.create_flow(state.db, actor, asking())
    ask = """query($node: String!, $text: String!, $template: Boolean!, $run: String) {
      previewExpression(key: "asking", node: $node, text: $text, template: $template, runId: $run) {
        runId value text problem { zh en } } }"""

    async def preview(text: str, *, node: str = "tell", template: bool = False, run: str | None = None) -> Any:
        return (await client.ask(ask, node=node, text=text, template=template, run=run))["previewExpression"]

    assert await preview("vars.amount") is None
    await service.publish(state.db, actor, "asking")
    now = utcnow()
    async with write(state.db) as session:
        session.add(Call(id="c1", business_id="main", caller="+8613800138000", language="en", flow_key="asking"))
        await session.flush()
        for run, digits in (("r1", "1"), ("r2", "2")):
            session.add(Run(id=run, business_id="main", flow_key="asking", flow_version=1, call_id="c1"))
            path: list[tuple[str, dict[str, Any]]] = [
                ("ask", {"outputs": {"digits": digits, "pin": "enc:v1:abc"}}),
                ("set", {"changes": {"variables": {"amount": 7}}}),
                ("tell", {}),
            ]
            for seq, (node, more) in enumerate(path):
                session.add(
                    TrailEntry(
                        run_id=run, seq=seq, business_id="main", call_id="c1", flow_key="asking", node_id=node,
                        node_type="x", entered=now + timedelta(seconds=seq + (60 if run == "r2" else 0)), **more,
                    )
                )  # fmt: skip
    assert await preview("vars.amount * 2") == {"runId": "r2", "value": 14, "text": "14", "problem": None}
    assert (await preview("vars.amount", node="set"))["value"] == 5, "before the node, the default"
    assert (await preview("nodes.ask.digits", run="r1"))["value"] == "1"
    assert (await preview("{{ call.caller }}: {{ nodes.ask.digits }}", template=True))["text"] == "+8613800138000: 2"
    assert (await preview("nodes.ask.pin"))["text"] == "•••"
    assert (await preview("PIN {{ nodes.ask.pin }}!", template=True))["text"] == "PIN •••!"
    assert "no value" in (await preview("nodes.tell.key"))["problem"]["en"]
    assert (await client.refusal(ask, node="tell", text="1", template=False, run="zz"))["code"] == "not_found"
