"""What nodes do with queues (`nodes.sdk.services.Queues`), and what becomes of offers.

A node that waits sleeps on the event of its own place and looks at the database when it comes; it looks every few
seconds anyway, so that a lost event costs seconds and never a caller.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import and_, col, select

from backend.agents.live import happen
from backend.agents.machine import Answered, GoNotReady, PhoneLost, TalkEnded, WrongStateError
from backend.agents.models import Agent
from backend.calls.models import Call, Leg
from backend.customers.models import Customer, CustomerLevel
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, read, utcnow
from backend.events import Event, EventBus, record
from backend.identity.models import Business, User
from backend.lists.models import ListEntry, NumberList
from backend.numbers.phone import normalise_or_keep
from backend.queues.dispatch import ENTRY, all_rules, floor, take_back, tell
from backend.queues.estimate import expected_wait
from backend.queues.models import LIVE, Queue, QueueEntry, QueueMember
from backend.queues.service import AWAY, handle_seconds, line, team_states
from backend.tasks.service import NewTask, add_task
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Missed, QueueAsk, QueueState, QueueTicket, QueueTurn

LOOK_SECONDS = 5.0
LOST = "lost"
"""Why an agent is not ready whose phone was lost."""
BACK_SECONDS = 15.0
"""So long a call is offered back to an agent whose phone was lost: a page loads again, a network comes back."""
BACK_RING_SECONDS = 12.0
"""So long such an offer rings: whoever was in the talk a moment ago sits at the phone."""
HAND_OVER_SECONDS = 120.0
"""So long an agent is kept free of other callers for one whom they handed to a flow."""


class Watch:
    """Wakes whoever waits for a change of a place. One subscription for all of them."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._sleepers: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on."""
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _listen(self) -> None:
        while True:
            with self._bus.subscribe(_of_entries, size=10_000) as events:
                async for event in events:
                    for sleeper in self._sleepers.get(event.subject, ()):
                        sleeper.set()
            # An overrun: everybody looks.
            for sleepers in self._sleepers.values():
                for sleeper in sleepers:
                    sleeper.set()
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def on(self, entry_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever that place changes."""
        sleeper = asyncio.Event()
        self._sleepers.setdefault(entry_id, set()).add(sleeper)
        try:
            yield sleeper
        finally:
            found = self._sleepers[entry_id]
            found.discard(sleeper)
            if not found:
                del self._sleepers[entry_id]


def _of_entries(event: Event) -> bool:
    return event.topic == ENTRY


class BusinessQueues:
    """`nodes.sdk.services.Queues` of one business."""

    def __init__(self, db: Database, business_id: str, watch: Watch) -> None:
        self._db = db
        self._business = business_id
        self._watch = watch

    # ----------------------------------------------------------------- entering

    async def enter(self, ask: QueueAsk, *, key: str) -> QueueTicket:
        async with floor(self._db, self._business) as session:
            known = await self._entry(session, key)
            queue = await self._queue(session, ask.queue) if ask.queue and known is None else None
            if known is not None:
                found = select(Queue.music).where(Queue.business_id == self._business, Queue.name == known.queue)
                music = (await session.exec(found)).first()
                return QueueTicket(id=known.id, queue=known.queue, music=music or "default")
            wanted = await self._wanted(session, ask) if ask.agent else None
            refused = await self._refused(session, ask, queue, wanted)
            if refused:
                return QueueTicket(queue=ask.queue, refused=refused)
            entry = await self._new(session, ask, key, wanted)
            session.add(entry)
            tell(session, entry)
            return QueueTicket(
                id=entry.id, queue=entry.queue, music=queue.music if queue and queue.music else "default"
            )

    async def _entry(self, session: AsyncSession, key: str) -> QueueEntry | None:
        found = select(QueueEntry).where(QueueEntry.business_id == self._business, QueueEntry.key == key)
        return (await session.exec(found)).first()

    async def _queue(self, session: AsyncSession, name: str) -> Queue:
        found = select(Queue).where(Queue.business_id == self._business, Queue.name == name)
        queue = (await session.exec(found)).first()
        if queue is None:
            raise NodeError("unknown_queue", f"there is no queue {name!r}")
        return queue

    async def _wanted(self, session: AsyncSession, ask: QueueAsk) -> Agent:
        if ask.agent == "last":
            found = (
                select(Agent)
                .join(QueueEntry, col(QueueEntry.agent_id) == col(Agent.user_id))
                .where(QueueEntry.call_id == ask.call_id, col(QueueEntry.answered_at).is_not(None))
                .order_by(col(QueueEntry.answered_at).desc())
                .limit(1)
            )
        else:
            found = (
                select(Agent)
                .join(User, col(User.id) == col(Agent.user_id))
                .where(
                    Agent.business_id == self._business,
                    (User.name == ask.agent) | (Agent.extension == ask.agent) | (Agent.user_id == ask.agent),
                )
                .limit(1)
            )
        agent = (await session.exec(found)).first()
        if agent is None:
            raise NodeError("unknown_agent", f"there is no agent {ask.agent!r}")
        return agent

    async def _refused(self, session: AsyncSession, ask: QueueAsk, queue: Queue | None, wanted: Agent | None) -> str:
        if wanted is not None and wanted.state == "signed_out" and not ask.patient:
            return "unavailable"
        if queue is None:
            return ""
        if not queue.enabled:
            return "closed"
        if queue.max_waiting:
            waiting = await session.exec(
                select(QueueEntry.id).where(
                    QueueEntry.business_id == self._business,
                    QueueEntry.queue == queue.name,
                    col(QueueEntry.state).in_(("waiting", "offered")),
                )
            )
            if len(list(waiting)) >= queue.max_waiting:
                return "full"
        if ask.patient or ask.callback or wanted is not None or queue.outside_number:
            return ""
        rules, _ = await all_rules(session, self._business)
        serving = [queue.name, *(rule.queue for rule in rules[queue.name].overflow)]
        return "" if any(name in rules and rules[name].staffed for name in serving) else "closed"

    async def _new(self, session: AsyncSession, ask: QueueAsk, key: str, wanted: Agent | None) -> QueueEntry:
        now = utcnow()
        call = await session.get(Call, ask.call_id) if ask.call_id else None
        customer_id = (call.customer_id if call is not None else None) or await with_number(
            session, self._business, ask.callback or ask.caller
        )
        customer = await session.get(Customer, customer_id) if customer_id else None
        priority, vip = await self._standing(session, customer, ask)
        before = await self._before(session, ask)
        return QueueEntry(
            business_id=self._business,
            key=key,
            kind="callback" if ask.callback else "call",
            queue=ask.queue,
            call_id=ask.call_id if not ask.callback else "",
            gateway=call.gateway if call is not None else "",
            caller=ask.caller,
            called=ask.called,
            number=ask.callback,
            customer_id=customer.id if customer is not None else None,
            customer_name=customer.name if customer is not None else "",
            language=ask.language,
            priority=priority,
            vip=vip,
            transferred=ask.transferred,
            skills=dict(ask.skills),
            wanted=wanted.user_id if wanted is not None else None,
            last_agent=await self._last_agent(session, ask, customer),
            flow=call.flow_key if call is not None else "",
            attempts=ask.attempts,
            pause_seconds=int(ask.pause),
            place_at=before.place_at if before is not None else now,
            entered_at=now,
        )

    async def _standing(self, session: AsyncSession, customer: Customer | None, ask: QueueAsk) -> tuple[int, bool]:
        """Priority and VIP: what the flow says, with the customer's level and the lists of numbers."""
        priority, vip = ask.priority, ask.vip
        if customer is not None and customer.level:
            found = select(CustomerLevel).where(
                CustomerLevel.business_id == self._business, CustomerLevel.key == customer.level
            )
            level = (await session.exec(found)).first()
            if level is not None:
                priority, vip = priority + level.priority, vip or level.vip
        if not vip and ask.caller:
            business = await session.get(Business, self._business)
            number = normalise_or_keep(ask.caller, business.country if business is not None else "CN")
            listed = (
                select(ListEntry.id)
                .join(NumberList, col(NumberList.id) == col(ListEntry.list_id))
                .where(
                    NumberList.business_id == self._business,
                    NumberList.kind == "vip",
                    ListEntry.number == number,
                    col(ListEntry.until).is_(None) | (col(ListEntry.until) > utcnow()),
                )
            )
            vip = (await session.exec(listed)).first() is not None
        return priority, vip

    async def _before(self, session: AsyncSession, ask: QueueAsk) -> QueueEntry | None:
        """The stay whose place is kept: of the same call, in the same queue, or the one it was transferred from."""
        if not ask.call_id or not (ask.callback or ask.transferred):
            return None
        found = select(QueueEntry).where(QueueEntry.business_id == self._business, QueueEntry.call_id == ask.call_id)
        if ask.callback:
            found = found.where(QueueEntry.queue == ask.queue)
        return (await session.exec(found.order_by(col(QueueEntry.entered_at).desc()).limit(1))).first()

    async def _last_agent(self, session: AsyncSession, ask: QueueAsk, customer: Customer | None) -> str | None:
        found = select(QueueEntry.agent_id).where(
            QueueEntry.business_id == self._business, col(QueueEntry.answered_at).is_not(None),
            col(QueueEntry.agent_id).is_not(None), QueueEntry.state == "done",
        )  # fmt: skip
        if customer is not None:
            found = found.where((QueueEntry.customer_id == customer.id) | (QueueEntry.caller == ask.caller))
        elif ask.caller:
            found = found.where(QueueEntry.caller == ask.caller)
        else:
            return None
        return (await session.exec(found.order_by(col(QueueEntry.entered_at).desc()).limit(1))).first()

    # ----------------------------------------------------------------- waiting

    async def turn(self, key: str, *, seconds: float) -> QueueTurn:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if seconds <= 0:
            return await self._turn(key)
        async with read(self._db) as session:
            entry = await self._entry(session, key)
        if entry is None:
            raise NodeError("not_waiting", "this place in line does not exist")
        async with self._watch.on(entry.id) as changed:
            while True:
                changed.clear()
                turn = await self._turn(key)
                left = until - loop.time()
                if turn.state != "waiting" or left <= 0:
                    return turn
                try:
                    await asyncio.wait_for(changed.wait(), min(left, LOOK_SECONDS))
                except TimeoutError:
                    continue

    async def _turn(self, key: str) -> QueueTurn:
        async with read(self._db) as session:
            entry = await self._entry(session, key)
            if entry is None:
                raise NodeError("not_waiting", "this place in line does not exist")
            waited = (utcnow() - entry.entered_at).total_seconds()
            if entry.state == "waiting":
                place, expected = await self._place(session, entry)
                return QueueTurn(state="waiting", waited=waited, offer=entry.offer, place=place, expected=expected)
            if entry.state == "done":
                return QueueTurn(state="over", waited=waited, offer=entry.offer)
            return await self._offer(
                session, entry, ((entry.offered_at or utcnow()) - entry.entered_at).total_seconds()
            )

    async def _offer(self, session: AsyncSession, entry: QueueEntry, waited: float) -> QueueTurn:
        agent = await session.get(Agent, entry.agent_id) if entry.agent_id else None
        user = await session.get(User, entry.agent_id) if entry.agent_id else None
        found = select(Queue).where(Queue.business_id == self._business, Queue.name == entry.queue)
        queue = (await session.exec(found)).first()
        ring = float(queue.ring_seconds if queue is not None else 20)
        number = entry.outside if agent is None else phone_of(agent)
        back = agent is not None and entry.back_until is not None
        return QueueTurn(
            state="talking" if entry.state == "talking" else "offer",
            waited=waited,
            offer=entry.offer,
            number=number,
            agent=user.name if user is not None else "",
            agent_id=user.id if user is not None else "",
            agent_name=(user.display_name or user.name) if user is not None else "",
            ring_seconds=max(ring, 40.0) if agent is None else min(ring, BACK_RING_SECONDS) if back else ring,
            back=back,
        )

    async def _place(self, session: AsyncSession, entry: QueueEntry) -> tuple[int, float | None]:
        places = await line(session, self._business, entry.queue)
        place = next((one.place for one in places if one.entry.id == entry.id), 1)
        if not entry.queue:
            return place, None
        state = await self._state(session, entry.queue, place)
        return place, state.expected

    async def _state(self, session: AsyncSession, name: str, place: int | None = None) -> QueueState:
        queue = await self._queue(session, name)
        team = (await team_states(session, self._business, name)).get(name, {})
        waiting = list(
            await session.exec(
                select(QueueEntry.place_at).where(
                    QueueEntry.business_id == self._business,
                    QueueEntry.queue == name,
                    col(QueueEntry.state).in_(("waiting", "offered")),
                )
            )
        )
        working = sum(team.values()) - sum(team.get(state, 0) for state in AWAY)
        ready = team.get("ready", 0)
        handle = await handle_seconds(session, self._business, queue)
        return QueueState(
            waiting=len(waiting),
            longest=max(((utcnow() - at).total_seconds() for at in waiting), default=0.0),
            expected=expected_wait(place or len(waiting) + 1, working, handle, free=ready),
            ready=ready,
            signed_in=sum(team.values()) - team.get("signed_out", 0),
        )

    async def state(self, queue: str) -> QueueState:
        async with read(self._db) as session:
            return await self._state(session, queue)

    # ----------------------------------------------------------------- offers

    async def answered(self, key: str, offer: int) -> bool:
        async with floor(self._db, self._business) as session:
            entry = await self._entry(session, key)
            if entry is None or entry.offer != offer or entry.state not in ("offered", "talking"):
                return False
            if entry.state == "talking":
                return True
            agent = await locked(session, Agent, entry.agent_id) if entry.agent_id else None
            if agent is not None:
                try:
                    await happen(session, agent, Answered())
                except WrongStateError:
                    return False
            entry.state, entry.answered_at, entry.back_until = "talking", utcnow(), None
            tell(session, entry)
            return True

    async def withdrawn(self, key: str, offer: int) -> None:
        async with read(self._db) as session:
            entry = await self._entry(session, key)
        if entry is None:
            return
        async with self._watch.on(entry.id) as changed:
            while True:
                changed.clear()
                async with read(self._db) as session:
                    entry = await self._entry(session, key)
                if entry is None or entry.offer != offer or entry.state not in ("offered", "talking"):
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), LOOK_SECONDS)

    async def missed(self, key: str, offer: int, result: Missed) -> None:
        async with floor(self._db, self._business) as session:
            entry = await self._entry(session, key)
            if entry is None or entry.offer != offer or entry.state != "offered":
                return
            if entry.back_until is not None and result == "failed":
                await _still_away(session, entry)
                return
            entry.back_until = None
            again = await self._again_seconds(session, entry.queue)
            await take_back(session, entry, missed=True, again_seconds=again)

    async def _again_seconds(self, session: AsyncSession, name: str) -> float:
        found = select(Queue.again_seconds).where(Queue.business_id == self._business, Queue.name == name)
        return float((await session.exec(found)).first() or 10)

    async def ended(self, key: str, offer: int, ended_by: str) -> None:
        async with floor(self._db, self._business) as session:
            entry = await self._entry(session, key)
            if entry is None or entry.offer != offer or entry.state != "talking":
                return
            await finish_talk(session, entry, ended_by)

    async def unreached(self, key: str, offer: int, cause: str) -> None:
        """The agent of a call-back was there, who was to be called was not."""
        async with floor(self._db, self._business) as session:
            entry = await self._entry(session, key)
            if entry is not None and entry.offer == offer and entry.state == "talking":
                await not_reached(session, entry, cause)

    async def leave(self, key: str, outcome: str) -> None:
        async with floor(self._db, self._business) as session:
            entry = await self._entry(session, key)
            if entry is not None and entry.state in LIVE:
                await close(session, entry, outcome)


def phone_of(agent: Agent) -> str:
    """The number at which an agent is rung."""
    return agent.outside_number if agent.phone_kind == "outside" else agent.extension


async def finish_talk(session: AsyncSession, entry: QueueEntry, ended_by: str) -> None:
    """The talk of a place is over; the agent goes on to the work after the call.

    When the agent's phone was lost the call is offered back to them, and then to others, in the caller's old place.
    An agent who hangs up by hand goes on when they have.
    """
    agent = await locked(session, Agent, entry.agent_id) if entry.agent_id else None
    mine = agent is not None and agent.state == "talking" and agent.entry_id == entry.id
    if ended_by == "other_lost":
        if agent is not None and mine and entry.kind == "call":
            await happen(session, agent, PhoneLost())
            entry.state, entry.offered_at, entry.answered_at = "offered", utcnow(), None
            entry.back_until = utcnow() + timedelta(seconds=BACK_SECONDS)
            entry.offer += 1
            tell(session, entry)
            return
        if agent is not None and mine:
            await happen(session, agent, TalkEnded(0.0))
            if agent.state == "ready":
                await happen(session, agent, GoNotReady(LOST))
        if entry.agent_id is not None:
            entry.tried = {**entry.tried, entry.agent_id: (utcnow() + timedelta(seconds=60)).isoformat()}
        entry.state, entry.agent_id, entry.answered_at, entry.offered_at = "waiting", None, None, None
        tell(session, entry)
        return
    stays = agent is not None and mine and ended_by in ("caller", "key") and await hangs_up_by_hand(session, agent)
    if agent is not None and mine and not stays:
        await happen(session, agent, TalkEnded(await wrap_up_of(session, agent, entry, ended_by)))
    end(session, entry, "served")


async def live_leg(session: AsyncSession, agent: Agent) -> Leg | None:
    """The phone by which an agent is in the call that is theirs, if it is still there."""
    found = select(Leg).where(Leg.call_id == agent.call_id, Leg.user_id == agent.user_id, Leg.state != "ended")
    return (await session.exec(found.limit(1))).first() if agent.call_id else None


async def hangs_up_by_hand(session: AsyncSession, agent: Agent) -> bool:
    """Whether an agent has still to hang up their phone, although the other side has gone."""
    return not agent.auto_release and await live_leg(session, agent) is not None


async def _still_away(session: AsyncSession, entry: QueueEntry) -> None:
    """The phone that was lost cannot be rung: it is tried again for a while, then the caller goes to somebody else."""
    if entry.back_until is not None and utcnow() < entry.back_until:
        entry.offer += 1
        tell(session, entry)
        return
    agent = await locked(session, Agent, entry.agent_id) if entry.agent_id else None
    entry.back_until = None
    await take_back(session, entry, missed=True, again_seconds=60)
    if agent is not None and agent.state == "ready":
        await happen(session, agent, GoNotReady(LOST))


async def not_reached(session: AsyncSession, entry: QueueEntry, cause: str) -> None:
    """A call-back reached nobody: it waits for its next try, or becomes a task of the queue after the last one."""
    now = utcnow()
    agent = await locked(session, Agent, entry.agent_id) if entry.agent_id else None
    if agent is not None and agent.state == "talking" and agent.entry_id == entry.id:
        await happen(session, agent, TalkEnded(0.0))
    entry.attempt, entry.answered_at, entry.offered_at = entry.attempt + 1, None, None
    if entry.attempt < entry.attempts:
        entry.state, entry.agent_id, entry.wanted = "waiting", None, None
        entry.not_before = entry.due_at = now + timedelta(seconds=entry.pause_seconds)
        tell(session, entry)
        return
    end(session, entry, "unreached")
    await add_task(
        session,
        entry.business_id,
        NewTask(
            key=f"unreached-{entry.id}",
            kind="callback",
            title=f"回拨未接通 Not reached: {entry.customer_name or entry.number}",
            note=f"已尝试 {entry.attempt} 次（{cause}）。 Tried {entry.attempt} times ({cause}).",
            priority=7,
            queue=entry.queue,
            customer_id=entry.customer_id,
            call_id=entry.call_id or None,
            number=entry.number,
            origin="rule",
        ),
    )


async def wrap_up_of(session: AsyncSession, agent: Agent, entry: QueueEntry, ended_by: str) -> float | None:
    """Seconds of work after a call, None until it is ended by hand."""
    if ended_by == "transfer":
        return HAND_OVER_SECONDS
    if agent.wrap_up_by_hand:
        return None
    if agent.wrap_up_seconds is not None:
        return float(agent.wrap_up_seconds)
    found = select(Queue.wrap_up_seconds).where(Queue.business_id == entry.business_id)
    if entry.queue:
        found = found.where(Queue.name == entry.queue)
    else:
        # Came through no queue: as after a call of their first one.
        member = and_(col(QueueMember.queue_id) == col(Queue.id), col(QueueMember.user_id) == agent.user_id)
        found = found.join(QueueMember, member).order_by(col(Queue.position), col(Queue.name))
    seconds = (await session.exec(found.limit(1))).first() or 0
    return None if seconds < 0 else float(seconds)


async def close(session: AsyncSession, entry: QueueEntry, outcome: str) -> None:
    """The caller has left: whatever was under way for them ends."""
    if entry.state == "talking":
        await finish_talk(session, entry, "caller")
        return
    if entry.state == "offered":
        await take_back(session, entry, missed=False, again_seconds=0, wait=False)
    end(session, entry, outcome)


def end(session: AsyncSession, entry: QueueEntry, outcome: str, at: datetime | None = None) -> None:
    """The stay is over."""
    now = at or utcnow()
    if outcome != "served":
        entry.agent_id = None
    entry.state, entry.outcome, entry.ended_at, entry.due_at = "done", outcome, now, None
    tell(session, entry)
    data: dict[str, Any] = {
        "queue": entry.queue,
        "call_id": entry.call_id,
        "caller": entry.caller,
        "waited": round(((entry.answered_at or now) - entry.entered_at).total_seconds(), 1),
    }
    if outcome == "abandoned":
        record(session, entry.business_id, "queue.abandoned", entry.call_id or entry.id, **data)
    else:
        record(session, entry.business_id, "queue.left", entry.id, outcome=outcome, agent=entry.agent_id, **data)
