"""Waiting in line and being connected: what the nodes of this family share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from nodes.sdk.node import Output
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.services import Missed, QueueAsk, QueueTurn
from nodes.sdk.text import text
from nodes.sdk.voice import Line, ShortcutPressed
from telephony.call import DialResult, Talk
from telephony.errors import HungUp

OUTPUTS: Sequence[Output] = (
    Output(name="queue", type="string", title=text("队列", "Queue")),
    Output(name="waited", type="number", title=text("等待秒数", "Seconds waited")),
    Output(name="place", type="number", title=text("最后的位次", "Last place in line")),
    Output(name="answered_by", type="string", title=text("接听坐席", "Answered by")),
    Output(name="agent_name", type="string", title=text("坐席姓名", "Name of the agent")),
    Output(name="seconds", type="number", title=text("通话秒数", "Seconds talked")),
    Output(name="ended_by", type="string", title=text("谁结束", "Who ended it")),
    Output(name="target", type="string", title=text("转去的流程或队列", "Flow or queue that the caller was handed to")),
)


BACK_EVERY = 1.0
"""Seconds of music before a phone that was lost is rung again."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Why waiting has ended without a talk: a key, or the time."""

    key: str | None = None


LONGEST_WORDS = 60.0
Meanwhile = Callable[[QueueTurn], Coroutine[Any, Any, str | None]]
"""Says something to the caller who waits; a key that counts ends it. Called whenever it is due."""


class Stay:
    """One caller's stay in a queue, from the ticket to the end of the talk.

    It may begin in the middle: after a crash the place, the offer and the talk are found again by the same key.
    """

    def __init__(self, line: Line, key: str, *, music: str = "default", release_key: str = "") -> None:
        self.line = line
        self.ctx = line.ctx
        self.key = key
        self.music = music
        self.release_key = release_key
        self.queues = line.ctx.services.queues
        self.turn = QueueTurn(state="waiting")

    async def wait(
        self, *, keys: frozenset[str], longest: float, due: Callable[[float], float], say: Meanwhile
    ) -> Waited | Talk:
        """Wait until somebody has talked with the caller, they press one of `keys`, or `longest` seconds are over.

        `due` tells when something is to be said next, `say` says it; both in seconds of waiting.
        """
        while True:
            turn = self.turn = await self._look(0.0)
            if turn.state == "waiting":
                if turn.waited >= longest:
                    return Waited()
                if turn.waited >= due(turn.waited):
                    key = await self._say(say(turn))
                else:
                    until = min(longest, due(turn.waited)) - turn.waited
                    key = await self._listen_to_music(keys | self.ctx.shortcuts, max(0.2, until))
                if key is None:
                    continue
                if key not in keys:
                    raise ShortcutPressed(key)
                return Waited(key)
            if turn.state == "over":
                return Waited()
            talk = await self._connect(turn)
            if talk is not None:
                return talk

    async def _say(self, saying: Coroutine[Any, Any, str | None]) -> str | None:
        """Say something to the caller; it ends as soon as somebody is there for them, who must not wait for words."""
        words = asyncio.ensure_future(saying)
        coming = asyncio.ensure_future(self.queues.turn(self.key, seconds=LONGEST_WORDS))
        try:
            await asyncio.wait({words, coming}, return_when=asyncio.FIRST_COMPLETED)
            still = coming.done() and not coming.cancelled() and coming.exception() is None
            if words.done() or not still or coming.result().state == "waiting":
                return await words
            return None
        finally:
            coming.add_done_callback(_forget)
            coming.cancel()
            if not words.done():
                words.cancel()
                # The playback is stopped before anything else sounds.
                await asyncio.wait({words})

    async def _look(self, seconds: float) -> QueueTurn:
        turn = await self.queues.turn(self.key, seconds=seconds)
        self.ctx.partial.update(waited=round(turn.waited, 1), place=turn.place)
        return turn

    async def _listen_to_music(self, keys: frozenset[str], seconds: float) -> str | None:
        coming = asyncio.ensure_future(self.queues.turn(self.key, seconds=seconds))
        try:
            return await self.line.call.listen_to_music(coming, keys=keys, seconds=seconds, music=self.music)
        finally:
            coming.add_done_callback(_forget)
            coming.cancel()

    async def _connect(self, turn: QueueTurn) -> Talk | None:
        """Ring whoever was offered and talk; None when it came to nothing and the caller waits on."""
        call, leg = self.line.call, f"{self.key}-{turn.offer}-leg"
        if turn.state == "talking":
            if await call.leg(leg) != "up":
                # It ended while this process was away.
                await self.queues.ended(self.key, turn.offer, "other")
                return Talk(0.0, "other")
            return await self._talk(turn, leg)
        if turn.back:
            moment = asyncio.ensure_future(asyncio.sleep(BACK_EVERY))
            await call.listen_to_music(moment, seconds=BACK_EVERY, music=self.music)
        dialled = await self._ring(turn, leg)
        if dialled is None:
            return None
        if dialled.result != "answered":
            await self._missed(turn, dialled.result)
            return None
        if not await self.queues.answered(self.key, turn.offer):
            # Somebody took the offer back at the same moment.
            await call.hang_up_leg(leg)
            return None
        return await self._talk(turn, leg)

    async def _ring(self, turn: QueueTurn, leg: str) -> DialResult | None:
        """Ring the phone; None when the offer was withdrawn meanwhile: then it rings no more."""
        try:
            destination = await self.ctx.services.telephones.destination(turn.number)
            shown = await self._shown(destination)
        except NodeError as problem:
            if problem.failure.retryable:
                raise
            # There is no way to that phone now: every line is in use, or this caller may not use one. They wait on.
            return DialResult("failed", leg, cause=problem.failure.reason)
        dialling = asyncio.ensure_future(
            self.line.call.dial(
                leg,
                destination,
                caller_id=shown,
                ring_seconds=turn.ring_seconds,
                ringback=False,
                agent=turn.agent_id,
            )
        )
        withdrawn = asyncio.ensure_future(self.queues.withdrawn(self.key, turn.offer))
        try:
            await asyncio.wait((dialling, withdrawn), return_when=asyncio.FIRST_COMPLETED)
            if dialling.done() or withdrawn.exception() is not None:
                return await dialling
        finally:
            for task in (dialling, withdrawn):
                task.cancel()
            await asyncio.gather(dialling, withdrawn, return_exceptions=True)
        # It may have been answered at the same moment.
        await self.line.call.hang_up_leg(leg)
        return None

    async def _shown(self, destination: str) -> str:
        """Agents of the house see who calls; an outside line shows our own number."""
        if destination.startswith("extension:"):
            return self.line.call.caller
        return await self.ctx.services.telephones.caller_id(destination)

    async def _missed(self, turn: QueueTurn, result: Missed) -> None:
        await self.queues.missed(self.key, turn.offer, result)

    async def _talk(self, turn: QueueTurn, leg: str) -> Talk | None:
        partial = self.ctx.partial
        partial.update(answered_by=turn.agent or turn.number, agent_name=turn.agent_name)
        try:
            talk = await self.line.call.talk(leg, release_key=self.release_key or None)
        except HungUp:
            await self._finally(self.queues.ended(self.key, turn.offer, "caller"))
            partial["ended_by"] = "caller"
            raise
        # An agent is kept free for whom they handed to a flow, who comes back; another queue has the caller for good.
        to_flow = talk.target is not None and talk.target.kind == "flow"
        how = "other" if talk.ended_by == "transfer" and not to_flow else talk.ended_by
        await self.queues.ended(self.key, turn.offer, how)
        partial.update(seconds=round(talk.seconds, 1), ended_by=talk.ended_by)
        if talk.ended_by == "caller":
            raise HungUp
        return None if talk.ended_by == "other_lost" else talk

    async def left(self, outcome: str) -> None:
        """The caller is no longer in line."""
        await self._finally(self.queues.leave(self.key, outcome))

    @staticmethod
    async def _finally(work: Awaitable[None]) -> None:
        """Done to its end, also when the node is cut short meanwhile."""
        await asyncio.shield(asyncio.ensure_future(work))


def _forget(task: "asyncio.Future[QueueTurn]") -> None:
    if not task.cancelled():
        task.exception()


async def stay_in_line(stay: Stay, waiting: Awaitable[Waited | Talk]) -> Waited | Talk:
    """Wait; whoever hangs up or goes elsewhere meanwhile has left the line."""
    try:
        return await waiting
    except HungUp:
        await stay.left("abandoned")
        raise
    except ShortcutPressed:
        await stay.left("key")
        raise


def handed_over(talk: Talk, line: Line) -> Outcome:
    """Leave by ``transfer``: the agent has sent the caller to a queue or a flow."""
    assert talk.target is not None
    line.ctx.partial["target"] = talk.target.key
    return outcome("transfer", line).model_copy(
        update={"hand_over": {"kind": talk.target.kind, "key": talk.target.key}}
    )


def next_queue(talk: Talk, ask: QueueAsk) -> QueueAsk | None:
    """The place to ask for when the agent handed the caller to another queue."""
    if talk.ended_by != "transfer" or talk.target is None or talk.target.kind != "queue":
        return None
    return ask.model_copy(update={"queue": talk.target.key, "agent": "", "skills": {}, "transferred": True})


def outcome(port: str, line: Line) -> Outcome:
    """Leave by a port with what is known."""
    return Outcome(port=port, outputs=dict(line.ctx.partial))
