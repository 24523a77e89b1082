from nodes.messaging.sms import Sms
from nodes.sdk.testing import Example, MemoryServices, context, run_node

HELLO = {"to": " 13800138000 ", "text": "您好"}
EXAMPLES = [
    Example("next", HELLO),
    Example("error", {"to": "", "text": "您好"}),
    Example("error", {"to": "1", "text": " "}),
]


async def test_sends_once_for_each_execution() -> None:
    kit = MemoryServices()
    first = await run_node(Sms(), HELLO, services=kit, step=1)
    again = await run_node(Sms(), HELLO, services=kit, step=1)
    await run_node(Sms(), HELLO, services=kit, step=2)
    assert first.outputs == again.outputs == {"message": "message-1"}
    assert [(sent.to, sent.text) for sent in kit.messages.outbox.values()] == [(("13800138000",), "您好")] * 2


async def test_after_a_crash_the_first_message_is_found() -> None:
    kit = MemoryServices()
    first = await run_node(Sms(), HELLO, services=kit)
    node = Sms()
    found = await node.reconcile(context(node, services=kit), node.Config.model_validate(HELLO))
    assert found is not None and found.outputs == first.outputs and len(kit.messages.outbox) == 1
