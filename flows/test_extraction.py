"""A part of a flow made a subflow behaves as before: the web app's results, each run by the interpreter both ways.

The documents are what `designer/src/features/flows/editor/extraction.test.ts` makes of random flows, and compares with.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.document import FlowDocument
from flows.plan import MappingResolver, ResolvedFlow
from flows.testing import compiled, environment, sample_registry, start_of
from flows.virtual import VirtualRun, run_virtual

KEPT = json.loads((Path(__file__).parent / "fixtures" / "extractions.json").read_text("utf-8"))
REGISTRY = sample_registry()


def walked(document: FlowDocument, begin: int, sub: FlowDocument | None = None) -> VirtualRun:
    plan = compiled(
        document,
        REGISTRY,
        resolver=MappingResolver({("part", "live"): ResolvedFlow(document=sub, version=1)} if sub else {}),
    )
    return run_virtual(plan, start_of(plan, inputs={"n": begin}), environment(REGISTRY))


@pytest.mark.parametrize("one", KEPT, ids=lambda one: f"seed {one['seed']}")
def test_a_part_made_a_subflow_goes_the_same_way(one: dict[str, Any]) -> None:
    before, after, sub = (FlowDocument.model_validate(one[name]) for name in ("before", "after", "sub"))
    for begin in (0, 3, 8):
        old, new = walked(before, begin), walked(after, begin, sub)
        assert (new.result.outcome, new.result.reason) == (old.result.outcome, old.result.reason)
        assert new.result.outputs == old.result.outputs
        assert [step for step in new.path if step[0] in before.nodes] == old.path


def test_the_parts_are_walked() -> None:
    """What was taken out is on the path of most of them: the comparison compares something."""
    inside = 0
    for one in KEPT:
        run = walked(FlowDocument.model_validate(one["before"]), 0)
        inside += any(node in one["selected"] for node, _ in run.path)
    assert inside > len(KEPT) * 0.6
