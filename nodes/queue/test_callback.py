from nodes.queue.callback import CallBack
from nodes.sdk.queue_double import MemoryQueues
from nodes.sdk.testing import Example, MemoryServices, ScriptedCall, run_node

CONFIG = {"queue": "hotline", "number": "13900000000"}

EXAMPLES = [
    Example("kept", CONFIG),
    Example("refused", {"queue": "hotline"}),
    Example("error", {"queue": "nowhere", "number": "1390000"}, services=lambda: _only_hotline()),
]


def _only_hotline() -> MemoryServices:
    return MemoryServices(queues=MemoryQueues(queues=["hotline"]))


async def test_the_callers_own_number_is_kept_even_when_nobody_is_signed_in() -> None:
    given = _only_hotline()
    outcome = await run_node(CallBack(), {"queue": "hotline"}, call=ScriptedCall(caller="13800138000"), services=given)
    assert outcome.port == "kept" and outcome.outputs["number"] == "13800138000"
    (place,) = given.queues.places.values()
    assert place.ask.callback == "13800138000" and place.ask.call_id == "test-call"


async def test_running_again_keeps_one_call_back() -> None:
    given = _only_hotline()
    for _ in range(2):
        await run_node(CallBack(), CONFIG, services=given)
    assert len(given.queues.places) == 1


async def test_a_full_queue_refuses() -> None:
    given = MemoryServices(queues=MemoryQueues(full=True))
    assert (await run_node(CallBack(), CONFIG, services=given)).port == "refused"
