from typing import Any

import pytest

from nodes.logic.repeat import Repeat
from nodes.sdk.testing import Example, flow_scope, run_node

EXAMPLES = [Example("again", {"times": 2}), Example("done", {"times": 2}, scope=flow_scope(visits=2))]


async def test_counts_then_begins_anew() -> None:
    seen = [await run_node(Repeat(), {"times": 2}, scope=flow_scope(visits=visits)) for visits in range(6)]
    assert [outcome.port for outcome in seen] == ["again", "again", "done"] * 2
    assert [outcome.outputs["count"] for outcome in seen] == [1, 2, 2] * 2


async def test_no_times_is_done_at_once() -> None:
    for visits in range(3):
        assert (await run_node(Repeat(), {"times": 0}, scope=flow_scope(visits=visits))).port == "done"


@pytest.mark.parametrize("times", ["many", None, -1, 1001])
async def test_bad_times_are_an_error(times: Any) -> None:
    config = Repeat.Config.model_validate({"times": times})
    assert Repeat().decide(flow_scope(), config).outputs == {"error": "bad_times"}
