from nodes.customer.verify_pin import VerifyPin
from nodes.sdk.outcome import Outcome
from nodes.sdk.services import Customer
from nodes.sdk.testing import Example, MemoryCustomers, MemoryServices, run_node


def services() -> MemoryServices:
    return MemoryServices(customers=MemoryCustomers(Customer(id="7", name="王芳", card="6222"), pins={"6222": "1234"}))


EXAMPLES = [
    Example("ok", {"card": "6222", "pin": "1234"}, services=services),
    Example("wrong", {"card": "6222", "pin": "9999"}, services=services),
    Example("locked", {"card": "6222", "pin": "9999", "tries": 1}, services=services),
    Example("unknown", {"card": "1", "pin": "1234"}, services=services),
]


async def verify(kit: MemoryServices, pin: str, step: int) -> Outcome:
    return await run_node(VerifyPin(), {"card": "6222", "pin": pin}, services=kit, step=step)


async def test_the_right_pin_makes_the_holder_the_customer() -> None:
    outcome = await verify(services(), "1234", 1)
    assert outcome.port == "ok" and outcome.customer is not None and outcome.customer["id"] == "7"


async def test_wrong_pins_in_a_row_lock_the_card_even_for_the_right_one() -> None:
    kit = services()
    found = [await verify(kit, "0000", step) for step in range(3)]
    assert [(o.port, o.outputs["left"]) for o in found] == [("wrong", 2), ("wrong", 1), ("locked", 0)]
    assert (await verify(kit, "1234", 3)).port == "locked"
    assert found[0].customer is None


async def test_a_retry_of_the_same_execution_never_counts_twice() -> None:
    kit = services()
    for _ in range(5):
        assert (await verify(kit, "0000", 1)).outputs == {"left": 2}


async def test_a_right_pin_forgives_the_wrong_ones() -> None:
    kit = services()
    pins = ["0000", "0000", "1234", "0000", "0000", "1234"]
    assert [(await verify(kit, pin, step)).port for step, pin in enumerate(pins)][-1] == "ok"


async def test_the_pin_is_marked_secret() -> None:
    properties = VerifyPin.Config.model_json_schema()["properties"]
    assert properties["pin"]["x-secret"] is True and properties["card"]["x-secret"] is True
