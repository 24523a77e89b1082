from typing import Any

import pytest

from nodes.logic.branch import Branch
from nodes.sdk.testing import Example, run_node

EXAMPLES = [Example("yes", {"condition": True}), Example("no", {"condition": ""})]


@pytest.mark.parametrize(
    ("value", "port"), [(True, "yes"), ("text", "yes"), (1, "yes"), (0, "no"), (None, "no"), ("", "no"), ([], "no")]
)
async def test_branches_on_the_value(value: Any, port: str) -> None:
    assert (await run_node(Branch(), {"condition": value})).port == port
