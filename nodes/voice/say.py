"""Say something to the caller."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import NodeMeta, Output, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import ALL_KEYS, Line, VoiceNode


class SayConfig(NodeConfig):
    prompt: Prompt = field(
        title=text("播报内容", "Prompt"),
        help=text("来电者听到的内容", "What the caller hears"),
        widget="prompt",
    )
    interruptible: bool = field(
        True,
        title=text("可打断", "Can be interrupted"),
        help=text(
            "按任意键停止播报，该键留给下一个节点",
            "Any key stops it, and the key counts for the next node",
        ),
        widget="switch",
    )
    repeat: int = field(
        1,
        title=text("播报次数", "Times"),
        help=text("连续播报几遍", "How many times it is said"),
        widget="number",
        ge=1,
        le=10,
    )


class Say(VoiceNode[SayConfig]):
    """Say a prompt, once or several times."""

    Config = SayConfig
    meta = NodeMeta(
        type="voice.say",
        family="voice",
        icon="volume-2",
        runs=Runs.ON_CALL,
        title=text("播报", "Say"),
        help=text("播放文本、录音和数值", "Plays texts, recordings and values"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": Prompt.of(zh="您好，欢迎致电。", en="Hello and welcome.").model_dump()
    }

    def outputs(self, config: SayConfig) -> Sequence[Output]:
        return [Output(name="key", type="string", title=text("打断的按键", "Key that interrupted it"))]

    async def talk(self, line: Line, config: SayConfig) -> Outcome:
        keys = ALL_KEYS if config.interruptible else frozenset[str]()
        for _ in range(config.repeat):
            key = await line.say(config.prompt, keys=keys, keep_key=config.interruptible)
            if key is not None:
                return Outcome(port="next", outputs={"key": key})
        return Outcome(port="next", outputs={"key": ""})
