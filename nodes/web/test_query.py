import json
from datetime import date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from nodes.sdk.testing import Example, MemoryQueries, MemoryServices, run_node
from nodes.web.query import Query


def services() -> MemoryServices:
    rows = {
        "6222": [
            {"balance": Decimal("88.50"), "points": Decimal(120), "since": date(2020, 5, 1), "note": b"\x01"},
            {"balance": Decimal(1), "points": Decimal(2), "since": datetime(2020, 5, 1, 8, 30), "note": None},  # noqa: DTZ001
        ]
    }
    return MemoryServices(queries=MemoryQueries(balance=lambda given: rows.get(given["card"], [])))


CONFIG = {
    "query": "balance",
    "parameters": {"card": "6222"},
    "columns": [{"name": "amount", "column": "balance"}, {"name": "since", "column": "since"}],
}
EXAMPLES = [
    Example("found", CONFIG, services=services),
    Example("empty", {**CONFIG, "parameters": {"card": "1"}}, services=services),
    Example("error", {"query": "none"}, services=services),
]


async def test_rows_count_and_columns_are_plain_data() -> None:
    outcome = await run_node(Query(), CONFIG, services=services())
    assert outcome.outputs["amount"] == 88.5 and outcome.outputs["since"] == "2020-05-01"
    assert outcome.outputs["count"] == 2 and outcome.outputs["rows"][0]["points"] == 120
    json.dumps(outcome.outputs)


async def test_the_limit_holds() -> None:
    outcome = await run_node(Query(), {**CONFIG, "limit": 1}, services=services())
    assert outcome.outputs["count"] == 1


async def test_nothing_found_leaves_empty_values() -> None:
    outcome = await run_node(Query(), {**CONFIG, "parameters": {"card": "1"}}, services=services())
    assert outcome.port == "empty" and outcome.outputs == {"rows": [], "count": 0, "amount": None, "since": None}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"query": "none"}, "unknown_query"),
        ({"parameters": {}}, "bad_parameters"),
        ({"columns": [{"name": "a", "column": "shoe"}]}, "unknown_column"),
    ],
)
async def test_mistakes_are_errors_with_a_reason(change: dict[str, object], reason: str) -> None:
    outcome = await run_node(Query(), {**CONFIG, **change}, services=services())
    assert outcome.outputs == {"error": reason}


def test_reserved_outputs_cannot_be_taken() -> None:
    with pytest.raises(ValidationError, match="rows is taken"):
        Query.Config.model_validate({"query": "a", "columns": [{"name": "rows", "column": "b"}]})
