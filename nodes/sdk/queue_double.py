"""Queues in memory, for tests of nodes, test cases of flows and the simulator."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Missed, QueueAsk, QueueState, QueueTicket, QueueTurn


@dataclass(frozen=True, slots=True)
class QueueAgent:
    """An agent of every queue, or of those named; free so many seconds after the caller came, None for never."""

    number: str = "8001"
    name: str = "agent"
    free_after: float | None = 0.0
    queues: Sequence[str] = ()


@dataclass(slots=True)
class Place:
    """A caller's place in `MemoryQueues`."""

    ask: QueueAsk
    since: float
    offer: int = 0
    agent: QueueAgent | None = None
    state: str = "waiting"
    tried: set[str] = field(default_factory=set)
    outcome: str = ""


class MemoryQueues:
    """One caller and some agents.

    ``queues``  the names that exist; None for every name
    ``full``    nobody more is let in
    ``ahead``   how many callers are before this one
    ``clock``   the time of the loop at hand, for which `turn` waits; without it time passes by counting only
    """

    def __init__(
        self,
        *agents: QueueAgent,
        queues: Sequence[str] | None = None,
        full: bool = False,
        ahead: int = 0,
        music: str = "default",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.agents = list(agents)
        self.queues = queues
        self.full = full
        self.ahead = ahead
        self.music = music
        self.places: dict[str, Place] = {}
        self.log: list[str] = []
        self._clock = clock
        self._counted = 0.0

    def _now(self) -> float:
        return self._clock() if self._clock is not None else self._counted

    def _known(self, queue: str) -> None:
        if self.queues is not None and queue not in self.queues:
            raise NodeError("unknown_queue", f"there is no queue {queue!r}")

    def _serving(self, ask: QueueAsk) -> list[QueueAgent]:
        if ask.agent:
            return [one for one in self.agents if ask.agent in (one.name, one.number, "last")]
        return [one for one in self.agents if not one.queues or ask.queue in one.queues]

    async def enter(self, ask: QueueAsk, *, key: str) -> QueueTicket:
        await asyncio.sleep(0)
        if ask.queue:
            self._known(ask.queue)
        if key in self.places:
            return QueueTicket(id=key, queue=ask.queue, music=self.music)
        if ask.agent and ask.agent != "last" and not self._serving(ask):
            raise NodeError("unknown_agent", f"there is no agent {ask.agent!r}")
        if not self._serving(ask) and not ask.callback and not ask.patient:
            return QueueTicket(queue=ask.queue, refused="unavailable" if ask.agent else "closed")
        if self.full:
            return QueueTicket(queue=ask.queue, refused="full")
        self.places[key] = Place(ask, self._now())
        self.log.append(f"enter {ask.queue or ask.agent}")
        return QueueTicket(id=key, queue=ask.queue, music=self.music)

    async def turn(self, key: str, *, seconds: float) -> QueueTurn:
        await asyncio.sleep(0)
        place = self.places[key]
        until = self._now() + seconds
        while place.state == "waiting":
            waited = self._now() - place.since
            free = [
                one for one in self._serving(place.ask) if one.free_after is not None and one.name not in place.tried
            ]
            ready = [one for one in free if (one.free_after or 0.0) <= waited]
            if ready:
                place.state, place.agent, place.offer = "offer", ready[0], place.offer + 1
                break
            left = until - self._now()
            if left <= 0:
                break
            soonest = min(((one.free_after or 0.0) - waited for one in free), default=left)
            await self._pass(min(left, soonest))
        return self._seen(place)

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds if self._clock is not None else 0)
        self._counted += seconds

    def _seen(self, place: Place) -> QueueTurn:
        agent = place.agent
        return QueueTurn(
            state=place.state,
            place=self.ahead + 1,
            expected=180.0 * (self.ahead + 1),
            waited=self._now() - place.since,
            offer=place.offer,
            number=agent.number if agent else "",
            agent=agent.name if agent else "",
            agent_id=f"id-of-{agent.name}" if agent else "",
            agent_name=agent.name if agent else "",
        )

    async def answered(self, key: str, offer: int) -> bool:
        await asyncio.sleep(0)
        place = self.places[key]
        if place.offer != offer or place.state not in ("offer", "talking"):
            return False
        place.state = "talking"
        self.log.append("answered")
        return True

    async def withdrawn(self, key: str, offer: int) -> None:
        # Nobody takes offers back here.
        await asyncio.Event().wait()

    async def missed(self, key: str, offer: int, result: Missed) -> None:
        await asyncio.sleep(0)
        place = self.places[key]
        if place.state in ("offer", "talking") and place.offer == offer and place.agent is not None:
            place.tried.add(place.agent.name)
            place.state, place.agent = "waiting", None
            self.log.append(result)

    async def ended(self, key: str, offer: int, ended_by: str) -> None:
        await asyncio.sleep(0)
        place = self.places[key]
        if ended_by == "other_lost" and place.agent is not None:
            place.tried.add(place.agent.name)
            place.state, place.agent = "waiting", None
        else:
            place.state, place.outcome = "over", "served"
        self.log.append(f"ended by {ended_by}")

    async def leave(self, key: str, outcome: str) -> None:
        await asyncio.sleep(0)
        place = self.places.get(key)
        if place is not None and place.state != "over":
            place.state, place.outcome = "over", outcome
            self.log.append(f"leave {outcome}")

    async def state(self, queue: str) -> QueueState:
        await asyncio.sleep(0)
        self._known(queue)
        serving = self._serving(QueueAsk(queue=queue))
        ready = sum(one.free_after == 0 for one in serving)
        return QueueState(
            waiting=self.ahead,
            longest=60.0 * self.ahead,
            expected=180.0 * max(0, self.ahead + 1 - ready) / len(serving) if serving else None,
            ready=ready,
            signed_in=len(serving),
        )
