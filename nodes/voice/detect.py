"""Find out who or what answered a call that we made."""

from collections.abc import Sequence

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode


class DetectConfig(NodeConfig):
    patience: float = field(
        10,
        title=text("最长时间（秒）", "Longest time (seconds)"),
        help=text("超过后按最可能的结果走", "After this time the likeliest answer counts"),
        widget="duration",
        ge=2,
        le=60,
    )
    wait_for_beep: bool = field(
        False,
        title=text("等待提示音", "Wait for the beep"),
        help=text(
            "是答录机时等到“嘀”声之后再继续，以便留言",
            "A machine’s greeting is awaited to its beep, to leave a message",
        ),
        widget="switch",
    )


class Detect(VoiceNode[DetectConfig]):
    """Listen to the far end of an outgoing call and branch on who or what is there.

    Nothing is said meanwhile. ``unknown`` is silence, or speech that is neither clearly a person nor a machine.
    """

    Config = DetectConfig
    meta = NodeMeta(
        type="voice.detect",
        family="voice",
        icon="scan-search",
        runs=Runs.ON_CALL,
        title=text("识别接听者", "Detect who answered"),
        help=text(
            "辨别真人、答录机、传真、忙音、回铃音与特殊信息音",
            "Tells a person, an answering machine, a fax, busy, ring-back and special information tones apart",
        ),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )

    def ports(self, config: DetectConfig) -> Sequence[Port]:
        return [
            Port(name="person", title=text("真人", "Person")),
            Port(name="machine", title=text("答录机", "Answering machine")),
            Port(name="fax", title=text("传真", "Fax or modem"), required=False),
            Port(name="busy", title=text("忙音", "Busy tone"), required=False),
            Port(name="ringback", title=text("仍在振铃", "Still ringing"), required=False),
            Port(name="unreachable", title=text("无法接通", "Cannot be reached"), required=False),
            Port(name="unknown", title=text("无法判断", "Unknown")),
        ]

    def outputs(self, config: DetectConfig) -> Sequence[Output]:
        return [
            Output(name="kind", type="string", title=text("结果", "What it is")),
            Output(name="confidence", type="number", title=text("可信度", "Confidence, 0 to 1")),
            Output(name="cause", type="string", title=text("依据", "What decided it")),
            Output(name="seconds", type="number", title=text("用时（秒）", "Seconds it took")),
            Output(name="beep", type="boolean", title=text("已听到提示音", "The beep is over")),
        ]

    async def talk(self, line: Line, config: DetectConfig) -> Outcome:
        found = await line.call.detect(max_seconds=config.patience, wait_for_beep=config.wait_for_beep)
        return Outcome(
            port=_PORTS.get(found.kind, "unknown"),
            outputs={
                "kind": found.kind,
                "confidence": found.confidence,
                "cause": found.cause,
                "seconds": round(found.milliseconds / 1000, 2),
                "beep": found.beep,
            },
        )


_PORTS = {
    "person": "person",
    "machine": "machine",
    "fax": "fax",
    "modem": "fax",
    "busy": "busy",
    "ringback": "ringback",
    "sit": "unreachable",
}
