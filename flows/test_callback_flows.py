"""The callback rules that ship: valid, every branch walked by a case in virtual time, and once on a real server."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cases import FlowCase, run_case
from flows.plan import Plan, compile_plan
from flows.validation import parse_draft, validate
from nodes.sdk.registry import registry

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("abandoned_callback", "voicemail_callback")


def read(folder: str, name: str) -> Any:
    return json.loads((EXAMPLES / folder / f"{name}.json").read_text(encoding="utf-8"))


def compiled(name: str) -> Plan:
    draft, _ = parse_draft(read("flows", name))
    return compile_plan(draft, registry(), version=1)


CASES = [(name, FlowCase.model_validate(case)) for name in NAMES for case in read("cases", name)]


@pytest.mark.parametrize("name", NAMES)
def test_they_are_valid(name: str) -> None:
    draft, problems = parse_draft(read("flows", name))
    assert problems == []
    assert [str(found) for found in validate(draft, registry())] == []


@pytest.mark.parametrize(("name", "case"), CASES, ids=lambda one: one if isinstance(one, str) else one.name)
def test_they_keep_what_their_cases_say(name: str, case: FlowCase) -> None:
    result = run_case(case, compiled(name), registry(), kind="callback")
    assert result.passed, [failure.message.en for failure in result.failures]


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_pass_every_edge(name: str) -> None:
    plan = compiled(name)
    walked = {
        step for of, case in CASES if of == name for step in run_case(case, plan, registry(), kind="callback").path
    }
    edges = {(node.id, port) for node in plan.flows[plan.root].nodes.values() for port in node.edges}
    assert edges - walked == set()
