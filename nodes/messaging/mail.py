"""Send an e-mail."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text

ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


class MailConfig(NodeConfig):
    to: list[Annotated[str, Field(max_length=500)]] = field(
        title=text("收件人", "To"),
        help=text("邮箱地址，可用模板", "Mail addresses; may be templates"),
        widget="template",
        template=True,
        example=["service@example.com"],
        min_length=1,
        max_length=50,
    )
    subject: str = field(
        title=text("主题", "Subject"),
        help=text("邮件主题，可用模板", "Subject; may be a template"),
        widget="template",
        template=True,
        max_length=500,
    )
    body: str = field(
        title=text("正文", "Body"),
        help=text("纯文本正文，可用模板", "The plain text; may be a template"),
        widget="textarea",
        template=True,
        max_length=100_000,
    )
    html: str = field(
        "",
        title=text("网页正文", "HTML"),
        help=text(
            "HTML 正文，可用模板；空为只发纯文本", "HTML version; may be a template. Empty sends plain text only"
        ),
        widget="textarea",
        template=True,
        max_length=200_000,
    )


class Mail(Node[MailConfig]):
    """Send a mail, once whatever happens."""

    Config = MailConfig
    meta = NodeMeta(
        type="messaging.mail",
        family="messaging",
        icon="mail",
        runs=Runs.ACTIVITY,
        title=text("发邮件", "Send mail"),
        help=text("发送一封邮件", "Sends an e-mail"),
        effects=True,
    )
    example: ClassVar[Mapping[str, Any]] = {
        "to": ["service@example.com"],
        "subject": "来电 Call",
        "body": "{{ call.caller }}",
    }

    def outputs(self, config: MailConfig) -> Sequence[Output]:
        return [Output(name="message", type="string", title=text("消息编号", "Id of the message"))]

    async def run(self, ctx: Context, config: MailConfig) -> Outcome:
        to = [address.strip() for address in config.to if address.strip()]
        if not to:
            raise NodeError("bad_address", "to: there is no address to send to")
        for address in to:
            if not ADDRESS.fullmatch(address):
                raise NodeError("bad_address", f"to: {address!r} is no mail address")
        # A line break in the subject would let a value add headers of its own.
        subject = " ".join(config.subject.split())
        message = await ctx.services.messages.send_mail(
            to=to,
            subject=subject,
            text=config.body,
            html=config.html or None,
            attachments=(),
            key=ctx.key,
            run_id=ctx.run_id,
        )
        return Outcome(port="next", outputs={"message": message})

    async def reconcile(self, ctx: Context, config: MailConfig) -> Outcome | None:
        """The outbox knows the key: sending again finds the first message."""
        return await self.run(ctx, config)
