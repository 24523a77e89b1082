"""Play a prompt and branch on the key pressed or the word spoken."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.node import NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode
from telephony.hearing import plain

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Words = dict[Language, Annotated[list[Word], Field(max_length=20)]]
"""Words by language."""


class Choice(NodeConfig):
    key: str = field(
        title=text("按键", "Key"),
        help=text("来电者按的键", "The key that the caller presses"),
        widget="key",
        example="1",
        port=True,
        pattern=r"^[0-9*#]$",
    )
    label: str = field(
        "",
        title=text("名称", "Label"),
        help=text("流程图上显示的名称", "Its name on the canvas"),
        widget="text",
        example="余额 Balance",
        max_length=60,
    )
    words: Words = field(
        default_factory=dict,
        title=text("语音词", "Words"),
        help=text(
            "来电者说出其中一个词即等于按键；按语言填写，需要该语言的语音包",
            "Saying one of them does what the key does. One list per language, which needs a language pack",
        ),
        widget="words",
        example={"zh": ["余额", "查余额"], "en": ["balance"]},
    )


class MenuConfig(NodeConfig):
    prompt: Prompt = field(
        title=text("菜单语音", "Menu prompt"),
        help=text("列出各个选项的语音", "Names the choices to the caller"),
        widget="prompt",
    )
    choices: list[Choice] = field(
        title=text("选项", "Choices"),
        help=text("每个按键一个出口", "Each key is a way out"),
        widget="choices",
        unique=["key"],
        min_length=1,
        max_length=12,
    )
    tries: int = field(
        3,
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
    interruptible: bool = field(
        True,
        title=text("可打断", "Can be interrupted"),
        help=text("播报时按键立即生效", "A key acts while the prompt is playing"),
        widget="switch",
    )
    invalid_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="您的选择无效。", en="That is not a valid choice."),
        title=text("无效提示", "Prompt after a wrong key"),
        help=text("按错键后、重播菜单前播放", "Said after a wrong key, before the menu is said again"),
        widget="prompt",
    )
    timeout_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="没有收到您的按键。", en="I did not get a key."),
        title=text("超时提示", "Prompt after silence"),
        help=text("未按键时、重播菜单前播放", "Said when no key came, before the menu is said again"),
        widget="prompt",
    )

    @model_validator(mode="after")
    def _keys_and_words_are_unique(self) -> Self:
        keys = [choice.key for choice in self.choices]
        if len(set(keys)) < len(keys):
            raise FieldError(
                "choices", "每个按键只能用一次，请改用另一个键", "each key may be used once: choose another"
            )
        for language in {one for choice in self.choices for one in choice.words}:
            words = [plain(word) for choice in self.choices for word in choice.words.get(language, [])]
            if len(set(words)) < len(words):
                raise FieldError(
                    "choices",
                    f"语言 {language} 中每个词只能用一次，请删除重复的词",
                    f"each word may be used once in {language}: remove the second",
                )
        return self

    def spoken(self) -> dict[str, list[str]]:
        """All words by language."""
        found: dict[str, list[str]] = {}
        for choice in self.choices:
            for language, words in choice.words.items():
                found.setdefault(language, []).extend(words)
        return found

    def key_of(self, word: str) -> str | None:
        """The key that a word stands for."""
        for choice in self.choices:
            if any(word in words for words in choice.words.values()):
                return choice.key
        return None


class Menu(VoiceNode[MenuConfig]):
    """Play a prompt and branch on the key pressed or the word spoken.

    - a word does what its key does; without a language pack for the caller's language only keys count
    - a key of the menu fires the port of that name, also when the flow uses the key as a shortcut
    - a wrong key, other words or silence play their prompt and the menu again
    - after the last try, ``invalid`` or ``timeout`` fires, whichever came last
    """

    Config = MenuConfig
    meta = NodeMeta(
        type="voice.menu",
        family="voice",
        icon="list-ordered",
        runs=Runs.ON_CALL,
        title=text("按键菜单", "Menu"),
        help=text("播放菜单并按来电者的按键或语音分支", "Plays a menu and branches on the caller’s key or word"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": Prompt.of(
            zh="查询余额请按1，留言请按2。", en="For your balance press 1, to leave a message press 2."
        ).model_dump(),
        "choices": [{"key": "1", "label": "余额 Balance"}, {"key": "2", "label": "留言 Message"}],
    }

    def ports(self, config: MenuConfig) -> Sequence[Port]:
        ports = []
        for choice in config.choices:
            label = f"{choice.key} {choice.label}".strip()
            ports.append(Port(name=choice.key, title=text(label, label)))
        return [
            *ports,
            Port(name="timeout", title=text("超时", "Timeout"), required=False),
            Port(name="invalid", title=text("无效", "Invalid"), required=False),
        ]

    def outputs(self, config: MenuConfig) -> Sequence[Output]:
        outputs = [
            Output(name="key", type="string", title=text("最后的按键", "Last key pressed")),
            Output(name="tries", type="number", title=text("尝试次数", "Tries used")),
        ]
        if config.spoken():
            outputs.append(Output(name="words", type="string", title=text("听到的词", "Words heard")))
        return outputs

    async def talk(self, line: Line, config: MenuConfig) -> Outcome:
        own = frozenset(choice.key for choice in config.choices)
        before = Prompt()
        silent = True
        for attempt in range(1, config.tries + 1):
            key, words = await self._choice(line, config, before, own)
            silent = key is None and words is None
            line.ctx.partial.update(key=key or "", tries=attempt)
            if words is not None:
                line.ctx.partial["words"] = words
            if key in own:
                return Outcome(port=str(key), outputs=dict(line.ctx.partial))
            before = config.timeout_prompt if silent else config.invalid_prompt
        return Outcome(port="timeout" if silent else "invalid", outputs=dict(line.ctx.partial))

    async def _choice(
        self, line: Line, config: MenuConfig, before: Prompt, own: frozenset[str]
    ) -> tuple[str | None, str | None]:
        """The key that was pressed or meant, and the words that were heard; None for what there was none of."""
        words = line.words_of(config.spoken())
        if not words:
            key = await line.key(
                before, config.prompt, timeout=config.timeout, interruptible=config.interruptible, own=own
            )
            return key, None
        said = await line.answer(
            before,
            config.prompt,
            phrases=words,
            timeout=config.timeout,
            interruptible=config.interruptible,
            own=own,
        )
        match said.ended_by:
            case "speech":
                return config.key_of(said.words), said.words
            case _:
                return said.digit, None
