"""Dial another party and connect the caller."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode
from telephony.call import DialResult
from telephony.errors import DriverError, HungUp


class DialConfig(NodeConfig):
    number: str = field(
        title=text("号码", "Number"),
        help=text("分机或外线号码，可用模板", "Extension or outside number; may be a template"),
        widget="phone",
        template=True,
        example="8001",
        min_length=1,
        max_length=200,
    )
    ring_seconds: float = field(
        30,
        title=text("振铃时间（秒）", "Ring time (seconds)"),
        help=text("超过此时间算无人接听", "After this time it counts as no answer"),
        widget="duration",
        ge=3,
        le=180,
    )
    caller_id: str = field(
        "",
        title=text("主叫号码", "Caller id"),
        help=text(
            "对方看到的号码；空为本企业号码", "The number that the other party sees; empty for the business’s own"
        ),
        widget="phone",
        template=True,
        max_length=200,
    )
    announcement: Prompt = field(
        default_factory=lambda: Prompt.of(zh="正在为您转接，请稍候。", en="One moment, I am connecting you."),
        title=text("转接提示", "Announcement"),
        help=text("拨号前播放给来电者", "Said to the caller before dialling"),
        widget="prompt",
    )
    only_people: bool = field(
        False,
        title=text("仅接通真人", "Connect people only"),
        help=text(
            "接通前辨别真人、答录机与传真；约需两秒，来电者继续听回铃音",
            "Tells a person from a machine and a fax before connecting; takes about two seconds of ringing more",
        ),
        widget="switch",
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


class Dial(VoiceNode[DialConfig]):
    """Dial, connect, and go on when the talk is over.

    - the leg's id comes from the execution, so a retry finds the leg instead of dialling again
    - a refused call counts as busy
    - a caller whom the other party hands to a queue or a flow leaves by ``transfer``; without an edge there the call
      goes on in that queue or flow
    - the caller's hang-up ends the leg too
    """

    Config = DialConfig
    meta = NodeMeta(
        type="voice.dial",
        family="voice",
        icon="phone-forwarded",
        runs=Runs.ON_CALL,
        title=text("拨号并接通", "Dial and connect"),
        help=text("呼叫分机或外线并与来电者接通", "Rings an extension or outside number and connects the caller"),
        effects=True,
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"number": "8001"}

    def ports(self, config: DialConfig) -> Sequence[Port]:
        ports = [
            Port(name="done", title=text("通话结束", "Talk ended")),
            Port(name="busy", title=text("忙", "Busy")),
            Port(name="no_answer", title=text("无人接听", "No answer")),
            Port(name="failed", title=text("失败", "Failed")),
            Port(name="transfer", title=text("转到队列或流程", "Handed to a queue or a flow"), required=False),
        ]
        if config.only_people:
            ports.insert(1, Port(name="machine", title=text("答录机或传真", "Machine or fax")))
        return ports

    def outputs(self, config: DialConfig) -> Sequence[Output]:
        screened = [Output(name="answered_by", type="string", title=text("接听者", "Answered by"))]
        return [
            *(screened if config.only_people else []),
            Output(name="result", type="string", title=text("结果", "Result")),
            Output(name="seconds", type="number", title=text("通话秒数", "Seconds talked")),
            Output(name="ended_by", type="string", title=text("谁结束", "Who ended it")),
            Output(name="sip_code", type="number", title=text("SIP 代码", "SIP code")),
            Output(
                name="transfer_kind", type="string", title=text("转出类型：queue 或 flow", "Handed to: queue or flow")
            ),
            Output(name="transfer_to", type="string", title=text("转出目标", "Handed to which")),
        ]

    async def talk(self, line: Line, config: DialConfig) -> Outcome:
        destination = await line.ctx.services.telephones.destination(config.number.strip())
        await line.say(config.announcement)
        return await self._dial(line, config, destination)

    async def reconcile(self, ctx: Context, config: DialConfig) -> Outcome | None:
        """Join the leg again when it is still there; a leg that is gone may have been answered, nobody knows."""
        if ctx.maybe_call is None or ctx.call.ended:
            return None
        line = Line(ctx)
        match await ctx.call.leg(_leg(ctx)):
            case "up":
                return await self.guarded(ctx, self._connected(line, config, 200))
            case "ringing":
                destination = await ctx.services.telephones.destination(config.number.strip())
                return await self.guarded(ctx, self._dial(line, config, destination))
            case "gone":
                return None

    async def _dial(self, line: Line, config: DialConfig, destination: str) -> Outcome:
        ctx = line.ctx
        caller_id = config.caller_id.strip() or await ctx.services.telephones.caller_id(destination)
        ctx.partial["result"] = "cancelled"
        dialled: DialResult = await line.call.dial(
            _leg(ctx), destination, caller_id=caller_id, ring_seconds=config.ring_seconds
        )
        if dialled.result == "answered":
            if config.only_people and (refused := await self._screened(line, dialled)) is not None:
                return refused
            return await self._connected(line, config, dialled.sip_code)
        port = "busy" if dialled.result == "rejected" else dialled.result
        return Outcome(port=port, outputs={"result": dialled.result, "seconds": 0.0, "sip_code": dialled.sip_code})

    async def _screened(self, line: Line, dialled: DialResult) -> Outcome | None:
        """Find out who answered; the outcome when that is nobody to talk with. In doubt it is a person."""
        leg, partial = _leg(line.ctx), line.ctx.partial
        try:
            found = await line.call.detect(leg, max_seconds=_SCREENING_SECONDS)
        except DriverError as error:
            if error.reason != "not_found":
                raise
            # They hung up while we listened.
            return Outcome(port="no_answer", outputs={"result": "no_answer", "seconds": 0.0, "sip_code": 200})
        partial["answered_by"] = found.kind
        if found.kind in _PEOPLE:
            return None
        await line.call.hang_up_leg(leg)
        port = _PORTS.get(found.kind, "machine")
        return Outcome(port=port, outputs={**partial, "result": port, "seconds": 0.0, "sip_code": dialled.sip_code})

    async def _connected(self, line: Line, config: DialConfig, sip_code: int) -> Outcome:
        clock = asyncio.get_running_loop()
        began = clock.time()
        partial = line.ctx.partial
        partial.update(result="answered", sip_code=sip_code)
        try:
            talk = await line.call.talk(_leg(line.ctx), release_key=config.release_key or None)
        except HungUp:
            partial.update(seconds=round(clock.time() - began, 1), ended_by="caller")
            raise
        partial.update(seconds=talk.seconds, ended_by=talk.ended_by)
        if talk.target is not None:
            kind, key = talk.target.kind, talk.target.key
            partial.update(transfer_kind=kind, transfer_to=key)
            return Outcome(port="transfer", outputs=dict(partial), hand_over={"kind": kind, "key": key})
        if talk.ended_by == "caller":
            raise HungUp
        return Outcome(port="done", outputs=dict(partial))


_SCREENING_SECONDS = 8.0
_PEOPLE = frozenset({"person", "unsure", "silence"})
_PORTS = {"busy": "busy", "ringback": "no_answer", "sit": "failed"}


def _leg(ctx: Context) -> str:
    return f"{ctx.key}-leg"
