"""A talk of the caller and another party, and everything that may be done to it while it lasts.

Written once over the driver port. The rules:

- **Who should hear whom is a function of the state** (`_wanted`): orders change the state, `_apply` brings the engine
  to it by commands that do no harm twice. After a crash the state is read back from what is up (`adopt`).
- Orders come one at a time, each looks at the state when its turn comes, and refuses with a code what cannot be done.
  An order with an id that was carried out already is answered as it was then.
- Nobody waits for a phone that rings inside an order: what becomes of it changes the state later.
- The end of whoever leaves changes the state too: a third party that goes gives the customer back to the agent, a
  supervisor that goes leaves the talk as it was, an agent that is lost leaves the customer with music.
- A browser phone that stops sending is not lost yet: who heard nobody else hears music meanwhile, and the talk is as
  it was when it sends again. When it does not, the engine ends it.

- In a call between two people of the house whoever gives an order is the *agent* from then on (`speaks`). One whose
  phone the call itself is cannot leave it to others; the other party is made a call of its own then (`part`).

Words: the *customer* and the *agent* are the two parties of the talk; one of them is the call itself, the other its
leg. A *third* party is consulted, joins, or takes over from the agent. A *supervisor* hears, whispers or joins.
"""

import asyncio
import logging
import math
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from telephony.call import Talk, TransferTarget
from telephony.driver import Snapshot
from telephony.errors import DriverError, HungUp, TelephonyError
from telephony.sounds import RINGBACK_SECONDS

if TYPE_CHECKING:
    from telephony.live_call import Leg, LiveCall

log = logging.getLogger(__name__)

Mode = Literal["talking", "held", "consulting", "conference", "transferring"]
Watching = Literal["listen", "whisper", "barge"]
Role = Literal["customer", "agent", "third", "supervisor"]

TALK, THIRD, WATCH, SNOOP, WATCHING = "-talk-", "-third-", "-watch-", "-snoop-", "-watching-"
"""Parts of the ids of bridges and channels; after a crash they tell what each was."""

_REMEMBERED = 200
_LOST = frozenset({"lost", "engine_lost"})
_GRACE = 0.5


class ControlError(TelephonyError):
    """An order that cannot be carried out: ``no_talk``, ``wrong_state``, ``bad_order``, ``not_possible``."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a conversation, as it stands. The sound of one who is ``away`` has stopped coming."""

    channel: str
    role: Role
    destination: str
    up: bool
    hears: Literal["talk", "music", "apart", "nothing"]
    muted: bool = False
    watching: Watching | None = None
    away: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A conversation at one moment. ``since`` is the loop's time at which the mode began."""

    call_id: str
    mode: Mode
    parties: tuple[Party, ...]
    since: float
    began: float
    recording: Literal["off", "on", "paused"]
    third_result: str = ""


@dataclass(slots=True)
class _Supervisor:
    leg: "Leg"
    op: str
    mode: Watching
    placed: Watching | None = None
    snoop: str = ""

    def ear(self, call_id: str, mode: Watching) -> str:
        """How the id begins of the channel by which they hear in a mode."""
        return f"{call_id}{SNOOP}{mode}-{self.op}."

    def bridge(self, call_id: str) -> str:
        """The bridge of their ear and their phone."""
        return f"{call_id}{WATCHING}{self.op}.{self.snoop.rpartition('.')[2]}"


@dataclass(slots=True)
class _Done:
    """Orders that were carried out, by their ids."""

    ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def add(self, op: str) -> None:
        self.ids[op] = None
        if len(self.ids) > _REMEMBERED:
            self.ids.popitem(last=False)


class Conversation:
    """One talk. Made by `LiveCall.talk`, or by `adopt` for one that went on while this process was away."""

    def __init__(
        self,
        call: "LiveCall",
        leg: "Leg",
        *,
        release_key: str | None = None,
        agent: Literal["leg", "call"] = "leg",
        name: str | None = None,
    ) -> None:
        self.call = call
        self.leg_id = name or leg.channel
        """The leg that the talk began with: by it the flow asks for its end."""
        self.bridge = f"{call.id}{TALK}{self.leg_id}"
        self.release_key = release_key
        self.agent_side: Literal["leg", "call"] = agent
        self.result: Talk | None = None
        self.waiting = 0
        """How many wait for its end."""

        self._book = call._book
        self._driver = call._driver
        self._other: Leg | None = leg
        self._transferred = False
        self._third: Leg | None = None
        self._third_held = False
        self._third_result = ""
        self._joined = False
        self._blind = False
        self._held = False
        self._muted: set[str] = set()
        self._away: frozenset[str] = frozenset()
        self._supervisors: dict[str, _Supervisor] = {}
        self._placed: dict[str, str] = {}
        self._ringing: str | None = None
        self._done = _Done()
        self._lock = asyncio.Lock()
        self._began = self._book.now()
        self._since = self._began
        self._mode: Mode = "talking"
        self._task: asyncio.Task[None] | None = None
        self._release: Callable[[], None] | None = None

    # ----------------------------------------------------------------- state

    @property
    def agent_channel(self) -> str | None:
        if self.agent_side == "call":
            return self.call.id
        return None if self._other is None or self._transferred else self._other.channel

    @property
    def customer_channel(self) -> str | None:
        if self.agent_side == "leg":
            return self.call.id
        return None if self._other is None else self._other.channel

    @property
    def mode(self) -> Mode:
        if self._blind:
            return "transferring"
        if self._third is not None:
            return "conference" if self._joined and self._third.up and not self._held else "consulting"
        if any(one.mode == "barge" and one.leg.up for one in self._supervisors.values()):
            return "conference"
        return "held" if self._held else "talking"

    def view(self) -> View:
        """How things stand."""
        parties = [self._party(self.call.id, "customer" if self.agent_side == "leg" else "agent", self.call.caller)]
        if self._other is not None:
            role: Role = "customer" if self.agent_side == "call" else "third" if self._transferred else "agent"
            parties.append(self._party(self._other.channel, role, self._other.destination, up=self._other.up))
        if self._third is not None:
            parties.append(self._party(self._third.channel, "third", self._third.destination, up=self._third.up))
        parties += [
            self._party(s.leg.channel, "supervisor", s.leg.destination, up=s.leg.up, watching=s.mode)
            for s in self._supervisors.values()
        ]
        return View(
            self.call.id,
            self.mode,
            tuple(parties),
            self._since,
            self._began,
            self.call.recording_state,
            self._third_result,
        )

    def _colleague(self, leg: "Leg") -> bool:
        """Whether somebody of the house is there: at an extension, or an agent at a phone of their own."""
        return leg.channel in self.call.agents or in_house(leg)

    def _party(
        self, channel: str, role: Role, destination: str, *, up: bool = True, watching: Watching | None = None
    ) -> Party:
        place = self._placed.get(channel, "nothing")
        hears: Literal["talk", "music", "apart", "nothing"] = "nothing"
        if place in ("talk", "music", "apart"):
            hears = place  # type: ignore[assignment]
        if watching in ("listen", "whisper") and up:
            hears = "talk"
        return Party(channel, role, destination, up, hears, channel in self._muted, watching, channel in self._away)

    def _wanted(self) -> dict[str, str]:
        """Where each channel belongs: in the talk, with music, or apart."""
        wanted: dict[str, str] = {}
        agent, customer = self.agent_channel, self.customer_channel
        if customer is not None:
            wanted[customer] = "music" if self._held or self._blind else "talk"
        if self._transferred and self._other is not None and self._other.up:
            wanted[self._other.channel] = "talk"
        if agent is not None:
            wanted[agent] = "talk"
        if self._third is not None and self._third.up and not self._blind:
            wanted[self._third.channel] = "music" if self._third_held else "talk"
        for one in self._supervisors.values():
            if one.leg.up:
                wanted[one.leg.channel] = "talk" if one.mode == "barge" else "apart"
        # Who would hear nobody but phones that are silent hears music.
        talking = [channel for channel, place in wanted.items() if place == "talk"]
        there = [channel for channel in talking if channel not in self._away]
        if len(there) == 1 and len(talking) > 1:
            wanted[there[0]] = "music"
        return wanted

    def _silent(self) -> frozenset[str]:
        """Who has stopped sending sound."""
        legs = (self._other, self._third, *(one.leg for one in self._supervisors.values()))
        silent = {leg.channel for leg in legs if leg is not None and leg.silent}
        return frozenset(silent | {self.call.id} if self.call.silent else silent)

    # ----------------------------------------------------------------- life

    async def begin(self) -> None:
        """Bring the two together and watch over them from now on."""
        self.call._bridges.add(self.bridge)
        self._release = self.call.occupy()
        try:
            await self.call._command(lambda: self._driver.create_bridge(self.bridge))
            async with self._lock:
                await self._apply()
        except BaseException:
            self._let_go()
            raise
        self._watch_over()

    def _watch_over(self) -> None:
        self._task = self._book.spawn(self._watch())

    def _let_go(self) -> None:
        if self._release is not None:
            self._release()
            self._release = None

    async def wait(self) -> Talk:
        """The end of it; raises `HungUp` when the call itself ends."""
        self.waiting += 1
        try:
            await self.call._wait(lambda: self.result is not None)
        finally:
            self.waiting -= 1
        assert self.result is not None
        return self.result

    def began_at(self, at: float) -> None:
        """It began before this process did."""
        self._began = self._since = at

    async def _watch(self) -> None:
        try:
            while self.result is None:
                await self.call._wait(self._something)
                async with self._lock:
                    await self._react()
        except HungUp:
            # The call tidies up: its legs and bridges go with it.
            self._changed()
        except Exception:
            # A talk that nobody watches over would never end.
            log.exception("call %s: the conversation cannot go on", self.call.id)
            if self.result is None:
                async with self._lock:
                    await self._finish("other")
        finally:
            self._let_go()

    def _something(self) -> bool:
        """Whether anything has happened that changes who should hear whom."""
        call = self.call
        while call._keys and call._keys[0][0] != self.release_key:
            call._keys.popleft()
        return (
            self.result is not None
            or bool(call._keys)
            or (self._other is not None and not self._other.up)
            or (self._third is not None and (self._third.ended_at is not None or self._answered(self._third)))
            or any(one.leg.ended_at is not None or self._answered(one.leg) for one in self._supervisors.values())
            or self._silent() != self._away
        )

    def _answered(self, leg: "Leg") -> bool:
        return leg.up and leg.channel not in self._placed

    async def _react(self) -> None:
        if self.result is not None:
            return
        if self.call._keys and self._other is not None and self._other.up:
            await self._finish("key", digit=self.call._keys.popleft()[0])
            return
        for channel, one in list(self._supervisors.items()):
            if one.leg.ended_at is not None:
                del self._supervisors[channel]
                await self._unwatch(one)
        if self._third is not None and self._third.ended_at is not None:
            self._third_result = self._third.cause or "ended"
            self._third, self._third_held, self._joined, self._held = None, False, False, False
            if self._other is None:
                # A blind transfer that reached nobody: the flow offers the customer to somebody else.
                await self._finish("other_lost")
                return
        if self._third is not None and self._third.up and self._blind:
            self._take_over(self._third)
        if self._other is not None and not self._other.up and await self._other_left(self._other):
            return
        await self._apply()

    async def _other_left(self, leg: "Leg") -> bool:
        """The other party is gone; True when the talk is over with them."""
        lost = leg.cause in _LOST
        third = self._third
        if third is not None and third.up and (self._joined or (not lost and self.agent_side == "leg")):
            # Hanging up in a consultation is how people transfer; a conference goes on without who leaves.
            self._take_over(third)
            return False
        barging = next((one for one in self._supervisors.values() if one.mode == "barge" and one.leg.up), None)
        if barging is not None:
            self._supervisors.pop(barging.leg.channel)
            self._take_over(barging.leg)
            return False
        await self._finish("other_lost" if lost and self.agent_side == "leg" else "other")
        return True

    def _take_over(self, leg: "Leg") -> None:
        """Somebody else is the customer's party from now on: a colleague is the agent, an outside number is not."""
        self._other, self._transferred = leg, self.agent_side == "leg" and not self._colleague(leg)
        self._third, self._third_held, self._joined, self._blind, self._held = None, False, False, False, False

    async def _finish(
        self,
        ended_by: Literal["caller", "other", "key", "transfer", "other_lost"],
        *,
        digit: str | None = None,
        target: TransferTarget | None = None,
    ) -> None:
        """Everybody but the call itself goes; the call is handed back as it was before."""
        ended = Talk(self._book.now() - self._began, ended_by, digit, target)
        call, driver = self.call, self._driver
        await self._quiet()
        music = self._placed.get(call.id) == "music"
        work: list[Callable[[], Awaitable[None]]] = []
        for one in self._supervisors.values():
            await self._unwatch(one)
        work.append(partial(driver.destroy_bridge, self.bridge))
        if ended_by == "key" and self._other is not None and self._other.channel in call.by_hand:
            call.staying.add(self._other.channel)
        legs = (self._other, self._third, *(one.leg for one in self._supervisors.values()))
        work += [
            partial(driver.hang_up, leg.channel, "normal" if leg.up else "cancelled")
            for leg in legs
            if leg is not None and leg.ended_at is None and leg.channel not in call.staying
        ]
        call._bridges.discard(self.bridge)
        await call._quietly(*work)
        if self._other is not None and self._other.channel in call.staying:
            call.let_stay(self._other)
        if ended_by == "other_lost" and not music:
            await call._quietly(partial(driver.start_music, call.id))
            music = True
        if music and ended_by != "other_lost":
            await call._quietly(partial(driver.stop_music, call.id))
            music = False
        call.music = "default" if music else ""
        self._placed.clear()
        # Told last: who waits for the end may command the call at once.
        self.result = ended
        call.wake()
        call.talk_over(self)
        self._changed()

    # ----------------------------------------------------------------- the engine

    async def _apply(self) -> None:
        """Bring the engine to the state. What is gone already is the next reaction's business."""
        driver, call = self._driver, self.call
        self._away = self._silent()
        wanted = self._wanted()
        steps: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        for channel, place in list(self._placed.items()):
            if wanted.get(channel) == place:
                continue
            if place == "talk":
                await self._try(channel, partial(driver.remove_from_bridge, self.bridge, channel))
            elif place == "music":
                await self._try(channel, partial(driver.stop_music, channel))
            # The command may have found it gone and forgotten it.
            self._placed.pop(channel, None)
        for channel, place in wanted.items():
            if self._placed.get(channel) == place:
                continue
            if place == "talk":
                steps.append((channel, partial(driver.add_to_bridge, self.bridge, channel)))
            elif place == "music":
                steps.append((channel, partial(driver.start_music, channel)))
            self._placed[channel] = place
        for channel, step in steps:
            await self._try(channel, step)
        await self._watch_as_wanted()
        await self._ring_as_wanted()
        if self.mode != self._mode:
            self._mode, self._since = self.mode, self._book.now()
        self._changed()
        call.wake()

    async def _try(self, channel: str, command: Callable[[], Awaitable[None]]) -> None:
        """One command about one channel; sent again when the engine was away for a moment."""

        async def send() -> None:
            await command()

        if channel == self.call.id:
            await self.call._command(send)
            return
        try:
            await self.call._again(send)
        except DriverError as error:
            if error.reason != "not_found":
                raise
            self._placed.pop(channel, None)
            leg = self.call.legs.get(channel)
            if leg is not None and leg.ended_at is None:
                # Its hang-up is on the way and brings the true cause.
                await self.call._wait(lambda: leg.ended_at is not None, self._book.now() + _GRACE)
                leg.ended_at = leg.ended_at or self._book.now()

    async def _ring_as_wanted(self) -> None:
        """Whoever waits for a phone that rings hears that it does: the agent in a consultation, else the customer."""
        third = self._third
        rings = third is not None and not third.up and third.ended_at is None and not self._blind
        if not rings:
            await self._quiet()
        elif self._ringing is None and third is not None:
            self._ringing = _ringback(third.channel)
            times = math.ceil(60.0 / RINGBACK_SECONDS)
            files = [self._book.sounds.ringback] * times
            await self.call._quietly(partial(self._driver.play, self.bridge, self._ringing, files))

    async def _quiet(self) -> None:
        if self._ringing is not None:
            playback, self._ringing = self._ringing, None
            await self.call._quietly(partial(self._driver.stop_playing, playback))

    async def _watch_as_wanted(self) -> None:
        """Give each supervisor who is up the ears and the voice of their mode."""
        for one in self._supervisors.values():
            if not one.leg.up or one.placed == one.mode:
                continue
            await self._unwatch(one)
            one.placed = one.mode
            if one.mode == "barge":
                continue
            heard = self.agent_channel or (self._other.channel if self._other is not None else self.call.id)
            self.call._counter += 1
            # Ids are used once: an engine may still be at the end of the last one.
            snoop = one.snoop = f"{one.ear(self.call.id, one.mode)}{self._book.epoch}{self.call._counter}"
            bridge = one.bridge(self.call.id)
            self.call._bridges.add(bridge)
            await self.call._quietly(
                partial(
                    self._driver.snoop, heard, snoop, spy="both", whisper="out" if one.mode == "whisper" else "none"
                ),
                partial(self._driver.create_bridge, bridge),
                partial(self._driver.add_to_bridge, bridge, snoop),
                partial(self._driver.add_to_bridge, bridge, one.leg.channel),
            )

    async def _unwatch(self, one: _Supervisor) -> None:
        if one.placed in ("listen", "whisper"):
            bridge = one.bridge(self.call.id)
            await self.call._quietly(
                partial(self._driver.hang_up, one.snoop),
                partial(self._driver.destroy_bridge, bridge),
            )
            self.call._bridges.discard(bridge)
        one.placed = None

    def _changed(self) -> None:
        if self._book.on_conversation is not None:
            self._book.on_conversation(self.call, self)

    # ----------------------------------------------------------------- orders

    async def hold(self, op: str = "") -> None:
        """The customer hears music; the agent and whoever was asked go on."""
        async with _Order(self, op):
            self._needs(self._third is None and not self._blind, "only a plain talk can be held")
            self._held = True
            await self._apply()

    async def resume(self, op: str = "") -> None:
        """Back to the customer. Somebody who is consulted waits with music."""
        async with _Order(self, op):
            self._needs(not self._blind, "the customer is being transferred")
            self._held = False
            if self._third is not None and not self._joined:
                if self._third.up:
                    self._third_held = True
                else:
                    await self._drop_third()
            await self._apply()

    async def mute(self, on: bool, op: str = "") -> None:
        """Nobody hears the agent."""
        async with _Order(self, op):
            agent = self._agent()
            await self._try(agent, partial(self._driver.mute, agent, on))
            (self._muted.add if on else self._muted.discard)(agent)
            self._changed()

    async def consult(
        self, op: str, destination: str, *, caller_id: str, ring_seconds: float = 40.0, agent: str = ""
    ) -> None:
        """The agent calls somebody while the customer hears music."""
        async with _Order(self, op):
            self._agent()
            self._needs(self._third is None and not self._blind, "somebody is consulted already")
            self._held, self._third_held, self._joined = True, False, False
            await self._dial_third(op, destination, caller_id, ring_seconds, agent)
            await self._apply()

    async def swap(self, to: Literal["customer", "third"], op: str = "") -> None:
        """The agent talks with one of the two, the other waits with music."""
        async with _Order(self, op):
            third = self._answered_third()
            self._joined = False
            self._held, self._third_held = to == "third", to == "customer"
            self._needs(third.up, "nobody is consulted")
            await self._apply()

    async def join(self, op: str = "") -> None:
        """All three talk."""
        async with _Order(self, op):
            self._answered_third()
            self._held, self._third_held, self._joined = False, False, True
            await self._apply()

    async def drop_third(self, op: str = "") -> None:
        """Send the third party away and go back to the customer."""
        async with _Order(self, op):
            self._needs(self._third is not None and not self._blind, "nobody is consulted")
            await self._drop_third()
            self._held = False
            await self._apply()

    async def complete(self, op: str = "") -> None:
        """The agent leaves; the customer and the third party go on."""
        async with _Order(self, op):
            self._needs(self.agent_side == "leg", "the agent placed this call: give the call on by its number")
            self._answered_third()
            await self._leave_to_third()
            await self._apply()

    async def _leave_to_third(self) -> None:
        agent, third = self._other, self._third
        assert third is not None
        self._take_over(third)
        await self._part_from(agent)

    async def transfer(
        self, op: str, destination: str, *, caller_id: str, ring_seconds: float = 40.0, agent: str = ""
    ) -> None:
        """Blind transfer: the agent leaves at once, the customer waits with music until somebody answers."""
        async with _Order(self, op):
            self._needs(self.agent_side == "leg", "the agent placed this call: give the call on by its number")
            self._agent()
            self._needs(not self._blind, "a transfer is under way")
            if self._third is not None:
                await self._drop_third()
            self._blind = True
            await self._dial_third(op, destination, caller_id, ring_seconds, agent)
            leaving, self._other = self._other, None
            await self._part_from(leaving)
            await self._apply()

    def speaks(self, channel: str) -> None:
        """Who is at `channel` gives the orders that follow: the agent, or the other one of two of the house."""
        if channel != self.customer_channel or self._transferred:
            return
        self._needs(self._third is None and not self._held and not self._blind, "the other one is steering this call")
        self.agent_side = "call" if self.agent_side == "leg" else "leg"
        self._changed()

    async def part(self, op: str = "", *, with_third: bool = False) -> "LiveCall":
        """The agent, whose phone the call itself is, leaves: the customer becomes a call of their own, alone, or with
        the third party as its leg. The talk ends with that, and the agent's call with it."""
        async with _Order(self, op):
            customer = self._other
            self._needs(self.agent_side == "call" and customer is not None and customer.up, "there is nobody to leave")
            assert customer is not None
            third = self._answered_third() if with_third else None
            if self._third is not None and third is None:
                await self._drop_third()
            self._other = self._third = None
            for leg in (customer, third):
                if leg is None:
                    continue
                if self._placed.pop(leg.channel, None) == "talk":
                    await self.call._quietly(partial(self._driver.remove_from_bridge, self.bridge, leg.channel))
                else:
                    await self.call._quietly(partial(self._driver.stop_music, leg.channel))
            made = self._book.part(self.call, customer, third)
            await self._finish("transfer")
            return made

    async def hand_over(self, target: TransferTarget, op: str = "") -> None:
        """The talk ends and the flow goes on at `target`: a queue or another flow."""
        async with _Order(self, op):
            self._needs(self.agent_side == "leg", "the agent placed this call: give the call on by its number")
            await self._finish("transfer", target=target)

    async def keys(self, digits: str, to: Literal["customer", "third"] = "customer", op: str = "") -> None:
        """Press keys towards somebody."""
        async with _Order(self, op):
            if not re.fullmatch(r"[0-9A-D*#]{1,64}", digits):
                raise ControlError("bad_order", "keys are 0-9, *, # and A-D, 64 at most")
            channel = self.customer_channel if to == "customer" else self._answered_third().channel
            assert channel is not None
            await self._try(channel, partial(self._driver.send_digits, channel, digits))

    async def record(self, to: Literal["on", "paused"], op: str = "") -> None:
        """Record from now on, or keep what follows out of the recording."""
        async with _Order(self, op):
            if to == "on":
                await self.call.start_recording()
                await self.call.pause_recording(False)
            else:
                await self.call.pause_recording(True)
            self._changed()

    async def watch(
        self, op: str, destination: str, mode: Watching, *, caller_id: str, ring_seconds: float = 30.0
    ) -> str:
        """Ring a supervisor, who hears, whispers or joins once they have answered; their channel."""
        channel = f"{self.call.id}{WATCH}{_word(op)}"
        async with _Order(self, op):
            if channel not in self._supervisors:
                leg = await self._dial(channel, destination, caller_id, ring_seconds)
                self._supervisors[channel] = _Supervisor(leg, _word(op), mode)
            await self._apply()
        return channel

    async def change_watch(self, channel: str, mode: Watching, op: str = "") -> None:
        """Another mode for a supervisor who is there."""
        async with _Order(self, op):
            self._supervisor(channel).mode = mode
            await self._apply()

    async def stop_watch(self, channel: str, op: str = "") -> None:
        """A supervisor leaves; the talk is as it was."""
        async with _Order(self, op):
            one = self._supervisors.pop(channel, None)
            if one is not None:
                await self._unwatch(one)
                await self._part_from(one.leg)
                await self._apply()

    async def take_over(self, channel: str, op: str = "") -> None:
        """A supervisor takes the agent's place."""
        async with _Order(self, op):
            one = self._supervisor(channel)
            self._needs(one.leg.up, "the supervisor has not answered yet")
            self._needs(self.agent_side == "leg", "the agent placed this call: join it instead")
            # First in the talk with the others, then alone with the customer: nobody is left in silence between.
            one.mode = "barge"
            await self._apply()
            del self._supervisors[channel]
            if self._third is not None:
                await self._drop_third()
            agent = self._other
            self._take_over(one.leg)
            await self._part_from(agent)
            await self._apply()

    async def release(self, op: str = "") -> None:
        """End the talk; the customer's flow goes on."""
        async with _Order(self, op):
            await self._finish("other")

    # ----------------------------------------------------------------- what orders are made of

    def _needs(self, fits: bool, words: str) -> None:
        if not fits:
            raise ControlError("wrong_state", words)

    def _agent(self) -> str:
        agent = self.agent_channel
        if agent is None:
            raise ControlError("wrong_state", "the agent has left this talk")
        return agent

    def _answered_third(self) -> "Leg":
        if self._third is None or not self._third.up or self._blind:
            raise ControlError("wrong_state", "nobody who has answered is consulted")
        return self._third

    def _supervisor(self, channel: str) -> _Supervisor:
        if channel not in self._supervisors:
            raise ControlError("wrong_state", "this supervisor is not in the talk")
        return self._supervisors[channel]

    async def _dial_third(self, op: str, destination: str, caller_id: str, ring_seconds: float, agent: str) -> None:
        self._third_result, channel = "", f"{self.call.id}{THIRD}{_word(op)}"
        if agent:
            self.call.agents[channel] = agent
        self._third = await self._dial(channel, destination, caller_id, ring_seconds)

    async def _dial(self, channel: str, destination: str, caller_id: str, ring_seconds: float) -> "Leg":
        known = self._book.claim(self.call, channel)
        if known is not None:
            return known
        leg = self._book.new_leg(self.call, channel, destination)
        await self.call._originate(leg, caller_id, ring_seconds)
        self._book.spawn(self._give_up(leg, ring_seconds + 2.0))
        return leg

    async def _give_up(self, leg: "Leg", seconds: float) -> None:
        """A phone that rings for ever is given up by us when the engine does not."""
        await asyncio.sleep(seconds)
        if not leg.up and leg.ended_at is None:
            await self.call._quietly(partial(self._driver.hang_up, leg.channel, "no_answer"))
            leg.ended_at, leg.cause = leg.ended_at or self._book.now(), leg.cause or "no_answer"
            self.call.wake()

    async def _drop_third(self) -> None:
        third, self._third = self._third, None
        self._third_held = self._joined = False
        await self._part_from(third)

    async def _part_from(self, leg: "Leg | None") -> None:
        if leg is None:
            return
        placed = self._placed.pop(leg.channel, None)
        if placed == "talk" and leg.ended_at is None:
            # Out of the bridge before anybody else comes in: a bridge of three that becomes one of two again while its
            # third is still leaving was seen to keep one side in silence.
            await self.call._quietly(partial(self._driver.remove_from_bridge, self.bridge, leg.channel))
        if leg.ended_at is None:
            await self.call._quietly(partial(self._driver.hang_up, leg.channel, "normal" if leg.up else "cancelled"))

    # ----------------------------------------------------------------- after a crash

    @classmethod
    def adopt(
        cls, call: "LiveCall", name: str, state: Snapshot, claim: Callable[[str], "Leg | None"]
    ) -> "Conversation | None":
        """What goes on in the engine under this name, read back; None when nobody is there any more."""
        bridge = f"{call.id}{TALK}{name}"
        members = state.bridges.get(bridge, frozenset())
        leg = claim(name) if name in state.channels else None
        thirds = [one for one in map(claim, _of(state.channels, call.id + THIRD)) if one is not None]
        watching = [one for one in map(claim, _of(state.channels, call.id + WATCH)) if one is not None]
        third = next(iter(thirds), None)
        started = leg or third or next((one for one in watching if one.channel in members), None)
        if started is None:
            return None
        made = cls(call, started, name=name)
        if leg is None:
            made._transferred = not made._colleague(started)
            if not started.up:
                made._other, made._third, made._blind = None, started, True
        elif third is not None:
            made._third = third
            in_talk = {one for one in (call.id, third.channel) if one in members}
            made._held, made._joined = call.id not in in_talk, len(in_talk) == 2
            # Who has answered while nobody watched is not in the talk yet, and waits for nobody.
            made._third_held = third.up and in_talk == {call.id}
        else:
            made._held = call.id not in members
        for one in watching:
            if one is started:
                continue
            op = one.channel.removeprefix(call.id + WATCH)
            known = _Supervisor(one, op, "barge" if one.channel in members else "listen")
            modes: tuple[Watching, ...] = ("listen", "whisper")
            for mode in modes:
                for ear in _of(state.channels, known.ear(call.id, mode)):
                    known.mode, known.snoop = mode, ear
                    claim(ear)
            if one.up and (known.snoop or known.mode == "barge"):
                known.placed = known.mode
            made._supervisors[one.channel] = known
        if made._third is not None:
            # What an earlier process plays while it rings goes on, and is stopped like our own.
            made._ringing = _ringback(made._third.channel)
        for channel, place in made._wanted().items():
            # What is in the bridge is there; music is started once more, which does no harm.
            if place == "apart" or (place == "talk" and channel in members):
                made._placed[channel] = place
        call._bridges.add(bridge)
        call._bridges.update(one.bridge(call.id) for one in made._supervisors.values() if one.snoop)
        made._release = call.occupy()
        return made

    async def go_on(self) -> None:
        """Watch over an adopted talk."""
        try:
            if self._ringing is not None and not await self._driver.plays(self._ringing):
                self._ringing = None
            async with self._lock:
                await self._apply()
        except (HungUp, DriverError) as error:
            log.debug("call %s: adopted with %r", self.call.id, error)
        self._watch_over()


class _Order:
    """Around every order: one at a time, in a talk that goes on, and not twice by the same id."""

    def __init__(self, conversation: Conversation, op: str) -> None:
        self._conversation = conversation
        self._op = op

    async def __aenter__(self) -> None:
        one = self._conversation
        await one._lock.acquire()
        try:
            one.call._check()
            if self._op and self._op in one._done.ids:
                raise AlreadyDoneError(self._op)
            if one.result is not None:
                raise ControlError("no_talk", "the talk is over")
        except BaseException:
            one._lock.release()
            raise

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        one = self._conversation
        if kind is None and self._op:
            one._done.add(self._op)
        one._lock.release()
        one.call.wake()


class AlreadyDoneError(TelephonyError):
    """An order came a second time; the first was carried out."""

    def __init__(self, op: str) -> None:
        super().__init__("already_done", f"the order {op} was carried out before")


def _ringback(leg: str) -> str:
    """The ringing that the others hear while this leg is called: any process can tell its name, and stop it."""
    return f"{leg}-ringback"


def in_house(leg: "Leg") -> bool:
    """Whether a leg is at an extension of the house; of one found after a crash only the number is known."""
    kind, _, number = leg.destination.rpartition(":")
    return kind == "extension" or (not kind and number.isdecimal() and len(number) <= 6)


def _of(channels: Iterable[str], prefix: str) -> list[str]:
    return sorted(one for one in channels if one.startswith(prefix))


def _word(op: str) -> str:
    """An order's id as part of a channel's id."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", op):
        raise ControlError("bad_order", "an order's id is 1 to 64 letters, digits, '-' or '_'")
    return op
