"""Wait in a queue for a person."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator

from nodes.queue.line import OUTPUTS, Stay, Waited, handed_over, next_queue, outcome, stay_in_line
from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.services import QueueAsk, QueueTurn
from nodes.sdk.text import Text, text
from nodes.sdk.voice import Line, VoiceNode
from telephony.call import Talk

MOST_TRANSFERS = 20


class KeyOffer(NodeConfig):
    key: str = field(
        title=text("按键", "Key"),
        help=text("等待时按此键离开队列", "Pressed while waiting, it leaves the queue"),
        widget="key",
        example="1",
        port=True,
        pattern=r"^[0-9*#]$",
    )
    label: str = field(
        "",
        title=text("名称", "Label"),
        help=text("流程图上显示的名称，如留言、回拨", "Its name on the canvas: voicemail, callback"),
        widget="text",
        example="留言 Message",
        max_length=60,
    )


class EnterConfig(NodeConfig):
    queue: str = field(
        title=text("队列", "Queue"),
        help=text("队列名称，可用模板", "Name of the queue; may be a template"),
        widget="text",
        template=True,
        example="hotline",
        min_length=1,
        max_length=200,
    )
    priority: int = field(
        0,
        title=text("优先级", "Priority"),
        help=text("越大越先；等待会自动提升", "Higher goes first; it rises by waiting"),
        widget="number",
        ge=-100,
        le=100,
    )
    vip: bool = field(
        False,
        title=text("VIP", "VIP"),
        help=text("排在普通来电之前", "Goes before ordinary callers"),
        widget="switch",
    )
    skills: dict[str, int] = field(
        default_factory=dict,
        title=text("所需技能", "Skills"),
        help=text("技能名称与最低等级（1-9）", "Skills and the least level of each, 1 to 9"),
        widget="keyvalue",
        example={"english": 5},
        max_length=20,
    )
    welcome: Prompt = field(
        default_factory=lambda: Prompt.of(
            zh="正在为您转接人工坐席，请稍候。", en="Please hold, I am connecting you to a colleague."
        ),
        title=text("进入提示", "Welcome"),
        help=text("进入队列时播放", "Said on entering the queue"),
        widget="prompt",
    )
    announcement: Prompt = field(
        default_factory=Prompt,
        title=text("等待提示", "While waiting"),
        help=text("等待时定时播放，如按键说明", "Said again and again, such as what the keys do"),
        widget="prompt",
    )
    announce_every: float = field(
        30,
        title=text("提示间隔（秒）", "Every (seconds)"),
        help=text("每隔多久播报一次", "How often it is said"),
        widget="duration",
        ge=5,
        le=600,
    )
    tell_place: bool = field(
        True,
        title=text("播报位次", "Tell the place"),
        help=text("告诉来电者排在第几位", "Tells callers their place in line"),
        widget="switch",
    )
    tell_wait: bool = field(
        True,
        title=text("播报预计等待", "Tell the expected wait"),
        help=text("告诉来电者大约还要几分钟", "Tells callers about how many minutes it will take"),
        widget="switch",
    )
    music: str = field(
        "default",
        title=text("音乐", "Music"),
        help=text(
            "音乐文件夹名称；default 为队列自己的音乐，未设则为内置",
            "Name of a music folder; default is the queue’s own, else the built-in tune",
        ),
        widget="text",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
    )
    offers: list[KeyOffer] = field(
        default_factory=list,
        title=text("按键选项", "Offers by key"),
        help=text("每个按键一个出口，例如留言或回拨", "Each key is a way out: voicemail, callback"),
        widget="choices",
        unique=["key"],
        max_length=12,
    )
    longest_wait: float = field(
        600,
        title=text("最长等待（秒）", "Longest wait (seconds)"),
        help=text("超过后从“超时”离开", "After that the caller leaves by timeout"),
        widget="duration",
        ge=5,
        le=14400,
    )
    wait_when_closed: bool = field(
        False,
        title=text("无人签入也等待", "Wait when nobody is signed in"),
        help=text("否则立即从“无人值守”离开", "Otherwise the caller leaves by closed at once"),
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

    @model_validator(mode="after")
    def _keys_and_levels(self) -> Self:
        keys = [one.key for one in self.offers]
        if len(set(keys)) < len(keys):
            raise FieldError(
                "offers", "每个按键只能用一次，请改用另一个键", "each key may be used once: choose another"
            )
        if any(not 1 <= level <= 9 for level in self.skills.values()):
            raise FieldError("skills", "技能等级为 1 到 9", "a level is from 1 to 9")
        return self


class Enter(VoiceNode[EnterConfig]):
    """Keep a caller in line with music until an agent talks with them.

    - the place is kept over every crash: the same execution finds it again, with the phone that rings or talks
    - an agent who does not answer costs the caller nothing: they stay first in line
    - a caller whom the agent hands to another queue waits there, ahead of others; handed to a flow they leave by
      ``transfer``, or go on in that flow when there is no edge
    - keys count while music or announcements play, not while a phone rings
    """

    Config = EnterConfig
    meta = NodeMeta(
        type="queue.enter",
        family="queue",
        icon="users",
        runs=Runs.ON_CALL,
        title=text("进入队列", "Enter queue"),
        help=text("排队等待并接通坐席", "Waits in line and is connected to an agent"),
        effects=True,
        kinds=("ivr", "campaign", "callback", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"queue": "hotline"}

    def ports(self, config: EnterConfig) -> Sequence[Port]:
        return [
            Port(name="done", title=text("通话结束", "Served")),
            *(Port(name=one.key, title=_offered(one)) for one in config.offers),
            Port(name="timeout", title=text("等待超时", "Waited too long")),
            Port(name="full", title=text("队列已满", "Queue full")),
            Port(name="closed", title=text("无人值守", "Nobody signed in")),
            Port(name="transfer", title=text("转到流程", "Handed to a flow"), required=False),
        ]

    def outputs(self, config: EnterConfig) -> Sequence[Output]:
        return OUTPUTS

    async def talk(self, line: Line, config: EnterConfig) -> Outcome:
        await line.say(config.welcome)
        return await self._wait(line, config)

    async def reconcile(self, ctx: Context, config: EnterConfig) -> Outcome | None:
        """The place in line, the phone that rings or the talk are found again by the key of the execution."""
        if ctx.maybe_call is None or ctx.call.ended:
            await ctx.services.queues.leave(ctx.key, "abandoned")
            return None
        return await self.guarded(ctx, self._wait(Line(ctx), config))

    async def _wait(self, line: Line, config: EnterConfig) -> Outcome:
        call, ctx = line.call, line.ctx
        ask = QueueAsk(
            queue=config.queue.strip(),
            call_id=call.id,
            caller=call.caller,
            called=call.called,
            language=ctx.language or call.language,
            priority=config.priority,
            vip=config.vip,
            skills=config.skills,
            patient=config.wait_when_closed,
        )
        for number in range(MOST_TRANSFERS):
            key = ctx.key if number == 0 else f"{ctx.key}-{number}"
            ctx.partial["queue"] = ask.queue
            ticket = await ctx.services.queues.enter(ask, key=key)
            if ticket.refused:
                return outcome("full" if ticket.refused == "full" else "closed", line)
            # The flow's own choice comes before the queue's.
            music = config.music if config.music != "default" else ticket.music
            came = await self._one_queue(line, config, key, music)
            if isinstance(came, Waited):
                return outcome(came.key or "timeout", line)
            following = next_queue(came, ask)
            if following is None and came.target is not None:
                return handed_over(came, line)
            if following is None:
                break
            ask = following
        return outcome("done", line)

    async def _one_queue(self, line: Line, config: EnterConfig, key: str, music: str) -> Waited | Talk:
        stay = Stay(line, key, music=music, release_key=config.release_key)
        keys = frozenset(one.key for one in config.offers)
        said = 0

        def due(waited: float) -> float:
            quiet = not (config.announcement.parts or config.tell_place or config.tell_wait)
            return float("inf") if quiet else 2.0 if said == 0 else said * config.announce_every

        async def say(turn: QueueTurn) -> str | None:
            nonlocal said
            said = max(said, int(turn.waited // config.announce_every)) + 1
            return await line.say(*_news(config, turn), config.announcement, keys=keys, own=keys)

        came = await stay_in_line(
            stay,
            stay.wait(keys=keys, longest=config.longest_wait, due=due, say=say),
        )
        if isinstance(came, Waited):
            await stay.left("key" if came.key else "timeout")
        return came


def _news(config: EnterConfig, turn: QueueTurn) -> list[Prompt]:
    """Place and expected wait, as far as they are told."""
    news: list[Prompt] = []
    if config.tell_place:
        news.append(Prompt.of(zh=f"您排在第{turn.place}位。", en=f"You are number {turn.place} in line."))
    if config.tell_wait and turn.expected is not None and turn.expected > 0:
        minutes = max(1, math.ceil(turn.expected / 60))
        unit = "minute" if minutes == 1 else "minutes"
        news.append(Prompt.of(zh=f"预计等待约{minutes}分钟。", en=f"The expected wait is about {minutes} {unit}."))
    return news


def _offered(offer: KeyOffer) -> Text:
    """The way out of an offer, as one of a menu: its key, and what the author calls it."""
    label = f"{offer.key} {offer.label}".strip()
    return text(label, label)
