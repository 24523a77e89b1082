"""What expressions may name, what is wrong with one that is being typed, and the help beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.document import FlowDocument
from flows.expression_help import FILTER_HELP, TEST_HELP, Help
from flows.expressions import FILTERS, TESTS, Scope, evaluate, paths_of, written
from flows.plan import MappingResolver, ResolvedFlow
from flows.scope import before, check_text, scope_of
from flows.testing import document
from nodes.sdk.registry import registry

HOTLINE = FlowDocument.model_validate(
    json.loads((Path(__file__).parents[1] / "examples/flows/service_hotline.json").read_text(encoding="utf-8"))
)


def flow(**more: Any) -> FlowDocument:
    return document(
        {
            "ask": ("voice.collect", {"prompt": {"parts": []}}),
            "check": ("logic.branch", {"condition": "nodes.ask.digits == '1'"}),
            "tell": ("voice.say", {"prompt": {"parts": []}}),
            "bye": ("voice.hangup", {}),
            "alone": ("voice.say", {"prompt": {"parts": []}}),
        },
        "ask>check check.yes>tell check.no>bye tell>bye",
        kind="ivr",
        variables=[{"name": "amount", "type": "number", "title": "金额"}],
        **more,
    )


@pytest.mark.parametrize("help", [*FILTER_HELP, *TEST_HELP], ids=lambda help: help.name)
def test_examples_give_what_the_help_says(help: Help) -> None:
    scope = Scope.of(now=datetime(2026, 1, 5, tzinfo=UTC), language="en", call={"caller": "+861"})
    assert written(evaluate(help.example, scope)).replace("\u202f", " ") == help.gives
    assert help.title.zh and help.title.en


def test_every_filter_and_test_has_help() -> None:
    assert {one.name for one in FILTER_HELP} == FILTERS
    assert {one.name for one in TEST_HELP} == TESTS


def test_only_what_can_come_before_is_offered() -> None:
    assert before(flow(), "ask") == set()
    assert before(flow(), "tell") == {"ask", "check"}
    assert before(flow(), "alone") == {"ask", "check", "tell", "bye"}, "nothing leads there yet"
    assert before(flow(handlers={"hangup": "bye"}), "bye") == {"ask", "check", "tell", "bye", "alone"}
    offered = {one.path: one for one in scope_of(flow(), "tell", registry())}
    assert offered["vars.amount"].type == "number" and offered["vars.amount"].title.zh == "金额"
    assert offered["nodes.ask.digits"].node == "ask"
    assert {"call.caller", "customer.level", "now.hour"} <= offered.keys()
    assert not any(path.startswith("nodes.") for path in {one.path for one in scope_of(flow(), "ask", registry())})


def test_what_is_offered_is_also_accepted() -> None:
    for node in HOTLINE.nodes:
        for name in scope_of(HOTLINE, node, registry()):
            assert check_text(HOTLINE, name.path, registry()) == [], name.path


def test_a_subflow_offers_its_outputs() -> None:
    below = document({"end": "logic.end"}, kind="subflow", outputs=[{"name": "balance", "type": "number"}])
    here = document({"sub": ("logic.subflow", {"flow": "flow"}), "then": "logic.end"}, "sub>then")
    resolver = MappingResolver({("flow", "live"): ResolvedFlow(document=below, version=1)})
    assert "nodes.sub.balance" in {one.path for one in scope_of(here, "then", registry(), resolver)}
    assert check_text(here, "nodes.sub.anything", registry()) == [], "not resolved, so not judged"
    assert check_text(here, "nodes.sub.anything", registry(), resolver)


@pytest.mark.parametrize(
    ("source", "code", "marked"),
    [
        ("vars.amont + 1", "unknown_variable", "vars.amont"),
        ("1 + vars['amont']", "unknown_variable", "vars['amont"),
        ("nodes.ask.digit", "unknown_output", "nodes.ask.digit"),
        ("nodes.asked.digits", "unknown_output", "nodes.asked"),
        ("foo > 1", "unknown_name", "foo"),
        ("1 + * 2", "expression_syntax", "*"),
        ("(1 + 2", "expression_syntax", "2"),
        ("1 2", "expression_syntax", "2"),
    ],
)
def test_problems_have_their_place(source: str, code: str, marked: str) -> None:
    (found,) = check_text(flow(), source, registry())
    assert (found.problem.code, source[found.start : found.end]) == (code, marked)


def test_a_template_is_checked_in_its_braces() -> None:
    source = "您好 {{ vars.amount }}，{{ vars.nam }}"
    (found,) = check_text(flow(), source, registry(), template=True)
    assert source[found.start : found.end] == "vars.nam"
    assert check_text(flow(), "您好", registry(), template=True) == []


def test_the_paths_of_an_expression() -> None:
    assert paths_of("vars.a + nodes.x['b'] | round(vars.n)") == [("vars", "a"), ("nodes", "x", "b"), ("vars", "n")]
    assert paths_of("nodes[vars.which].b") == [("nodes",), ("vars", "which")]
    assert paths_of("Hello {{ vars.a }} {% if call.anonymous %}x{% endif %}", template=True) == [
        ("vars", "a"),
        ("call", "anonymous"),
    ]
    assert paths_of("1 +") == []
