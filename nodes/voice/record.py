"""Record a message from the caller, who may review it."""

from collections.abc import Sequence
from typing import Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import NEXT, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.text import text
from nodes.sdk.voice import DIGITS, Line, ShortcutPressed, VoiceNode
from telephony.call import Recording
from telephony.errors import HungUp
from telephony.prompts import Audio

SILENCE_SLACK = 0.6
"""Seconds by which a recording of mere silence may be longer than the silence that ended it."""
CUT = frozenset({"engine_lost", "lost", "failed"})
"""Ends of a call that cut a message off; whoever hangs up has said what they wanted to say."""
MOST_TAKES = 9
"""How often one caller may record again."""


class RecordConfig(NodeConfig):
    box: str = field(
        "default",
        title=text("信箱", "Mailbox"),
        help=text("留言存入的信箱，可用模板", "The mailbox that takes the message; may be a template"),
        widget="template",
        template=True,
        min_length=1,
        max_length=200,
    )
    prompt: Prompt = field(
        default_factory=lambda: Prompt.of(
            zh="请在提示音后留言，按井号键结束。",
            en="Please leave a message after the tone, and press hash when you have finished.",
        ),
        title=text("留言提示", "Prompt"),
        help=text("录音前播放", "Said before recording"),
        widget="prompt",
    )
    max_seconds: float = field(
        120,
        title=text("最长（秒）", "Longest (seconds)"),
        help=text("留言的最长时间", "Longest message"),
        widget="duration",
        ge=5,
        le=3600,
    )
    min_seconds: float = field(
        1,
        title=text("最短（秒）", "Shortest (seconds)"),
        help=text("更短的录音不算留言", "Shorter recordings are no message"),
        widget="duration",
        ge=0,
        le=60,
    )
    max_silence: float = field(
        5,
        title=text("静音结束（秒）", "Silence that ends it (seconds)"),
        help=text("安静这么久即结束录音；0 为不限", "So much silence ends the recording; 0 for no limit"),
        widget="duration",
        ge=0,
        le=60,
    )
    end_key: str = field(
        "#",
        title=text("结束键", "End key"),
        help=text("按此键结束录音，试听菜单中按此键保存", "Ends the recording, and keeps the message in the review"),
        widget="key",
        pattern=r"^[0-9*#]$",
    )
    tries: int = field(
        2,
        title=text("尝试次数", "Tries"),
        help=text("录音太短时最多几次", "How often the caller may try when the recording is too short"),
        widget="number",
        ge=1,
        le=9,
    )
    too_short_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="没有录到您的留言。", en="I did not get a message."),
        title=text("太短提示", "Prompt when too short"),
        help=text("录音太短时、再次录音前播放", "Said when the recording is too short, before the next try"),
        widget="prompt",
    )
    review: bool = field(
        True,
        title=text("可试听", "Review"),
        help=text("录音后可试听、重录或留下回电号码", "Lets the caller listen, record again or leave a number"),
        widget="switch",
    )
    review_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(
            zh="试听留言请按1，重新录音请按2，留下回电号码请按3，保存请按井号键或挂机。",
            en="To listen to your message press 1, to record it again press 2, to leave a callback number press 3. "
            "To keep it, press hash or hang up.",
        ),
        title=text("试听菜单", "Review prompt"),
        help=text("录音后播放的选项", "The choices after recording"),
        widget="prompt",
        when={"review": [True]},
    )
    listen_key: str = field(
        "1",
        title=text("试听键", "Key to listen"),
        help=text("播放刚录的留言", "Plays the message"),
        widget="key",
        when={"review": [True]},
        pattern=r"^[0-9*#]$",
    )
    again_key: str = field(
        "2",
        title=text("重录键", "Key to record again"),
        help=text("放弃并重新录音", "Drops the message and records again"),
        widget="key",
        when={"review": [True]},
        pattern=r"^[0-9*#]$",
    )
    number_key: str = field(
        "3",
        title=text("回电号码键", "Key to leave a number"),
        help=text("输入回电号码", "Lets the caller enter a callback number"),
        widget="key",
        when={"review": [True]},
        pattern=r"^[0-9*#]$",
    )
    number_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(
            zh="请输入回电号码，按井号键结束。", en="Please enter your callback number, then press hash."
        ),
        title=text("回电号码提示", "Prompt for the number"),
        help=text("请来电者输入号码", "Asks for the callback number"),
        widget="prompt",
        when={"review": [True]},
    )
    wait_seconds: float = field(
        6,
        title=text("等待按键（秒）", "Wait for a key (seconds)"),
        help=text(
            "试听菜单后等待按键，之后自动保存", "Time for a key after the review prompt; then the message is kept"
        ),
        widget="duration",
        when={"review": [True]},
        ge=1,
        lt=60,
    )
    saved_prompt: Prompt = field(
        default_factory=lambda: Prompt.of(zh="您的留言已保存。", en="Your message has been kept."),
        title=text("保存提示", "Prompt when kept"),
        help=text("留言保存后播放", "Said when the message is kept"),
        widget="prompt",
    )

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        keys = [self.end_key, self.listen_key, self.again_key, self.number_key]
        if self.review and len(set(keys)) < len(keys):
            raise FieldError(
                "end_key",
                "结束、试听、重录、回电号码的键不能相同，请改用另一个",
                "each key may be used once: choose another",
            )
        if self.min_seconds > self.max_seconds:
            raise FieldError("min_seconds", "不能大于最长时间", "must not be above the longest message")
        return self


class Record(VoiceNode[RecordConfig]):
    """Record a message.

    - the caller may listen, record again and leave a number; hash, silence or hanging up keeps the message
    - hanging up is the ordinary end of a message; what a fault of the line cut off is kept as not complete
    - takes are named by the execution, so a retry finds them and nobody has to speak twice
    - ``empty`` fires when nothing worth keeping was said
    """

    Config = RecordConfig
    meta = NodeMeta(
        type="voice.record",
        family="voice",
        icon="voicemail",
        runs=Runs.ON_CALL,
        title=text("留言", "Record a message"),
        help=text("录下来电者的留言，可试听和重录", "Takes a message that the caller can listen to and record again"),
        effects=True,
        kinds=("ivr", "campaign", "callback", "subflow"),
    )

    def ports(self, config: RecordConfig) -> Sequence[Port]:
        return [NEXT, Port(name="empty", title=text("无留言", "No message"), required=False)]

    def outputs(self, config: RecordConfig) -> Sequence[Output]:
        return [
            Output(name="voicemail", type="string", title=text("留言编号", "Id of the message")),
            Output(name="seconds", type="number", title=text("时长（秒）", "Length in seconds")),
            Output(name="callback_number", type="string", title=text("回电号码", "Callback number")),
            Output(
                name="complete", type="boolean", title=text("是否完整（未因故障中断）", "Whether no fault cut it off")
            ),
        ]

    async def talk(self, line: Line, config: RecordConfig) -> Outcome:
        return await _Taking(line, config).take_and_review()

    async def reconcile(self, ctx: Context, config: RecordConfig) -> Outcome | None:
        """Find the message that was stored, else go on with the last finished take, else ask for one."""
        stored = await ctx.services.voicemails.saved(ctx.key)
        if stored is not None:
            ctx.partial.update(
                voicemail=stored.id,
                seconds=stored.seconds,
                callback_number=stored.callback_number or "",
                complete=stored.complete,
            )
            if ctx.maybe_call is None or ctx.call.ended:
                raise HungUp
            return Outcome(port="next", outputs=dict(ctx.partial))
        if ctx.maybe_call is None:
            return None
        taking = _Taking(Line(ctx), config)
        await taking.find_last()
        return await self.guarded(ctx, taking.go_on())


class _Taking:
    """One execution: the takes so far and what the caller said about them."""

    def __init__(self, line: Line, config: RecordConfig) -> None:
        self.line = line
        self.ctx = line.ctx
        self.config = config
        self.take = 1
        self.kept: Recording | None = None
        self.callback_number: str | None = None
        self.saved = False

    def name(self, take: int) -> str:
        return f"{self.ctx.key}-{take}"

    async def find_last(self) -> None:
        """Find the last take that was finished before the process died."""
        for take in range(1, MOST_TAKES + self.config.tries + 1):
            found = await self.line.call.recorded(self.name(take))
            if found is None:
                return
            if found.seconds >= self.config.min_seconds:
                self.kept = found
            self.take = take + 1

    async def go_on(self) -> Outcome:
        if self.kept is None:
            return await self.take_and_review()
        if self.line.call.ended:
            await self._save(complete=True)
            raise HungUp
        return await self._finish_with(self.kept)

    async def take_and_review(self) -> Outcome:
        recording = await self._take(self.config.prompt)
        if recording is None:
            return Outcome(port="empty", outputs={"seconds": 0.0})
        return await self._finish_with(recording)

    async def _finish_with(self, recording: Recording) -> Outcome:
        try:
            if self.config.review:
                await self._review(recording)
        except BaseException:
            # Whatever ends the review (a hang-up, a shortcut, an error, a stop), the message is kept.
            if not self.saved:
                await self._save(complete=True)
            raise
        outputs = await self._save(complete=True)
        await self.line.say(self.config.saved_prompt)
        return Outcome(port="next", outputs=outputs)

    async def _take(self, prompt: Prompt) -> Recording | None:
        """Record until there is a message; None when the tries are used up. Sets `kept`."""
        for _ in range(self.config.tries):
            name = self.name(self.take)
            await self.line.say(prompt, keys=frozenset(self.config.end_key))
            recording = await self._record(name)
            self.take += 1
            if recording.seconds >= self.config.min_seconds and recording.seconds > 0 and not self._silent(recording):
                self.kept = recording
                return recording
            prompt = self.config.too_short_prompt
        return None

    def _silent(self, recording: Recording) -> bool:
        """Whether silence ended a recording that holds nothing but that silence."""
        return recording.ended_by == "silence" and recording.seconds <= self.config.max_silence + SILENCE_SLACK

    async def _record(self, name: str) -> Recording:
        shortcuts = self.ctx.shortcuts - {self.config.end_key}
        try:
            recording = await self.line.call.record(
                name,
                max_seconds=self.config.max_seconds,
                max_silence=self.config.max_silence,
                terminators=self.config.end_key + "".join(sorted(shortcuts)),
            )
        except HungUp as end:
            await self._keep_last(await self.line.call.recorded(name), complete=end.cause not in CUT)
            raise
        if recording.digit is not None and recording.digit in shortcuts:
            await self._keep_last(recording, complete=True)
            raise ShortcutPressed(recording.digit)
        return recording

    async def _keep_last(self, recording: Recording | None, *, complete: bool) -> None:
        """Keep what was said before the caller left."""
        if recording is not None and recording.seconds >= max(self.config.min_seconds, 0.1):
            self.kept = recording
            await self._save(complete=complete)
        elif self.kept is not None:
            # The new take is worth nothing: the message before it stays.
            await self._save(complete=True)

    async def _review(self, recording: Recording) -> None:
        """Offer the choices until the caller keeps the message."""
        config = self.config
        own = frozenset({config.end_key, config.listen_key, config.again_key, config.number_key})
        silent = 0
        while silent < 2:
            key = await self.line.key(config.review_prompt, timeout=config.wait_seconds, own=own)
            silent = silent + 1 if key is None else 0
            if key == config.end_key:
                return
            if key == config.listen_key:
                await self.line.say(Audio(recording.path), keys=own, own=own, keep_key=True)
            elif key == config.again_key and self.take <= MOST_TAKES:
                recording = await self._take(config.prompt) or recording
            elif key == config.number_key:
                await self._ask_number()

    async def _ask_number(self) -> None:
        config = self.config
        digits, _ = await self.line.number(
            config.number_prompt,
            minimum=3,
            maximum=20,
            first_timeout=config.wait_seconds,
            digit_timeout=5,
            terminator=config.end_key if config.end_key not in DIGITS else "#",
        )
        if len(digits) >= 3:
            self.callback_number = digits

    async def _save(self, *, complete: bool) -> dict[str, object]:
        if self.kept is None:
            raise RuntimeError("there is no recording to keep")
        call = self.line.call
        id = await self.ctx.services.voicemails.save(
            key=self.ctx.key,
            box=self.config.box,
            call_id=call.id,
            caller=call.caller,
            recording=self.kept.path,
            seconds=self.kept.seconds,
            callback_number=self.callback_number,
            complete=complete,
        )
        self.saved = True
        outputs = {
            "voicemail": id,
            "seconds": self.kept.seconds,
            "callback_number": self.callback_number or "",
            "complete": complete,
        }
        self.ctx.partial.update(outputs)
        return outputs
