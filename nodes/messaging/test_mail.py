import pytest

from nodes.messaging.mail import Mail
from nodes.sdk.testing import Example, MemoryServices, context, run_node

HELLO = {"to": ["a@example.com", " b@example.com"], "subject": "来电\r\nBcc: x@example.com", "body": "正文"}
EXAMPLES = [Example("next", HELLO), Example("error", {**HELLO, "to": ["nobody"]})]


async def test_sends_to_all_once_and_without_forged_headers() -> None:
    kit = MemoryServices()
    first = await run_node(Mail(), HELLO, services=kit)
    node = Mail()
    again = await node.reconcile(context(node, services=kit), node.Config.model_validate(HELLO))
    assert again is not None and again.outputs == first.outputs
    [mail] = kit.messages.outbox.values()
    assert mail.to == ("a@example.com", "b@example.com") and mail.html is None
    assert mail.subject == "来电 Bcc: x@example.com"


@pytest.mark.parametrize("to", [[""], ["nobody"], ["a@example.com, b@example.com"], ["a@b\nBcc: c@d"]])
async def test_bad_addresses_are_errors_before_anything_is_sent(to: list[str]) -> None:
    kit = MemoryServices()
    outcome = await run_node(Mail(), {**HELLO, "to": to}, services=kit)
    assert outcome.outputs == {"error": "bad_address"} and not kit.messages.outbox
