"""What a caller hears, as business people write it: a sequence of typed texts, recordings and values."""

from typing import Annotated, Any, Literal

from pydantic import Field

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.text import text
from telephony.prompts import Item, Recorded, Speak, Value, ValueKind


class TextPart(NodeConfig):
    """Text for the TTS voice, one per language; ``{{ ... }}`` inserts values."""

    kind: Literal["text"] = "text"
    text: dict[str, str] = field(
        title=text("文本", "Text"),
        help=text("每种语言一段文本，可插入 {{ 变量 }}", "One text per language; {{ ... }} inserts values"),
        widget="textarea",
        template=True,
    )


class RecordingPart(NodeConfig):
    """A prompt of the library by its name; the library holds a recording or text per language."""

    kind: Literal["recording"] = "recording"
    prompt: str = field(title=text("语音", "Prompt"), help=text("语音库中的名称", "Its name in the prompt library"))


class ValuePart(NodeConfig):
    """A value read aloud properly in the caller's language."""

    kind: Literal["value"] = "value"
    value: Any = field(
        title=text("值", "Value"),
        help=text("要播报的表达式", "The expression to read aloud"),
        widget="expression",
        expression=True,
    )
    read_as: ValueKind = field(
        "text",
        title=text("读法", "Read as"),
        help=text("数字、金额、日期、时间、逐位或原样", "Number, money, date, time, digit by digit, or as it is"),
        widget="select",
        options={
            "text": text("原样", "As it is"),
            "number": text("数字", "Number"),
            "money": text("金额", "Money"),
            "date": text("日期", "Date"),
            "time": text("时间", "Time"),
            "datetime": text("日期和时间", "Date and time"),
            "digits": text("逐位", "Digit by digit"),
            "phone": text("电话号码", "Phone number"),
        },
    )
    currency: str = field(
        "CNY",
        title=text("货币", "Currency"),
        help=text("ISO 4217 货币代码，用于金额", "ISO 4217 code, for money"),
        when={"read_as": ["money"]},
        pattern="^[A-Z]{3}$",
    )


Part = Annotated[TextPart | RecordingPart | ValuePart, Field(discriminator="kind")]


class Prompt(NodeConfig):
    """A prompt sequence. After the machine has rendered it, texts and values are concrete."""

    parts: list[Part] = field(
        default_factory=list,
        title=text("播报内容", "What is said"),
        help=text("按顺序播放的文本、录音和数值", "Texts, recordings and values, played in order"),
        widget="prompt",
    )

    @classmethod
    def of(cls, **by_language: str) -> "Prompt":
        """A prompt of one text, as in ``Prompt.of(zh="您好", en="Hello")``."""
        return cls(parts=[TextPart(text=by_language)])

    def items(self, language: str) -> list[Item]:
        """The telephony items for a language such as ``zh`` or ``zh-CN``.

        A text that lacks it falls back to the first language it has.
        """
        base = language.partition("-")[0]
        items: list[Item] = []
        for part in self.parts:
            match part:
                case TextPart():
                    spoken_in = next((tag for tag in (language, base, *part.text) if tag in part.text), language)
                    words = part.text.get(spoken_in, "").strip()
                    if words:
                        items.append(Speak(text=words, language=spoken_in))
                case RecordingPart():
                    items.append(Recorded(name=part.prompt))
                case ValuePart():
                    items.append(Value(value=part.value, kind=part.read_as, currency=part.currency))
        return items
