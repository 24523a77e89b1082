"""Let the caller choose a language."""

from collections.abc import Sequence
from typing import Any, Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.node import NEXT, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt, TextPart
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode


class LanguageChoice(NodeConfig):
    key: str = field(
        title=text("按键", "Key"),
        help=text("选择此语言的键", "The key that chooses the language"),
        widget="key",
        example="1",
        pattern=r"^[0-9*#]$",
    )
    language: str = field(
        title=text("语言", "Language"),
        help=text("语言代码，如 zh、en、ko", "Language tag such as zh, en or ko"),
        widget="language",
        example="zh",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    )


class LanguageConfig(NodeConfig):
    prompt: Prompt = field(
        default_factory=lambda: Prompt(
            parts=[
                TextPart(text={"zh": "中文服务请按1。"}),
                TextPart(text={"en": "For English, press 2."}),
            ]
        ),
        title=text("提示语音", "Prompt"),
        help=text("每种语言一段，各用各的语言播报", "One part a language, each said in its own language"),
        widget="prompt",
    )
    choices: list[LanguageChoice] = field(
        default_factory=lambda: [LanguageChoice(key="1", language="zh"), LanguageChoice(key="2", language="en")],
        title=text("选项", "Choices"),
        help=text("按键对应的语言", "Which key chooses which language"),
        widget="languages",
        unique=["key"],
        min_length=1,
        max_length=12,
    )
    tries: int = field(
        2,
        title=text("尝试次数", "Tries"),
        help=text("无效或超时最多允许几次", "How often the caller may try"),
        widget="number",
        ge=1,
        le=9,
    )
    timeout: float = field(
        5,
        title=text("等待按键（秒）", "Wait for a key (seconds)"),
        help=text("播报结束后等待按键的时间", "Time for a key after the prompt has ended"),
        widget="duration",
        ge=1,
        lt=60,
    )
    known: Any = field(
        None,
        title=text("已知语言", "Language already known"),
        help=text(
            "表达式；若得出某个选项的语言则不再询问",
            "An expression; when it gives the language of a choice, the caller is not asked",
        ),
        widget="expression",
        expression=True,
        example="customer.language",
    )
    remember_for: Any = field(
        None,
        title=text("记住到客户", "Remember for customer"),
        help=text(
            "表达式，给出客户编号；选择的语言存入该客户，空为不保存",
            "An expression giving a customer’s id; the choice is stored with that customer. Empty stores nothing",
        ),
        widget="expression",
        expression=True,
        example="customer.id",
    )

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        keys = [choice.key for choice in self.choices]
        if len(set(keys)) < len(keys):
            raise FieldError(
                "choices", "每个按键只能用一次，请改用另一个键", "each key may be used once: choose another"
            )
        return self


class Language(VoiceNode[LanguageConfig]):
    """Ask for a language and speak it from now on. ``timeout`` keeps the language as it was."""

    Config = LanguageConfig
    meta = NodeMeta(
        type="voice.language",
        family="voice",
        icon="languages",
        runs=Runs.ON_CALL,
        title=text("选择语言", "Choose language"),
        help=text("来电者选择语言，之后的播报都用该语言", "The caller chooses a language for all that follows"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )

    def ports(self, config: LanguageConfig) -> Sequence[Port]:
        return [NEXT, Port(name="timeout", title=text("未选择", "No choice"), required=False)]

    def outputs(self, config: LanguageConfig) -> Sequence[Output]:
        return [Output(name="language", type="string", title=text("语言", "Language"))]

    async def talk(self, line: Line, config: LanguageConfig) -> Outcome:
        by_key = {choice.key: choice.language for choice in config.choices}
        if config.known in by_key.values():
            return self._chosen(line, str(config.known))
        for _ in range(config.tries):
            key = await line.key(config.prompt, timeout=config.timeout, own=frozenset(by_key))
            if key in by_key:
                chosen = by_key[str(key)]
                if config.remember_for:
                    await line.ctx.services.customers.update(str(config.remember_for), {"language": chosen})
                return self._chosen(line, chosen)
        return Outcome(port="timeout", outputs={"language": line.ctx.language})

    def _chosen(self, line: Line, language: str) -> Outcome:
        line.call.language = language
        return Outcome(port="next", outputs={"language": language}, call={"language": language})
