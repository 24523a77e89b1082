import pytest
from pydantic import ValidationError

from nodes.sdk.services import Customer
from nodes.sdk.testing import SILENT, Example, MemoryCustomers, MemoryServices, ScriptedCall, run_node
from nodes.voice.language import Language

EXAMPLES = [
    Example("next", call=lambda: ScriptedCall("2")),
    Example("timeout", call=lambda: ScriptedCall(SILENT, "7")),
]


async def test_each_language_is_offered_in_itself_and_the_choice_holds() -> None:
    call = ScriptedCall("2")
    outcome = await run_node(Language(), call=call)
    assert outcome.said == ["中文服务请按1。", "For English, press 2."]
    assert outcome.call == {"language": "en"} and call.language == "en"


async def test_a_known_language_is_not_asked_for() -> None:
    outcome = await run_node(Language(), {"known": "en"})
    assert outcome.call == {"language": "en"} and outcome.said == []
    assert (await run_node(Language(), {"known": "fr"})).port == "timeout"


async def test_the_choice_is_remembered_with_the_customer() -> None:
    services = MemoryServices(customers=MemoryCustomers(Customer(id="7")))
    await run_node(Language(), {"remember_for": "7"}, call=ScriptedCall("2"), services=services)
    assert services.customers.records["7"].language == "en"


async def test_a_wrong_key_is_asked_again() -> None:
    assert (await run_node(Language(), call=ScriptedCall("5", "1"))).call == {"language": "zh"}


def test_keys_are_unique() -> None:
    same = [{"key": "1", "language": "zh"}, {"key": "1", "language": "en"}]
    with pytest.raises(ValidationError, match="once"):
        Language.Config.model_validate({"choices": same})
