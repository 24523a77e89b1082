from nodes.sdk.testing import Example, ScriptedCall, run_node
from nodes.voice.answer import Answer

EXAMPLES = [Example("next", call=lambda: ScriptedCall(answered=False))]


async def test_answers_once() -> None:
    call = ScriptedCall(answered=False)
    assert (await run_node(Answer(), call=call)).port == "next"
    assert call.answered and call.log == ["answer"]
