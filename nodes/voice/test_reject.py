from nodes.sdk.testing import Example, ScriptedCall, run_node
from nodes.voice.reject import Reject

EXAMPLES = [Example("next", {"cause": "busy"}, call=lambda: ScriptedCall(answered=False))]


async def test_refuses_with_the_cause() -> None:
    call = ScriptedCall(answered=False)
    await run_node(Reject(), {"cause": "busy"}, call=call)
    assert call.log == ["reject busy"] and call.ended


async def test_hangs_up_what_is_answered_already() -> None:
    call = ScriptedCall(answered=True)
    assert (await run_node(Reject(), call=call)).port == "next"
    assert call.log == ["hang_up"]
