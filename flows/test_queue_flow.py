"""The example of a queue keeps what its cases say, in virtual time with simulated agents."""

import json
from pathlib import Path

import pytest

from flows.cases import FlowCase, run_case
from flows.plan import Plan, compile_plan
from flows.validation import parse_draft, validate
from nodes.sdk.registry import registry

EXAMPLES = Path(__file__).parents[1] / "examples"
CASES = [
    FlowCase.model_validate(case)
    for case in json.loads((EXAMPLES / "cases" / "queue_hotline.json").read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def hotline() -> Plan:
    draft, problems = parse_draft(json.loads((EXAMPLES / "flows" / "queue_hotline.json").read_text(encoding="utf-8")))
    assert problems == [] and [str(found) for found in validate(draft, registry())] == []
    return compile_plan(draft, registry(), version=1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_queue_hotline_keeps_what_its_cases_say(hotline: Plan, case: FlowCase) -> None:
    result = run_case(case, hotline, registry())
    assert result.passed, [failure.message.en for failure in result.failures]
