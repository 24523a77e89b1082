from nodes.sdk.testing import Example, ScriptedCall, run_node
from nodes.voice.hangup import Hangup

EXAMPLES = [Example("next")]


async def test_ends_the_call() -> None:
    call = ScriptedCall()
    assert (await run_node(Hangup(), call=call)).port == "next"
    assert call.ended
