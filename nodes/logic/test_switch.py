from typing import Any

import pytest
from pydantic import ValidationError

from nodes.logic.switch import Switch
from nodes.sdk.testing import Example, run_node

CASES = [{"name": "gold", "value": "金卡"}, {"name": "three", "value": "3"}, {"name": "yes", "value": "true"}]
EXAMPLES = [
    Example("gold", {"value": "金卡", "cases": CASES}),
    Example("three", {"value": 3.0, "cases": CASES}),
    Example("yes", {"value": True, "cases": CASES}),
    Example("other", {"value": None, "cases": CASES}),
]


@pytest.mark.parametrize(
    ("value", "port"), [("金卡", "gold"), (3, "three"), ("3", "three"), (True, "yes"), (1, "other"), (3.5, "other")]
)
async def test_compares_as_an_author_writes(value: Any, port: str) -> None:
    assert (await run_node(Switch(), {"value": value, "cases": CASES})).port == port


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([{"name": "a", "value": "1"}, {"name": "a", "value": "2"}], "each name"),
        ([{"name": "a", "value": "1"}, {"name": "b", "value": "1"}], "each value"),
        ([{"name": "other", "value": "1"}], "other is taken"),
    ],
)
def test_cases_differ(cases: list[dict[str, str]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Switch.Config.model_validate({"value": 1, "cases": cases})
