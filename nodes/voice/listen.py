"""Ask a question and understand the spoken answer."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import NEXT, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode
from nodes.voice.menu import Words


class ListenConfig(NodeConfig):
    prompt: Prompt = field(
        title=text("提问", "Question"),
        help=text("播放后等待来电者说话", "Said before the caller speaks"),
        widget="prompt",
    )
    expected: Words = field(
        default_factory=dict,
        title=text("预期的词", "Expected words"),
        help=text(
            "按语言填写；只在这些词中识别，更准确。空为识别任何话",
            "One list per language; only these are recognised, which is more accurate. Empty understands anything",
        ),
        widget="words",
        example={"zh": ["北京", "上海"], "en": ["Beijing", "Shanghai"]},
    )
    timeout: float = field(
        5,
        title=text("等待说话（秒）", "Wait for speech (seconds)"),
        help=text("播报结束后等待来电者开口的时间", "Time for the first word after the prompt has ended"),
        widget="duration",
        ge=1,
        lt=60,
    )
    pause: float = field(
        1,
        title=text("停顿（秒）", "Pause (seconds)"),
        help=text("停顿这么久即认为说完", "A pause of this length ends the answer"),
        widget="duration",
        ge=0.3,
        le=5,
    )
    longest: float = field(
        20,
        title=text("最长回答（秒）", "Longest answer (seconds)"),
        help=text("超过即停止识别", "The answer is cut after this time"),
        widget="duration",
        ge=2,
        le=120,
    )
    tries: int = field(
        2,
        title=text("尝试次数", "Tries"),
        help=text("没听到或没听懂时最多问几次", "How often the question is asked"),
        widget="number",
        ge=1,
        le=9,
    )
    interruptible: bool = field(
        True,
        title=text("可打断", "Can be interrupted"),
        help=text("播报时说话即停止播报", "Speaking stops the prompt"),
        widget="switch",
    )
    again_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="对不起，我没有听清。", en="I am sorry, I did not understand."),
        title=text("重问提示", "Prompt before asking again"),
        help=text("没听到或没听懂、再次提问前播放", "Said before the question is asked again"),
        widget="prompt",
    )


class Listen(VoiceNode[ListenConfig]):
    """Ask a question and understand the spoken answer.

    - ``silence`` when nobody spoke, ``no_match`` when the words were none of those expected or not understood,
      whichever came last after all tries
    - a language without a language pack leaves by ``error`` with the reason ``no_language_pack``
    """

    Config = ListenConfig
    meta = NodeMeta(
        type="voice.listen",
        family="voice",
        icon="mic",
        runs=Runs.ON_CALL,
        title=text("听取回答", "Listen"),
        help=text("提问并识别来电者说的话", "Asks a question and recognises what the caller says"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": Prompt.of(zh="请问您在哪个城市？", en="Which city are you in?").model_dump(),
    }

    def ports(self, config: ListenConfig) -> Sequence[Port]:
        return [
            NEXT,
            Port(name="silence", title=text("没有说话", "Silence"), required=False),
            Port(name="no_match", title=text("没有听懂", "No match"), required=False),
        ]

    def outputs(self, config: ListenConfig) -> Sequence[Output]:
        return [
            Output(name="words", type="string", title=text("听到的话", "Words heard")),
            Output(name="confidence", type="number", title=text("可信度", "Confidence, 0 to 1")),
            Output(name="tries", type="number", title=text("尝试次数", "Tries used")),
        ]

    async def talk(self, line: Line, config: ListenConfig) -> Outcome:
        before, port = Prompt(), "silence"
        for attempt in range(1, config.tries + 1):
            line.ctx.partial.update(words="", confidence=0.0, tries=attempt)
            said = await line.answer(
                before,
                config.prompt,
                phrases=line.words_of(config.expected),
                timeout=config.timeout,
                pause=config.pause,
                longest=config.longest,
                interruptible=config.interruptible,
                keys=frozenset(),
            )
            port = "no_match" if said.ended_by == "speech" else "silence"
            if said.words:
                line.ctx.partial.update(words=said.words, confidence=round(said.confidence, 2))
                port = "next"
                break
            before = config.again_prompt
        return Outcome(port=port, outputs=dict(line.ctx.partial))
