from nodes.customer.update import Update
from nodes.sdk.services import Customer
from nodes.sdk.testing import Example, MemoryCustomers, MemoryServices, run_node


def services() -> MemoryServices:
    return MemoryServices(customers=MemoryCustomers(Customer(id="7", name="王芳"), fields=["points"]))


EXAMPLES = [
    Example("next", {"customer": "7", "changes": {"level": "gold"}}, services=services),
    Example("error", {"customer": "8", "changes": {"level": "gold"}}, services=services),
]


async def test_sets_fields_and_tells_the_new_record() -> None:
    kit = services()
    for _ in range(2):
        outcome = await run_node(Update(), {"customer": "7", "changes": {"level": "gold", "points": 5}}, services=kit)
        assert outcome.outputs["level"] == "gold" and outcome.outputs["fields"] == {"points": 5}
        assert outcome.customer is not None and outcome.customer["level"] == "gold"
    assert kit.customers.records["7"].name == "王芳"


async def test_mistakes_are_errors_with_a_reason() -> None:
    kit = services()
    outcome = await run_node(Update(), {"customer": None, "changes": {"level": "x"}}, services=kit)
    assert outcome.outputs == {"error": "not_found"}
    outcome = await run_node(Update(), {"customer": "7", "changes": {"shoe": 42}}, services=kit)
    assert outcome.outputs == {"error": "bad_field"}
