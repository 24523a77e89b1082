"""Each problem of the catalogue has a smallest document that shows it and nothing else, and a repair of it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from flows.catalogue import CATALOGUE, DOCS, page
from flows.document import FlowDocument
from flows.plan import MappingResolver, ResolvedFlow
from flows.problems import Problem, problem
from flows.references import Known, check_references
from flows.validation import parse_draft, validate
from nodes.sdk.registry import registry

Data = dict[str, Any]


def flow(nodes: Mapping[str, Any] | None = None, edges: str = "a>e", **more: Any) -> Data:
    """A flow; a node is a type or a type and config; edges are ``from.port>to``, the port is ``next`` if not said."""
    drawn = {}
    for node_id, spec in (nodes or {"a": WAIT, "e": "logic.end"}).items():
        kind, config = spec if isinstance(spec, tuple) else (spec, {})
        drawn[node_id] = {"type": kind, "config": config}
    links = []
    for link in edges.split():
        start, _, end = link.partition(">")
        source, _, port = start.partition(".")
        links.append({"from": source, "port": port or "next", "to": end})
    return {
        "spec_version": "1.0.0",
        "id": "f",
        "kind": "subflow",
        "name": "F",
        "languages": ["en"],
        "entry": next(iter(drawn), None),
        "nodes": drawn,
        "edges": links,
    } | more


WAIT = ("logic.wait", {"seconds": 1})
SET = "logic.set"


def sets(value: str) -> tuple[str, Data]:
    """A node that computes an expression."""
    return SET, {"assignments": [{"name": "x", "value": value}]}


def says(**text: str) -> tuple[str, Data]:
    return "voice.say", {"prompt": {"parts": [{"kind": "text", "text": text}]}}


X = [{"name": "x", "type": "any"}]
BELOW = FlowDocument.model_validate(
    flow(id="below", inputs=[{"name": "n", "type": "number", "required": True}], entry="a")
)
ROUND = FlowDocument.model_validate(flow({"s": ("logic.subflow", {"flow": "f"}), "e": "logic.end"}, "s>e", id="round"))
IVR = FlowDocument.model_validate(flow(id="ivr", kind="ivr"))
RESOLVER = MappingResolver(
    {
        ("below", "live"): ResolvedFlow(document=BELOW, version=1),
        ("round", "live"): ResolvedFlow(document=ROUND, version=1),
        ("ivr", "live"): ResolvedFlow(document=IVR, version=1),
    }
)
KNOWN = Known({"calendar": ["office"]}, {"hello": ["en"], "bonjour": ["fr"]})


def calls(flow_id: str, **config: Any) -> Data:
    return flow({"s": ("logic.subflow", {"flow": flow_id, "inputs": {"n": "1"}, **config}), "e": "logic.end"}, "s>e")


def plays(prompt: str) -> Data:
    say = ("voice.say", {"prompt": {"parts": [{"kind": "recording", "prompt": prompt}]}})
    return flow({"a": say, "e": "logic.end"})


@dataclass(frozen=True)
class Case:
    """A document, where its problem is, and what repairs it."""

    wrong: Any
    repaired: Any
    node: str | None = None
    field: str | None = None
    severity: str = "error"


def changed(data: Data, change: Callable[[Data], object]) -> Data:
    copy = deepcopy(data)
    change(copy)
    return copy


GOOD = flow()
PARALLEL = ("logic.parallel", {"branches": ["x", "y"]})
ENDLESS = {"a": WAIT, "b": WAIT, "e": "logic.end"}

CASES: dict[str, Case] = {
    "not_an_object": Case([1], GOOD),
    "spec_version": Case(flow(spec_version="99.0.0"), GOOD, field="spec_version"),
    "bad_field": Case(flow(languages="en"), GOOD, field="languages"),
    "unknown_field": Case(flow(colour="red"), GOOD, field="colour"),
    "bad_node": Case(changed(GOOD, lambda d: d["nodes"].update(q={"config": {}})), GOOD, node="q", field="type"),
    "no_id": Case(flow(id=" "), GOOD, field="id"),
    "no_name": Case(flow(name=""), GOOD, field="name"),
    "no_language": Case(flow(languages=[]), GOOD, field="languages"),
    "duplicate_variable": Case(flow(variables=[*X, *X]), flow(variables=X), field="variables.1.name"),
    "bad_default": Case(
        flow(variables=[{"name": "n", "type": "number", "default": "q"}]),
        flow(variables=[{"name": "n", "type": "number", "default": 1}]),
        field="variables.0.default",
    ),
    "no_entry": Case(flow(entry=None), GOOD, field="entry"),
    "unknown_target": Case(flow(handlers={"error": "zz"}), flow(handlers={"error": "e"}), field="handlers.error"),
    "duplicate_shortcut": Case(
        flow(shortcuts=[{"key": "0", "to": "e"}] * 2),
        flow(shortcuts=[{"key": "0", "to": "e"}]),
        field="shortcuts.1.key",
    ),
    "bad_node_id": Case(
        flow({"a": WAIT, "0 e": "logic.end"}, "")
        | {"edges": [{"from": "a", "port": "next", "to": "0 e"}]},
        GOOD,
        node="0 e",
    ),
    "unknown_node": Case(flow({"a": "no.such", "e": "logic.end"}), GOOD, node="a", field="type"),
    "bad_config": Case(flow({"a": ("logic.wait", {"secs": 1}), "e": "logic.end"}), GOOD, node="a", field="secs"),
    "wrong_kind": Case(
        changed(flow({"a": says(en="x"), "e": "logic.end"}), lambda d: d.update(kind="ticket")),
        flow({"a": says(en="x"), "e": "logic.end"}),
        node="a",
        field="type",
    ),
    "call_in_parallel": Case(
        flow({"p": PARALLEL, "t": says(en="x"), "q": WAIT, "j": "logic.join", "e": "logic.end"},
             "p.x>t p.y>q t>j q>j j>e"),
        flow({"p": PARALLEL, "t": WAIT, "q": WAIT, "j": "logic.join", "e": "logic.end"}, "p.x>t p.y>q t>j q>j j>e"),
        node="t",
    ),
    "edge_source": Case(flow(edges="a>e zz>e"), GOOD, field="edges.1.from"),
    "edge_target": Case(flow(edges="a>e a.error>zz"), flow(edges="a>e a.error>e"), node="a", field="edges.1.to"),
    "edge_port": Case(flow(edges="a>e a.left>e"), GOOD, node="a", field="edges.1.port"),
    "two_edges": Case(flow(edges="a>e a>e"), GOOD, node="a", field="edges.1.port"),
    "port_unwired": Case(
        flow({"b": ("logic.branch", {"condition": "true"}), "e": "logic.end"}, "b.yes>e"),
        flow({"b": ("logic.branch", {"condition": "true"}), "e": "logic.end"}, "b.yes>e b.no>e"),
        node="b",
        field="no",
    ),
    "dead_end": Case(flow({"a": WAIT}, ""), GOOD, node="a"),
    "unreachable": Case(flow({"a": WAIT, "b": WAIT, "e": "logic.end"}, "a>e b>e"), GOOD, node="b"),
    "endless_loop": Case(
        flow({"a": WAIT, "b": WAIT}, "a>b b>a"), flow(ENDLESS, "a>b b>e"), node="a", severity="warning"
    ),
    "busy_loop": Case(
        flow({"a": sets("1"), "b": ("logic.branch", {"condition": "vars.x"}), "e": "logic.end"},
             "a>b b.yes>a b.no>e", variables=X),
        flow({"a": WAIT, "b": ("logic.branch", {"condition": "vars.x"}), "e": "logic.end"},
             "a>b b.yes>a b.no>e", variables=X),
        node="a",
        severity="warning",
    ),
    **{
        code: Case(
            flow({"a": sets(source), "e": "logic.end"}, variables=X),
            flow({"a": sets("1 + 1"), "e": "logic.end"}, variables=X),
            node="a",
            field="assignments.0.value",
        )
        for code, source in {
            "expression_syntax": "1 +",
            "expression_forbidden": "2 ** 9",
            "expression_too_large": "1" + " + 1" * 5000,
            "unknown_variable": "vars.y",
            "unknown_output": "nodes.a.colour",
            "unknown_name": "weather",
        }.items()
    },
    "unknown_subflow": Case(calls("nowhere"), calls("below"), node="s", field="flow"),
    "missing_alias": Case(calls("below", alias="test"), calls("below"), node="s", field="alias"),
    "subflow_cycle": Case(calls("round"), calls("below"), node="s", field="flow"),
    "subflow_kind": Case(calls("ivr", inputs={}), calls("below"), node="s", field="flow"),
    "subflow_input": Case(calls("below", inputs={"n": "'q'"}), calls("below"), node="s", field="inputs.n"),
    "missing_language": Case(
        flow({"a": says(fr="x"), "e": "logic.end"}),
        flow({"a": says(en="x"), "e": "logic.end"}),
        node="a",
        field="prompt.parts.0.text.en",
        severity="warning",
    ),
    "unknown_prompt": Case(
        plays("goodbye"), plays("hello"), node="a", field="prompt.parts.0.prompt", severity="warning"
    ),
    "unknown_reference": Case(
        flow({"a": ("logic.hours", {"calendar": "moon"}), "e": "logic.end"}, "a.open>e a.closed>e"),
        flow({"a": ("logic.hours", {"calendar": "office"}), "e": "logic.end"}, "a.open>e a.closed>e"),
        node="a",
        field="calendar",
        severity="warning",
    ),
}  # fmt: skip


def problems_of(data: Any) -> list[Problem]:
    """As publishing finds them; a document that cannot be read whole is not looked into further."""
    document, found = parse_draft(data)
    if found:
        return found
    nodes = registry()
    return validate(document, nodes, resolver=RESOLVER) + check_references(document, nodes, KNOWN)


def test_every_kind_has_a_case_and_every_case_a_kind() -> None:
    assert CASES.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("code", CASES)
def test_the_smallest_document_shows_the_problem_and_nothing_else(code: str) -> None:
    case = CASES[code]
    found = problems_of(case.wrong)
    assert [(one.code, one.node, one.field, one.severity) for one in found] == [
        (code, case.node, case.field, case.severity)
    ]
    (one,) = found
    assert one.message.zh and one.message.en and one.message.zh != one.message.en
    assert any("\u4e00" <= char <= "\u9fff" for char in one.message.zh)
    assert (CATALOGUE[code].when == "warning") == (one.severity == "warning")
    assert [other.code for other in problems_of(case.repaired)] == []


@pytest.mark.parametrize("code", [code for code, kind in CATALOGUE.items() if kind.when == "publish"])
def test_what_is_merely_unfinished_is_a_warning_while_drawing(code: str) -> None:
    document, _ = parse_draft(CASES[code].wrong)
    (one,) = validate(document, registry(), strict=False)
    assert (one.code, one.severity) == (code, "warning")


def test_a_recorded_prompt_that_lacks_a_language_is_told() -> None:
    (one,) = problems_of(plays("bonjour"))
    assert (one.code, one.severity, one.field) == ("missing_language", "warning", "prompt.parts.0.prompt")


def test_a_code_that_the_catalogue_does_not_hold_cannot_be_told() -> None:
    with pytest.raises(KeyError):
        problem("no_such_code", "无", "none")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_are_up_to_date(language: Any) -> None:
    assert (DOCS / f"problems.{language}.md").read_text(encoding="utf-8") == page(language), "run make schema"
