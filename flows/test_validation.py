"""Strict validation: each fault is found, at its place, with a remedy in both languages."""

from typing import Any

import pytest

from flows.document import FlowDocument
from flows.plan import (
    MappingResolver,
    ResolvedFlow,
    compile_plan,
    gather,
    plan_from_bytes,
    references,
)
from flows.problems import InvalidFlowError, errors_of
from flows.testing import document, sample_registry
from flows.validation import validate

REGISTRY = sample_registry()
GOOD = {"a": "test.quick", "e": "logic.end"}


def codes(source: FlowDocument, **more: Any) -> set[tuple[str, str | None]]:
    found = validate(source, REGISTRY, **more)
    for one in found:
        assert one.message.zh and one.message.en
    return {(one.code, one.node) for one in found}


def test_a_sound_flow_has_no_problems() -> None:
    assert codes(document(GOOD, "a>e")) == set()


FAULTS: list[tuple[str, FlowDocument, tuple[str, str | None]]] = [
    ("no entry", document(GOOD, "a>e").model_copy(update={"entry": None}), ("no_entry", None)),
    ("entry missing", document(GOOD, "a>e", entry="zz"), ("unknown_target", None)),
    ("unknown type", document({"a": "no.such"}), ("unknown_node", "a")),
    ("unknown field", document({"a": ("test.quick", {"wrods": "x"}), "e": "logic.end"}, "a>e"), ("bad_config", "a")),
    ("wrong value", document({"a": ("test.quick", {"seconds": "x"}), "e": "logic.end"}, "a>e"), ("bad_config", "a")),
    ("edge to nowhere", document(GOOD, "a>zz"), ("edge_target", "a")),
    ("edge from nowhere", document(GOOD, "a>e zz>e"), ("edge_source", None)),
    ("no such port", document(GOOD, "a>e a.left>e"), ("edge_port", "a")),
    ("two edges", document(GOOD, "a>e a>a"), ("two_edges", "a")),
    ("unreachable", document({**GOOD, "b": "test.quick"}, "a>e b>e"), ("unreachable", "b")),
    (
        "open port",
        document({"b": ("logic.branch", {"condition": "true"}), "e": "logic.end"}, "b.yes>e"),
        ("port_unwired", "b"),
    ),
    ("dead end", document({"w": ("test.wait", {"seconds": 1})}), ("dead_end", "w")),
    (
        "bad expression",
        document({"a": ("test.quick", {"value": "2 **"}), "e": "logic.end"}, "a>e"),
        ("expression_syntax", "a"),
    ),
    (
        "forbidden",
        document({"a": ("test.quick", {"value": "2 ** 3"}), "e": "logic.end"}, "a>e"),
        ("expression_forbidden", "a"),
    ),
    (
        "bad template",
        document({"a": ("test.quick", {"words": "{{ x"}), "e": "logic.end"}, "a>e"),
        ("expression_syntax", "a"),
    ),
    (
        "unknown variable",
        document({"a": ("test.quick", {"value": "vars.x"}), "e": "logic.end"}, "a>e"),
        ("unknown_variable", "a"),
    ),
    (
        "unknown output",
        document({"a": ("test.quick", {"words": "{{ nodes.a.x }}"}), "e": "logic.end"}, "a>e"),
        ("unknown_output", "a"),
    ),
    (
        "unknown node's output",
        document({"a": ("test.quick", {"value": "nodes.q.value"}), "e": "logic.end"}, "a>e"),
        ("unknown_output", "a"),
    ),
    ("shortcut to nowhere", document(GOOD, "a>e", shortcuts=[{"key": "0", "to": "zz"}]), ("unknown_target", None)),
    ("handler to nowhere", document(GOOD, "a>e", handlers={"hangup": "zz"}), ("unknown_target", None)),
    ("same key twice", document(GOOD, "a>e", shortcuts=[{"key": "0", "to": "e"}] * 2), ("duplicate_shortcut", None)),
    ("same name twice", document(GOOD, "a>e", variables=[{"name": "x"}, {"name": "x"}]), ("duplicate_variable", None)),
    (
        "default of another type",
        document(GOOD, "a>e", variables=[{"name": "x", "type": "number", "default": "q"}]),
        ("bad_default", None),
    ),
    (
        "not in this kind",
        document({"p": ("logic.parallel", {"branches": ["x", "y"]}), "e": "logic.end"}, "p.x>e p.y>e", kind="ivr"),
        ("wrong_kind", "p"),
    ),
    (
        "call node in a branch",
        document(
            {
                "p": ("logic.parallel", {"branches": ["x", "y"]}),
                "t": "test.talk",
                "q": "test.quick",
                "j": "logic.join",
                "e": "logic.end",
            },
            "p.x>t p.y>q t>j q>j j>e",
            kind="subflow",
        ),
        ("call_in_parallel", "t"),
    ),
    ("bad id", document({"0 a": "test.quick"}), ("bad_node_id", "0 a")),
]


@pytest.mark.parametrize(("source", "wanted"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_each_fault_is_an_error_at_its_place(source: FlowDocument, wanted: tuple[str, str | None]) -> None:
    found = errors_of(validate(source, REGISTRY))
    assert wanted in {(one.code, one.node) for one in found}
    assert all(one.message.zh and one.message.en for one in found)


def test_an_unfinished_drawing_gets_warnings_only() -> None:
    source = document({"a": ("logic.branch", {"condition": "true"}), "b": "test.quick"}).model_copy(
        update={"entry": None}
    )
    assert validate(source, REGISTRY, strict=False)
    assert errors_of(validate(source, REGISTRY, strict=False)) == []


def test_a_loop_without_a_wait_is_a_warning() -> None:
    nodes = {"a": "test.quick", "b": ("logic.branch", {"condition": "vars.n < 3"}), "e": "logic.end"}
    busy = document(nodes, "a>b b.yes>a b.no>e", variables=[{"name": "n", "type": "number", "default": 0}])
    assert [(one.code, one.severity) for one in validate(busy, REGISTRY)] == [("busy_loop", "warning")]
    waits = nodes | {"w": ("test.wait", {"seconds": 1})}
    patient = document(waits, "a>w w>b w.timeout>b b.yes>a b.no>e", variables=[{"name": "n", "type": "number"}])
    assert codes(patient) == set()


def test_a_loop_without_a_way_out_is_a_warning() -> None:
    endless = document({"a": "test.quick", "w": ("test.wait", {"seconds": 1})}, "a>w w>a w.timeout>a")
    assert [(one.code, one.severity, one.node) for one in validate(endless, REGISTRY)] == [
        ("endless_loop", "warning", "a")
    ]
    a_caller_may_leave = document({"t": "test.talk"}, "t>t", kind="ivr")
    assert "endless_loop" not in {code for code, _ in codes(a_caller_may_leave)}


def test_a_computed_field_needs_no_value_yet() -> None:
    source = document(
        {"w": ("logic.wait", {"seconds": "vars.n * 2"}), "e": "logic.end"}, "w>e", variables=[{"name": "n"}]
    )
    assert codes(source) == set()


def sub(flow: str = "sub", **more: Any) -> FlowDocument:
    return document(GOOD, "a>e", kind="subflow", **more).model_copy(update={"id": flow})


def resolver(**flows: FlowDocument) -> MappingResolver:
    return MappingResolver({(name, "live"): ResolvedFlow(document=flow, version=3) for name, flow in flows.items()})


def calling(flow: str = "sub", inputs: dict[str, Any] | None = None, kind: str = "ticket") -> FlowDocument:
    return document(
        {"s": ("logic.subflow", {"flow": flow, "inputs": inputs or {}}), "e": "logic.end"}, "s>e", kind=kind
    )


def test_subflow_references_and_types() -> None:
    typed = sub(inputs=[{"name": "n", "type": "number", "required": True}], outputs=[{"name": "sum"}])
    assert codes(calling(), resolver=resolver()) == {("unknown_subflow", "s")}
    assert codes(calling(), resolver=resolver(sub=typed)) == {("subflow_input", "s")}
    assert codes(calling(inputs={"n": "'x'"}), resolver=resolver(sub=typed)) == {("subflow_input", "s")}
    assert codes(calling(inputs={"n": "1", "m": "2"}), resolver=resolver(sub=typed)) == {("subflow_input", "s")}
    assert codes(calling(inputs={"n": "1 + 1"}), resolver=resolver(sub=typed)) == set()
    assert codes(calling("flow"), resolver=resolver()) == {("subflow_cycle", "s")}


def test_a_cycle_of_subflows_is_found() -> None:
    one = calling("two", kind="subflow").model_copy(update={"id": "one"})
    two = calling("flow", kind="subflow").model_copy(update={"id": "two"})
    assert codes(calling("one"), resolver=resolver(one=one, two=two)) == {("subflow_cycle", "s")}


def test_outputs_of_a_subflow_are_known() -> None:
    source = document(
        {
            "s": ("logic.subflow", {"flow": "sub"}),
            "a": ("test.quick", {"value": "nodes.s.sum + nodes.s.other"}),
            "e": "logic.end",
        },
        "s>a a>e",
    )
    found = validate(source, REGISTRY, resolver=resolver(sub=sub(outputs=[{"name": "sum"}])))
    assert [one.code for one in found] == ["unknown_output"] and "nodes.s.other" in found[0].message.en


async def test_a_plan_pins_its_subflows() -> None:
    source = calling()
    assert references(source) == [("sub", "live")]

    async def fetch(flow: str, reference: str) -> ResolvedFlow | None:
        return ResolvedFlow(document=sub(), version=3) if (flow, reference) == ("sub", "live") else None

    plan = compile_plan(source, REGISTRY, version=7, resolver=await gather(source, fetch))
    assert plan.root == "flow@7" and set(plan.flows) == {"flow@7", "sub@3"}
    assert plan.flows["flow@7"].nodes["s"].subflow == "sub@3"
    again = plan_from_bytes(plan.to_bytes())
    assert again == plan and again.hash == plan.hash


def test_equal_documents_give_equal_plans() -> None:
    one = compile_plan(document(GOOD, "a>e"), REGISTRY, version=1)
    assert one.hash == compile_plan(document(GOOD, "a>e", ui={"x": 1}), REGISTRY, version=1).hash
    assert one.hash != compile_plan(document(GOOD, "a>e"), REGISTRY, version=2).hash


def test_what_cannot_run_cannot_be_compiled() -> None:
    with pytest.raises(InvalidFlowError, match="no node type"):
        compile_plan(document({"a": "no.such"}), REGISTRY, version=1)
    with pytest.raises(InvalidFlowError, match="sub@live"):
        compile_plan(calling(), REGISTRY, version=1)


def test_a_thousand_nodes_are_checked_in_a_moment() -> None:
    nodes = {f"n{number}": ("test.quick", {"words": "{{ vars.x }} " + str(number)}) for number in range(1_000)}
    wires = " ".join(f"n{number}>n{number + 1}" for number in range(999)) + " n999>e"
    source = document({**nodes, "e": "logic.end"}, wires, variables=[{"name": "x"}])
    assert codes(source) == set()
    assert len(compile_plan(source, REGISTRY, version=1).flows["flow@1"].nodes) == 1_001


def test_missing_language_of_a_prompt_is_a_warning() -> None:
    from nodes.sdk.registry import build

    registry = build()
    source = document(
        {"s": ("voice.say", {"prompt": {"parts": [{"kind": "text", "text": {"zh": "您好"}}]}}), "e": "logic.end"},
        "s>e",
        kind="ivr",
    )
    found = validate(source, registry)
    assert [(one.code, one.severity, one.field) for one in found] == [
        ("missing_language", "warning", "prompt.parts.0.text.en")
    ]


def test_a_bilingual_prompt_lacks_no_language() -> None:
    from nodes.sdk.registry import build

    texts = [{"kind": "text", "text": {"zh": "您好"}}, {"kind": "text", "text": {"en": "Hello"}}]

    def found(languages: list[str]) -> list[str]:
        source = document(
            {"s": ("voice.say", {"prompt": {"parts": texts}}), "e": "logic.end"}, "s>e", kind="ivr", languages=languages
        )
        return [one.code for one in validate(source, build())]

    assert found(["zh", "en"]) == []
    assert found(["zh", "en", "ko"]) == ["missing_language"] * 2
