"""The silence guard: nobody on a call of ours listens to a dead line.

`SilenceGuard` is the timing alone, free of clocks and sound, so that it can be proven. `LiveCall` feeds it
with the beginning and end of every command and does what it asks for.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from telephony.errors import SpeechError
from telephony.prompts import Item

if TYPE_CHECKING:
    from telephony.live_call import LiveCall

Action = Literal["comfort", "apologise"]


@dataclass(frozen=True, slots=True)
class GuardTimes:
    """``comfort`` seconds without a command until comfort audio, ``apology`` seconds until the apology.

    The comfort limit lies under two seconds, because commands and audio take a moment too.
    """

    comfort: float = 1.4
    apology: float = 30.0


@dataclass(slots=True)
class SilenceGuard:
    """When comfort begins and ends, and when the apology is due.

    - Comfort begins when an answered call has been without a command for ``times.comfort`` seconds.
    - It ends with the next command.
    - The apology is due after ``times.apology`` seconds without a command, answered or not, once in a call.
    - Commands overlap: the call is idle when none is left.
    """

    times: GuardTimes = field(default_factory=GuardTimes)
    up: bool = False
    busy: int = 0
    idle_since: float = 0.0
    comforting: bool = False
    apologised: bool = False
    over: bool = False

    def begins(self, now: float) -> bool:
        """A command begins. True when comfort audio plays and has to stop."""
        self.busy += 1
        stop, self.comforting = self.comforting, False
        return stop

    def ends(self, now: float) -> None:
        """A command has ended."""
        if self.busy <= 0:
            raise ValueError("a command ended that never began")
        self.busy -= 1
        if self.busy == 0:
            self.idle_since = now

    def due(self) -> float | None:
        """When `act` has something to do next, None for never as things stand."""
        if self.over or self.busy:
            return None
        times = []
        if self.up and not self.comforting:
            times.append(self.idle_since + self.times.comfort)
        if not self.apologised:
            times.append(self.idle_since + self.times.apology)
        return min(times, default=None)

    def act(self, now: float) -> Action | None:
        """What to do now, if anything."""
        due = self.due()
        if due is None or now < due:
            return None
        if not self.apologised and now >= self.idle_since + self.times.apology:
            self.apologised = True
            return "apologise"
        self.comforting = True
        return "comfort"


async def offer_fallback(
    call: "LiveCall",
    apology: Sequence[Item],
    destination: str,
    *,
    caller_id: str,
    ring_seconds: float = 40.0,
) -> bool:
    """Say sorry and connect the caller with the fallback number; True when they talked to somebody.

    The call is hung up after the talk. When nobody answers, it stays up: the caller hears comfort audio and
    the flow goes on when it can. An empty `destination` means apology only.
    """
    await call.answer()
    with contextlib.suppress(SpeechError):
        # A missing voice is no reason to keep the caller from a person.
        await call.say(apology)
    if not destination:
        return False
    leg = f"{call.id}-fallback"
    result = await call.dial(leg, destination, caller_id=caller_id, ring_seconds=ring_seconds)
    if result.result != "answered":
        return False
    call.taken_over = True
    try:
        await call.talk(leg)
        await call.hang_up()
    finally:
        call.taken_over = False
    return True
