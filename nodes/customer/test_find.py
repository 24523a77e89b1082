from typing import Any

from nodes.customer.find import Find
from nodes.sdk.services import Customer
from nodes.sdk.testing import Example, MemoryCustomers, MemoryServices, run_node

WANG = Customer(id="7", name="王芳", card="6222", phones=["13800138000"], level="gold", fields={"points": 120})


def services() -> MemoryServices:
    return MemoryServices(customers=MemoryCustomers(WANG))


EXAMPLES = [
    Example("found", {"by": "phone", "value": "13800138000"}, services=services),
    Example("not_found", {"by": "card", "value": "1"}, services=services),
]


async def test_finds_by_phone_card_and_id() -> None:
    kit = services()
    values: list[tuple[str, Any]] = [("phone", "13800138000"), ("card", 6222), ("id", " 7 ")]
    for by, value in values:
        outcome = await run_node(Find(), {"by": by, "value": value}, services=kit)
        assert outcome.outputs == {
            "id": "7",
            "name": "王芳",
            "level": "gold",
            "language": "",
            "fields": {"points": 120},
        }
        assert outcome.customer is not None and outcome.customer["name"] == "王芳"


async def test_the_card_number_travels_sealed() -> None:
    kit = services()
    outcome = await run_node(Find(), {"value": "13800138000"}, services=kit)
    assert outcome.customer is not None and "6222" not in str(outcome)
    assert kit.secrets.reveal(outcome.customer["card"]) == "6222"


async def test_no_value_is_not_found() -> None:
    for value in (None, "", " "):
        outcome = await run_node(Find(), {"value": value}, services=services())
        assert outcome.port == "not_found" and outcome.customer is None
