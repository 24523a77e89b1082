from nodes.queue.agent import ToAgent
from nodes.sdk.queue_double import MemoryQueues, QueueAgent
from nodes.sdk.testing import Example, MemoryServices, ScriptedCall, run_node
from telephony.call import Talk, TransferTarget

CONFIG = {"agent": "8001"}


def services(*agents: QueueAgent) -> MemoryServices:
    return MemoryServices(queues=MemoryQueues(*agents))


EXAMPLES = [
    Example("done", CONFIG),
    Example("timeout", CONFIG, services=lambda: services(QueueAgent(free_after=None))),
    Example("unavailable", {"agent": "last"}, services=services),
    Example(
        "transfer", CONFIG, call=lambda: ScriptedCall(talk=Talk(9.0, "transfer", target=TransferTarget("flow", "pin")))
    ),
    Example("error", {"agent": "nobody"}),
]


async def test_the_named_agent_is_waited_for_and_nobody_else() -> None:
    given = services(QueueAgent("8001", "ann"), QueueAgent("8002", "bob", free_after=30.0))
    outcome = await run_node(ToAgent(), {"agent": "bob"}, services=given)
    assert outcome.port == "done" and outcome.outputs["answered_by"] == "bob" and outcome.outputs["waited"] >= 30


async def test_a_caller_handed_to_a_queue_or_a_flow_is_told_where_to_go() -> None:
    for kind in ("queue", "flow"):
        call = ScriptedCall(talk=Talk(9.0, "transfer", target=TransferTarget(kind, "x")))
        outcome = await run_node(ToAgent(), CONFIG, call=call, services=services(QueueAgent("8001", "ann")))
        assert (outcome.port, outcome.outputs["target"]) == ("transfer", "x")
        assert outcome.hand_over == {"kind": kind, "key": "x"}


async def test_a_named_agent_who_does_not_answer_is_waited_for_no_longer_than_told() -> None:
    given = services(QueueAgent("8001", "ann"))
    outcome = await run_node(ToAgent(), CONFIG, call=ScriptedCall(legs=["no_answer"]), services=given)
    assert outcome.port == "timeout" and given.queues.log == ["enter 8001", "no_answer", "leave timeout"]
