"""What an agent does at a moment, and how that changes: one pure machine for every kind of phone.

``step(desk, event, at)`` gives the next desk or raises `WrongStateError`. Nothing here waits, reads or writes.

- Wishes made in the middle of a call (ready, not ready, sign out) are kept in ``wish`` and granted after it.
- A call that a colleague gives on rings at whoever is free, ready or not; it ends as a queue's call does.
- An offer that the caller withdrew leaves the agent as before, first in the order of idle ones as they were.
- Only offers that rang and were not taken count as misses; too many in a row make the agent not ready.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MISSED = "missed"
"""The reason of an agent who did not answer too often."""


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """What an agent does."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    NOT_READY = "not_ready"
    OFFERED = "offered"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent wants to be after the call."""

    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """An agent at a moment.

    ``since``       when the state began; ``until`` when wrap-up ends by itself, None for by hand
    ``idle_since``  since when the agent has been waiting for a call: the order of the longest idle
    ``misses``      offers in a row that were not taken
    ``calls``       queue calls taken, and ``busy_seconds`` spent on them, since signing in
    """

    state: State = State.SIGNED_OUT
    since: datetime = LONG_AGO
    reason: str = ""
    wish: Wish | None = None
    until: datetime | None = None
    idle_since: datetime | None = None
    signed_in_at: datetime | None = None
    misses: int = 0
    calls: int = 0
    busy_seconds: float = 0.0


class WrongStateError(Exception):
    """This cannot happen to an agent in that state."""

    def __init__(self, event: "Event", state: State) -> None:
        super().__init__(f"{type(event).__name__} cannot happen while {state.value}")
        self.state = state


@dataclass(frozen=True, slots=True)
class SignIn:
    ready: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SignOut:
    pass


@dataclass(frozen=True, slots=True)
class GoReady:
    pass


@dataclass(frozen=True, slots=True)
class GoNotReady:
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """A caller of a queue is offered: the phone rings."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The caller left, or the offer was taken back, while it rang."""


@dataclass(frozen=True, slots=True)
class Missed:
    """The phone rang in vain, or was busy or refused. `limit` misses in a row are too many, 0 for no limit."""

    limit: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class PhoneLost:
    """The agent's phone went away in the middle of a queue call, which is offered to the same agent again."""


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """A queue call is over. ``wrap_up`` seconds of work after it, None until it is ended by hand."""

    wrap_up: float | None = 0.0


@dataclass(frozen=True, slots=True)
class WrapUpDone:
    pass


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A call of the agent's own: dialled, or from a colleague."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    pass


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A colleague gives a call on, or asks about it: the phone rings, also of who is not ready."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A colleague's question was answered; the caller is still the colleague's."""


@dataclass(frozen=True, slots=True)
class TookOver:
    """A colleague's caller is theirs from now on."""


Event = (
    SignIn | SignOut | GoReady | GoNotReady | Offered | Withdrawn | Missed | Answered
    | PhoneLost | TalkEnded | WrapUpDone | CallBegan | CallEnded | HandedOn | Asked | TookOver
)  # fmt: skip

ON_A_CALL = frozenset({State.OFFERED, State.TALKING, State.BUSY})
FREE = (State.READY, State.NOT_READY, State.WRAP_UP)
SIGNED_IN = frozenset(State) - {State.SIGNED_OUT}


def step(desk: Desk, event: Event, at: datetime) -> Desk:
    """The desk after an event. Raises `WrongStateError` when it cannot happen now."""
    match event:
        case SignIn():
            return _sign_in(desk, event, at)
        case SignOut():
            if desk.state in ON_A_CALL:
                return replace(desk, wish=Wish(State.SIGNED_OUT))
            return _become(desk, State.SIGNED_OUT, at)
        case GoReady() | GoNotReady():
            return _wanted(desk, event, at)
        case Offered():
            _demand(desk, event, State.READY)
            return replace(_become(desk, State.OFFERED, at), idle_since=desk.idle_since)
        case Withdrawn():
            _demand(desk, event, State.OFFERED)
            return _back(desk, at, keep_place=True)
        case Missed(limit=limit):
            _demand(desk, event, State.OFFERED)
            missed = replace(desk, misses=desk.misses + 1)
            if limit and missed.misses >= limit and (desk.wish is None or desk.wish.state is State.READY):
                return replace(_become(missed, State.NOT_READY, at, MISSED), misses=0, wish=None)
            return _back(missed, at)
        case Answered():
            _demand(desk, event, State.OFFERED)
            return replace(_become(desk, State.TALKING, at), misses=0, calls=desk.calls + 1, wish=desk.wish)
        case PhoneLost():
            _demand(desk, event, State.TALKING)
            # The same call counts once, however often it is taken up.
            return replace(_become(_worked(desk, at), State.OFFERED, at), calls=max(0, desk.calls - 1))
        case TalkEnded(wrap_up=wrap_up):
            _demand(desk, event, State.TALKING)
            return _after_talk(desk, wrap_up, at)
        case WrapUpDone():
            _demand(desk, event, State.WRAP_UP)
            return _back(_worked(desk, at), at)
        case CallBegan():
            _demand(desk, event, *FREE)
            return replace(_become(desk, State.BUSY, at), wish=_wish_after(desk))
        case CallEnded():
            _demand(desk, event, State.BUSY)
            return _back(desk, at)
        case HandedOn():
            _demand(desk, event, *FREE)
            return replace(_become(desk, State.OFFERED, at), idle_since=desk.idle_since, wish=_wish_after(desk))
        case Asked():
            _demand(desk, event, State.OFFERED)
            return _become(desk, State.BUSY, at)
        case TookOver():
            _demand(desk, event, *FREE, State.OFFERED, State.BUSY)
            return replace(_become(desk, State.TALKING, at), misses=0, calls=desk.calls + 1, wish=_wish_after(desk))


def _wish_after(desk: Desk) -> Wish | None:
    """What follows a call that no queue gave: where they were, or what they have wished for already."""
    if desk.state in (State.READY, State.NOT_READY):
        return Wish(desk.state, desk.reason)
    return desk.wish or Wish(State.READY)


def _demand(desk: Desk, event: Event, *states: State) -> None:
    if desk.state not in states:
        raise WrongStateError(event, desk.state)


def _become(desk: Desk, state: State, at: datetime, reason: str = "") -> Desk:
    """Change the state; what belongs to the old one goes. A wish lasts while the agent is on a call."""
    if state is State.SIGNED_OUT:
        return Desk(State.SIGNED_OUT, at, busy_seconds=desk.busy_seconds, calls=desk.calls)
    return replace(
        desk,
        state=state,
        since=at,
        reason=reason,
        until=None,
        idle_since=at if state is State.READY else None,
        wish=desk.wish if state in ON_A_CALL or state is State.WRAP_UP else None,
    )


def _sign_in(desk: Desk, event: SignIn, at: datetime) -> Desk:
    if desk.state is not State.SIGNED_OUT:
        return desk  # a page that loads again, or a second window
    fresh = Desk(State.SIGNED_OUT, at, signed_in_at=at)
    return _become(fresh, State.READY if event.ready else State.NOT_READY, at, "" if event.ready else event.reason)


def _wanted(desk: Desk, event: GoReady | GoNotReady, at: datetime) -> Desk:
    wish = Wish(State.READY) if isinstance(event, GoReady) else Wish(State.NOT_READY, event.reason)
    if desk.state is State.SIGNED_OUT:
        raise WrongStateError(event, desk.state)
    if desk.state in ON_A_CALL:
        return replace(desk, wish=wish)
    if desk.state is wish.state and desk.reason == wish.reason:
        return desk
    working = _worked(desk, at) if desk.state is State.WRAP_UP else desk
    return replace(_become(working, wish.state, at, wish.reason), misses=0)


def _worked(desk: Desk, at: datetime) -> Desk:
    return replace(desk, busy_seconds=desk.busy_seconds + max(0.0, (at - desk.since).total_seconds()))


def _after_talk(desk: Desk, wrap_up: float | None, at: datetime) -> Desk:
    worked = _worked(desk, at)
    if wrap_up is not None and wrap_up <= 0:
        return _back(worked, at)
    until = None if wrap_up is None else at + timedelta(seconds=wrap_up)
    return replace(_become(worked, State.WRAP_UP, at), until=until)


def _back(desk: Desk, at: datetime, *, keep_place: bool = False) -> Desk:
    """What comes after a call: what was wished for, else ready."""
    wish = desk.wish or Wish(State.READY)
    after = replace(_become(desk, wish.state, at, wish.reason), wish=None)
    if keep_place and after.state is State.READY:
        return replace(after, idle_since=desk.idle_since or at)
    return after
