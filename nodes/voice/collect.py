"""Collect digits from the caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

import phonenumbers
from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.node import NEXT, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode

Check = Literal["none", "luhn", "date", "phone"]


class CollectConfig(NodeConfig):
    prompt: Prompt = field(
        title=text("提示语音", "Prompt"),
        help=text("请来电者输入什么", "Asks the caller for the digits"),
        widget="prompt",
    )
    minimum: int = field(
        1,
        title=text("最少位数", "Fewest digits"),
        help=text("少于此数为无效输入", "Fewer digits are an invalid entry"),
        widget="number",
        ge=1,
        le=64,
    )
    maximum: int = field(
        20,
        title=text("最多位数", "Most digits"),
        help=text("达到此数立即结束输入", "The entry ends at once at this length"),
        widget="number",
        ge=1,
        le=64,
    )
    terminator: Literal["#", "*", ""] = field(
        "#",
        title=text("结束键", "End key"),
        help=text("按此键结束输入；空为不用结束键", "Ends the entry; empty for none"),
        widget="select",
        options={
            "#": text("井号 #", "Hash #"),
            "*": text("星号 *", "Star *"),
            "": text("不用结束键", "No end key"),
        },
    )
    first_timeout: float = field(
        5,
        title=text("首位等待（秒）", "Wait for the first digit (seconds)"),
        help=text("播报结束后等待第一位的时间", "Time for the first digit after the prompt has ended"),
        widget="duration",
        ge=1,
        lt=60,
    )
    digit_timeout: float = field(
        5,
        title=text("位间等待（秒）", "Wait between digits (seconds)"),
        help=text("两位之间最长间隔，小于 10 秒", "Longest pause between digits, below 10 seconds"),
        widget="duration",
        ge=0.5,
        lt=10,
    )
    secret: bool = field(
        False,
        title=text("保密", "Secret"),
        help=text(
            "密码等：加密传递，不进入日志和录音",
            "For PINs: the digits travel encrypted and stay out of logs and the recording",
        ),
        widget="switch",
    )
    check: Check = field(
        "none",
        title=text("校验", "Check"),
        help=text(
            "银行卡校验位、日期（年月日八位）或电话号码",
            "Card check digit (Luhn), a date as YYYYMMDD, or a telephone number",
        ),
        widget="select",
        options={
            "none": text("不校验", "No check"),
            "luhn": text("银行卡号", "Card number"),
            "date": text("日期", "Date"),
            "phone": text("电话号码", "Phone number"),
        },
    )
    country: str = field(
        "CN",
        title=text("国家", "Country"),
        help=text("校验电话号码时的国家代码", "Country of numbers without a country code, for the telephone check"),
        widget="text",
        when={"check": ["phone"]},
        pattern="^[A-Z]{2}$",
    )
    tries: int = field(
        3,
        title=text("尝试次数", "Tries"),
        help=text("无效或超时最多允许几次", "How often the caller may try"),
        widget="number",
        ge=1,
        le=9,
    )
    interruptible: bool = field(
        True,
        title=text("可打断", "Can be interrupted"),
        help=text("播报时可直接输入", "Digits count while the prompt is playing"),
        widget="switch",
    )
    invalid_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="输入有误。", en="That entry is not valid."),
        title=text("无效提示", "Prompt after a wrong entry"),
        help=text("输入无效后、再次提示前播放", "Said after a wrong entry, before the caller is asked again"),
        widget="prompt",
    )
    timeout_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="没有收到您的输入。", en="I did not get any digits."),
        title=text("超时提示", "Prompt after silence"),
        help=text("没有输入时、再次提示前播放", "Said when nothing was entered, before the caller is asked again"),
        widget="prompt",
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        if self.minimum > self.maximum:
            raise FieldError("minimum", "不能大于最多位数", "must not be above the most digits")
        if not self.terminator and self.minimum < self.maximum and self.first_timeout < self.digit_timeout:
            # Without an end key a short entry ends by the pause alone; it must not outlast the first wait.
            raise FieldError(
                "digit_timeout",
                "没有结束键时，不能大于首位等待时间",
                "must not be above the wait for the first digit when there is no end key",
            )
        return self


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of a card number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return len(digits) > 1 and total % 10 == 0


def is_date(digits: str) -> bool:
    """Whether YYYYMMDD names a day."""
    if len(digits) != 8:
        return False
    try:
        datetime.strptime(digits, "%Y%m%d")  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    return True


def is_phone(digits: str, country: str) -> bool:
    """Whether the digits are a telephone number in that country, or an international one with ``00``."""
    number = f"+{digits[2:]}" if digits.startswith("00") else digits
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, country))
    except phonenumbers.NumberParseException:
        return False


class Collect(VoiceNode[CollectConfig]):
    """Ask for digits.

    - the entry ends at its full length, by the end key, or by a pause
    - a shortcut key that is a digit counts only when it is the whole entry and shorter than the minimum
    - secret digits leave sealed, and the recording of the call pauses while they are entered
    - after the last try, ``timeout`` fires when nothing came, else ``invalid``
    """

    Config = CollectConfig
    meta = NodeMeta(
        type="voice.collect",
        family="voice",
        icon="hash",
        runs=Runs.ON_CALL,
        title=text("收号", "Collect digits"),
        help=text("收取卡号、密码、日期等按键输入", "Takes a card number, a PIN, a date or other digits"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": Prompt.of(
            zh="请输入卡号，以井号键结束。", en="Please enter your card number, then press hash."
        ).model_dump()
    }

    def ports(self, config: CollectConfig) -> Sequence[Port]:
        return [
            NEXT,
            Port(name="timeout", title=text("超时", "Timeout"), required=False),
            Port(name="invalid", title=text("无效", "Invalid"), required=False),
        ]

    def outputs(self, config: CollectConfig) -> Sequence[Output]:
        return [
            Output(name="digits", type="string", title=text("输入的数字", "Digits entered"), secret=config.secret),
            Output(name="tries", type="number", title=text("尝试次数", "Tries used")),
        ]

    async def talk(self, line: Line, config: CollectConfig) -> Outcome:
        if not config.secret:
            return await self._ask(line, config)
        async with line.unrecorded():
            return await self._ask(line, config)

    async def _ask(self, line: Line, config: CollectConfig) -> Outcome:
        before = Prompt()
        digits = ""
        for attempt in range(1, config.tries + 1):
            line.ctx.partial["tries"] = attempt
            digits, _ = await line.number(
                before,
                config.prompt,
                minimum=config.minimum,
                maximum=config.maximum,
                first_timeout=config.first_timeout,
                digit_timeout=config.digit_timeout,
                terminator=config.terminator,
                interruptible=config.interruptible,
                keep_partial="digits",
            )
            if self._good(digits, config):
                return Outcome(port="next", outputs={"digits": digits, "tries": attempt})
            before = config.invalid_prompt if digits else config.timeout_prompt
        return Outcome(port="invalid" if digits else "timeout", outputs={"digits": digits, "tries": config.tries})

    def _good(self, digits: str, config: CollectConfig) -> bool:
        if len(digits) < config.minimum:
            return False
        match config.check:
            case "luhn":
                return luhn(digits)
            case "date":
                return is_date(digits)
            case "phone":
                return is_phone(digits, config.country)
            case "none":
                return True
