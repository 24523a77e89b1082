"""Call somebody from a flow that has no call."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import model_validator

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs, WaitFor, Woken
from nodes.sdk.outcome import HANGUP, Outcome
from nodes.sdk.services import PlacedCall
from nodes.sdk.text import text

LONGEST = 6 * 3600.0
_PORTS = {"answered": "answered", "busy": "busy", "no_answer": "no_answer"}


class CallOutConfig(NodeConfig):
    number: str = field(
        title=text("号码", "Number"),
        help=text("要呼叫的号码，可用模板", "Whom to call; may be a template"),
        widget="phone",
        template=True,
        example="{{ vars.caller }}",
        min_length=1,
        max_length=200,
    )
    connect: str = field(
        "",
        title=text("接通到", "Connect with"),
        help=text(
            "接听后接通的分机或号码，可用模板；与“通话流程”二选一",
            "Extension or number that the answered call is connected with; may be a template; or give a call flow",
        ),
        widget="phone",
        template=True,
        example="8001",
        max_length=200,
    )
    flow: str = field(
        "",
        title=text("通话流程", "Call flow"),
        help=text(
            "接听后进入的语音流程（如播报、进入队列），可用模板",
            "IVR flow that whoever answers walks (to hear something, to enter a queue); may be a template",
        ),
        widget="flow",
        template=True,
        max_length=200,
    )
    caller_id: str = field(
        "",
        title=text("主叫号码", "Caller id"),
        help=text("对方看到的号码；空为本企业号码", "The number they see; empty for the business’s own"),
        widget="phone",
        template=True,
        max_length=200,
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> "CallOutConfig":
        if bool(self.connect.strip()) == bool(self.flow.strip()):
            raise ValueError("connect: give a number to connect with, or a call flow, and not both")
        return self


class CallOut(Node[CallOutConfig]):
    """Place a call and go on when it is over.

    - ``answered``: somebody took it and was connected or walked the flow; ``nodes.<id>.seconds`` is how long
    - a retry finds the call that it placed before; nobody is called twice
    """

    Config = CallOutConfig
    meta = NodeMeta(
        type="voice.call_out",
        family="voice",
        icon="phone-outgoing",
        runs=Runs.ACTIVITY,
        title=text("外呼并接通", "Call out"),
        help=text(
            "呼叫一个号码，接听后接通分机或进入语音流程", "Calls a number; who answers is connected or walks a flow"
        ),
        effects=True,
        kinds=("callback", "ticket", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"number": "{{ vars.caller }}", "connect": "8001"}

    def ports(self, config: CallOutConfig) -> Sequence[Port]:
        return [
            Port(name="answered", title=text("已接听", "Answered")),
            Port(name="busy", title=text("忙", "Busy")),
            Port(name="no_answer", title=text("无人接听", "No answer")),
            Port(name="failed", title=text("失败", "Failed")),
        ]

    def outputs(self, config: CallOutConfig) -> Sequence[Output]:
        return [
            Output(name="call", type="string", title=text("通话编号", "Id of the call")),
            Output(name="result", type="string", title=text("结果", "Result")),
            Output(name="seconds", type="number", title=text("通话秒数", "Seconds talked")),
            Output(name="outcome", type="string", title=text("流程结果", "How the call flow ended")),
        ]

    async def run(self, ctx: Context, config: CallOutConfig) -> Outcome:
        placed = await ctx.services.dialler.call(
            number=config.number.strip(),
            connect=config.connect.strip(),
            flow=config.flow.strip(),
            caller_id=config.caller_id.strip(),
            key=ctx.key,
            run_id=ctx.run_id,
        )
        if placed.result:
            return _over(placed)
        wait = WaitFor(seconds=LONGEST, signal=f"call.{placed.call_id}", memory={"call": placed.call_id})
        return Outcome.waiting(wait)

    async def reconcile(self, ctx: Context, config: CallOutConfig) -> Outcome | None:
        """The dialler knows the call by its key."""
        return await self.run(ctx, config)

    def resume(self, scope: FlowScope, config: CallOutConfig, woken: Woken) -> Outcome:
        told = {"result": "failed", "seconds": 0.0, "outcome": "", **woken.data, "call_id": woken.memory["call"]}
        outcome = _over(PlacedCall.model_validate({name: told[name] for name in PlacedCall.model_fields}))
        return outcome.model_copy(update={"port": HANGUP}) if woken.by == "hangup" else outcome


def _over(placed: PlacedCall) -> Outcome:
    outputs = {
        "call": placed.call_id,
        "result": placed.result,
        "seconds": placed.seconds,
        "outcome": placed.outcome,
    }
    return Outcome(port=_PORTS.get(placed.result, "failed"), outputs=outputs)
