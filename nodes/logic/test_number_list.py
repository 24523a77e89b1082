from nodes.logic.number_list import NumberList
from nodes.sdk.testing import Example, MemoryLists, MemoryServices, run_node


def services() -> MemoryServices:
    return MemoryServices(lists=MemoryLists(black=["13800138000"]))


EXAMPLES = [
    Example("listed", {"list": "black", "number": "13800138000"}, services=services),
    Example("not_listed", {"list": "black", "number": "13900139000"}, services=services),
    Example("error", {"list": "white", "number": "13800138000"}, services=services),
]


async def test_a_hidden_number_is_in_no_list() -> None:
    for number in (None, "", " "):
        outcome = await run_node(NumberList(), {"list": "black", "number": number}, services=services())
        assert outcome.port == "not_listed"
