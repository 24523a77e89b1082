import pytest
from pydantic import ValidationError

from nodes.logic.set_variables import SetVariables
from nodes.sdk.testing import Example, run_node

TWO = {"assignments": [{"name": "a", "value": 1}, {"name": "b", "value": [None, "x"]}]}
EXAMPLES = [Example("next", TWO)]


async def test_sets_every_variable() -> None:
    assert (await run_node(SetVariables(), TWO)).variables == {"a": 1, "b": [None, "x"]}


def test_each_variable_once() -> None:
    with pytest.raises(ValidationError, match="set once"):
        SetVariables.Config.model_validate({"assignments": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]})
