"""Wait for one agent."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.queue.line import OUTPUTS, Stay, Waited, handed_over, outcome, stay_in_line
from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.services import QueueAsk, QueueTurn
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode

LAST = "last"


class AgentConfig(NodeConfig):
    agent: str = field(
        LAST,
        title=text("坐席", "Agent"),
        help=text(
            "坐席账号或分机号，可用模板；last 为本次通话上一位坐席",
            "Sign-in name or extension, may be a template; last is who served this call last",
        ),
        widget="text",
        template=True,
        example="8001",
        min_length=1,
        max_length=200,
    )
    welcome: Prompt = field(
        default_factory=lambda: Prompt.of(zh="正在为您转接，请稍候。", en="One moment, I am connecting you."),
        title=text("转接提示", "Announcement"),
        help=text("等待前播放", "Said before waiting"),
        widget="prompt",
    )
    longest_wait: float = field(
        60,
        title=text("最长等待（秒）", "Longest wait (seconds)"),
        help=text("坐席忙时最多等多久", "How long the caller waits while the agent is busy"),
        widget="duration",
        ge=5,
        le=3600,
    )
    music: str = field(
        "default",
        title=text("音乐", "Music"),
        help=text("音乐文件夹名称；default 为内置", "Name of a music folder; default is built in"),
        widget="text",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
    )
    release_key: str = field(
        "",
        title=text("退出键", "Release key"),
        help=text(
            "通话中来电者按此键结束通话、继续流程；空为无", "Ends the talk and goes on with the flow; empty for none"
        ),
        widget="key",
        pattern=r"^[0-9*#]?$",
    )


class ToAgent(VoiceNode[AgentConfig]):
    """Wait until one agent is free, and talk with them.

    - with ``last`` a caller whom an agent handed to a flow (to key in a PIN, to hear a text) goes back to that agent,
      whose work after the call is cut short for it
    - a caller whom the agent hands to a queue or a flow leaves by ``transfer``; without an edge there the call goes on
      in that queue or flow
    - who is not signed in is ``unavailable``; who stays busy, or does not answer, lets the caller leave by ``timeout``
    """

    Config = AgentConfig
    meta = NodeMeta(
        type="queue.agent",
        family="queue",
        icon="user",
        runs=Runs.ON_CALL,
        title=text("转指定坐席", "To one agent"),
        help=text("等待并接通一位坐席，也可回到上一位坐席", "Waits for one agent, or goes back to the last one"),
        effects=True,
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"agent": "8001"}

    def ports(self, config: AgentConfig) -> Sequence[Port]:
        return [
            Port(name="done", title=text("通话结束", "Served")),
            Port(name="timeout", title=text("等待超时", "Waited too long")),
            Port(name="unavailable", title=text("不在", "Not signed in")),
            Port(name="transfer", title=text("转到队列或流程", "Handed to a queue or a flow"), required=False),
        ]

    def outputs(self, config: AgentConfig) -> Sequence[Output]:
        return OUTPUTS

    async def talk(self, line: Line, config: AgentConfig) -> Outcome:
        await line.say(config.welcome)
        return await self._wait(line, config)

    async def reconcile(self, ctx: Context, config: AgentConfig) -> Outcome | None:
        """As the queue's: everything is found again by the key of the execution."""
        if ctx.maybe_call is None or ctx.call.ended:
            await ctx.services.queues.leave(ctx.key, "abandoned")
            return None
        return await self.guarded(ctx, self._wait(Line(ctx), config))

    async def _wait(self, line: Line, config: AgentConfig) -> Outcome:
        call, ctx = line.call, line.ctx
        ask = QueueAsk(
            call_id=call.id,
            caller=call.caller,
            called=call.called,
            language=ctx.language or call.language,
            agent=config.agent.strip(),
            transferred=config.agent.strip() == LAST,
        )
        ticket = await ctx.services.queues.enter(ask, key=ctx.key)
        if ticket.refused:
            return outcome("unavailable", line)
        stay = Stay(line, ctx.key, music=config.music, release_key=config.release_key)
        came = await stay_in_line(
            stay,
            stay.wait(keys=frozenset(), longest=config.longest_wait, due=_never, say=_nothing),
        )
        if isinstance(came, Waited):
            await stay.left("timeout")
            return outcome("timeout", line)
        if came.target is not None:
            return handed_over(came, line)
        return outcome("done", line)


def _never(waited: float) -> float:
    return float("inf")


async def _nothing(turn: QueueTurn) -> str | None:
    return None
