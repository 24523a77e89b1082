"""Ports, outputs and the line about a node, for configs that are whole and for those that are being written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.shapes import MAX_WORDS, shape_of, summary_of
from nodes.sdk.node import Node
from nodes.sdk.registry import registry

NODES = registry().all()
EXAMPLES = sorted((Path(__file__).parents[1] / "examples").rglob("*.json"))


def ports(type: str, config: dict[str, Any]) -> list[str]:
    return [port.name for port in shape_of(registry().get(type), config).ports]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.meta.type)
def test_a_sound_config_has_the_ports_of_the_node(node: Node[Any]) -> None:
    config = node.Config.model_validate(dict(node.example))
    shape = shape_of(node, dict(node.example))
    assert shape.sound and [port.name for port in shape.ports] == [port.name for port in node.all_ports(config)]
    assert [one.name for one in shape.outputs] == [one.name for one in node.outputs(config)]


def test_a_half_written_menu_has_the_keys_that_are_there() -> None:
    own = ["timeout", "invalid", "error", "hangup"]
    assert ports("voice.menu", {}) == own
    assert ports("voice.menu", {"choices": []}) == own
    written = {"choices": [{"key": "1", "label": "a"}, {"key": ""}, {"label": "x"}, "?", {"key": "2"}, {"key": "1"}]}
    assert ports("voice.menu", written) == ["1", "2", *own]
    assert not shape_of(registry().get("voice.menu"), written).sound


def test_a_half_written_switch_has_the_cases_that_are_there() -> None:
    written = {"value": "", "cases": [{"name": "gold", "value": "g"}, {"name": "Not allowed", "value": "x"}]}
    assert ports("logic.switch", written) == ["gold", "other", "error"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    node=st.sampled_from(NODES),
    config=st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    data=st.data(),
)
def test_whatever_is_written_there_is_a_shape(node: Node[Any], config: Any, data: st.DataObject) -> None:
    raw = dict(node.example)
    for name in node.Config.model_fields:
        if data.draw(st.booleans()):
            raw[name] = config
    shape = shape_of(node, raw)
    assert "error" in {port.name for port in shape.ports}
    assert len({port.name for port in shape.ports}) == len(shape.ports)
    assert isinstance(shape.summary.zh, str)


def test_the_line_tells_what_matters() -> None:
    def line(type: str, config: dict[str, Any]) -> tuple[str, str]:
        told = summary_of(registry().get(type), config)
        return told.zh, told.en

    greeting = {
        "parts": [{"kind": "text", "text": {"zh": "您好", "en": "Hello"}}, {"kind": "value", "value": "vars.n"}]
    }
    assert line("voice.say", {"prompt": greeting}) == ("您好 {vars.n}", "Hello {vars.n}")
    assert line("voice.menu", {"prompt": greeting, "choices": [{"key": "1", "label": "余额"}, {"key": "2"}]}) == (
        "您好 {vars.n} · 1 余额 · 2",
        "Hello {vars.n} · 1 余额 · 2",
    )
    assert line("logic.branch", {"condition": "vars.a > 1"})[0] == "vars.a > 1"
    assert line("logic.set", {"assignments": [{"name": "a", "value": "1"}]})[1] == "a = 1"
    assert line("logic.subflow", {"flow": "balance", "inputs": {"card": "vars.card"}})[1].startswith("balance")
    long = {"parts": [{"kind": "text", "text": {"zh": "好" * 500}}]}
    assert len(line("voice.say", {"prompt": long})[0]) == MAX_WORDS
    assert line("voice.say", {"prompt": "?"}) == ("", "")
    assert line("logic.wait", {"until": "seconds", "seconds": "60"}) == ("一段时间 · 60", "A length of time · 60")


def test_faces_of_the_flows_that_ship_can_be_read_in_either_language() -> None:
    """Names and labels are an author's, one text for every language of the app: ours say it in both."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES]
    documents = [one.get("document", one) for one in found if isinstance(one, dict)]
    flows = [one for one in documents if one.get("kind")]
    assert len(flows) > 8
    told: set[tuple[str, str]] = set()
    for flow in flows:
        told.add((flow["id"], flow["name"]))
        told |= {(flow["id"], one.get("title", "")) for part in ("inputs", "variables") for one in flow.get(part, ())}
        for name, spec in flow["nodes"].items():
            told.add((f"{flow['id']}.{name}", spec.get("name", "")))
            if spec["type"] in registry():
                ports = shape_of(registry().get(spec["type"]), spec.get("config", {})).ports
                told |= {(f"{flow['id']}.{name}", port.title.en) for port in ports}
    chinese, latin = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]")
    assert [one for one in sorted(told) if chinese.search(one[1]) and not latin.search(one[1])] == []


def test_an_offer_in_a_queue_is_named_by_its_key_as_in_a_menu() -> None:
    offers = [{"key": "1", "label": "留言 Message"}, {"key": "2"}]
    titles = {
        port.name: port.title.en
        for port in shape_of(registry().get("queue.enter"), {"queue": "q", "offers": offers}).ports
    }
    assert (titles["1"], titles["2"]) == ("1 留言 Message", "2")


def test_parts_of_a_prompt_on_one_line_leave_no_gap_behind_chinese_signs() -> None:
    parts = [
        {"text": {"zh": "中文服务请按 1。"}},
        {"text": {"zh": "For English, press 2."}},
        {"text": {"zh": "Thanks"}},
    ]
    told = summary_of(registry().get("voice.say"), {"prompt": {"parts": parts}})
    assert told.zh == "中文服务请按 1。For English, press 2. Thanks"
