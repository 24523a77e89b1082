"""Send a text message."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text


class SmsConfig(NodeConfig):
    to: str = field(
        title=text("收信号码", "To"),
        help=text("手机号码，可用模板", "Mobile number; may be a template"),
        widget="phone",
        template=True,
        example="{{ call.caller }}",
        max_length=200,
    )
    text: str = field(
        title=text("内容", "Text"),
        help=text("短信内容，可用模板", "The message; may be a template"),
        widget="textarea",
        template=True,
        example="您好 Hello {{ customer.name }}",
        max_length=2000,
    )


class Sms(Node[SmsConfig]):
    """Send an SMS, once whatever happens."""

    Config = SmsConfig
    meta = NodeMeta(
        type="messaging.sms",
        family="messaging",
        icon="message-square",
        runs=Runs.ACTIVITY,
        title=text("发短信", "Send SMS"),
        help=text("发送一条短信", "Sends a text message"),
        effects=True,
    )
    example: ClassVar[Mapping[str, Any]] = {"to": "{{ call.caller }}", "text": "您好 Hello"}

    def outputs(self, config: SmsConfig) -> Sequence[Output]:
        return [Output(name="message", type="string", title=text("消息编号", "Id of the message"))]

    async def run(self, ctx: Context, config: SmsConfig) -> Outcome:
        to, body = config.to.strip(), config.text.strip()
        if not to:
            raise NodeError("bad_number", "to: there is no number to send to")
        if not body:
            raise NodeError("empty_message", "text: the message is empty")
        message = await ctx.services.messages.send_sms(to=to, text=body, key=ctx.key, run_id=ctx.run_id)
        return Outcome(port="next", outputs={"message": message})

    async def reconcile(self, ctx: Context, config: SmsConfig) -> Outcome | None:
        """The outbox knows the key: sending again finds the first message."""
        return await self.run(ctx, config)
