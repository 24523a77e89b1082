"""Who is offered to whom: a pure function of who waits, who is free, the rules and the time.

- Callers come in one line over all queues of the business: by level (priority, VIP, transferred, and a step more for
  every ``age_seconds`` of waiting), then by who has waited longest. So no caller starves: whoever comes later begins
  lower, and within a level the earlier one is first.
- Each caller in that order gets the best free agent who can serve them, by the strategy of their queue. An agent in
  many queues is weighed by the strategy of each caller's own queue.
- Nobody is offered twice, and no agent stays idle while a caller waits whom they can serve.

Businesses never meet: each is matched with its own callers and agents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

VIP_STEPS = 10
TRANSFERRED_STEPS = 5


class Strategy(StrEnum):
    """How a queue chooses among the agents who can serve a caller."""

    LONGEST_IDLE = "longest_idle"
    FEWEST_CALLS = "fewest_calls"
    EVEN_SHARE = "even_share"
    SKILL = "skill"
    RING_ORDER = "ring_order"
    LAST_AGENT = "last_agent"


@dataclass(frozen=True, slots=True)
class Overflow:
    """After a while the agents of another queue serve these callers too; ``no_agents`` only when the own queue has none
    signed in."""

    queue: str
    after: float
    when: Literal["always", "no_agents"] = "always"


@dataclass(frozen=True, slots=True)
class QueueRules:
    """The rules of one queue. ``staffed`` tells whether any agent of it is signed in."""

    strategy: Strategy = Strategy.LONGEST_IDLE
    last_agent: bool = False
    last_agent_seconds: float = 0.0
    skills: Mapping[str, int] = field(default_factory=dict)
    seats: frozenset[str] = frozenset()
    priority: int = 0
    age_seconds: float = 60.0
    overflow: Sequence[Overflow] = ()
    staffed: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller in line. Times are seconds of one clock. ``again`` tells from when on an agent may be tried again."""

    id: str
    queue: str
    since: float
    priority: int = 0
    vip: bool = False
    transferred: bool = False
    skills: Mapping[str, int] = field(default_factory=dict)
    wanted: str | None = None
    last_agent: str | None = None
    again: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Free:
    """An agent who is ready. ``queues`` is the ring order by queue; ``share`` is how much of their time they worked."""

    id: str
    queues: Mapping[str, int]
    idle_since: float
    skills: Mapping[str, int] = field(default_factory=dict)
    seat: str = "ordinary"
    calls: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Offer:
    """This caller rings at this agent; `queue` is the one through which the agent serves them."""

    waiting: str
    agent: str
    queue: str


def level(one: Waiting, rules: QueueRules, now: float) -> int:
    """The caller's level at a time; it only rises while they wait."""
    steps = one.priority + rules.priority + VIP_STEPS * one.vip + TRANSFERRED_STEPS * one.transferred
    return steps + (int(max(0.0, now - one.since) // rules.age_seconds) if rules.age_seconds > 0 else 0)


def in_order(waiting: Iterable[Waiting], rules: Mapping[str, QueueRules], now: float) -> list[Waiting]:
    """The line: who is first, second ..."""
    usual = QueueRules()
    return sorted(waiting, key=lambda one: (-level(one, rules.get(one.queue, usual), now), one.since, one.id))


def queues_open_to(one: Waiting, rules: Mapping[str, QueueRules], now: float) -> list[str]:
    """The queues whose agents may serve a caller by now, the own one first."""
    own = rules.get(one.queue)
    if own is None:
        return []
    waited = now - one.since
    more = [
        rule.queue
        for rule in own.overflow
        if rule.queue in rules and waited >= rule.after and (rule.when == "always" or not own.staffed)
    ]
    return list(dict.fromkeys([one.queue, *more]))


def next_change(one: Waiting, rules: Mapping[str, QueueRules], now: float) -> float | None:
    """When more agents may serve this caller by the mere passing of time, or None."""
    own = rules.get(one.queue)
    times = list(one.again.values())
    if own is not None:
        times += [one.since + rule.after for rule in own.overflow]
    if own is not None and one.last_agent is not None and _prefers_last(own):
        times.append(one.since + own.last_agent_seconds)
    return min((time for time in times if time > now), default=None)


def can_serve(agent: Free, one: Waiting, rules: Mapping[str, QueueRules], now: float) -> str | None:
    """The queue through which an agent may serve a caller now, or None."""
    return _server(one, rules, now)(agent)


def _server(one: Waiting, rules: Mapping[str, QueueRules], now: float) -> Callable[[Free], str | None]:
    """As `can_serve` for one caller and any agent: what holds for all agents is looked at once."""
    own = rules.get(one.queue)
    open_to = [(name, rules[name].seats) for name in queues_open_to(one, rules, now)]
    needed = [*own.skills.items(), *one.skills.items()] if own is not None else []
    only_last = (
        own is not None
        and one.last_agent is not None
        and _prefers_last(own)
        and now - one.since < own.last_agent_seconds
    )
    only = one.wanted if one.wanted is not None else one.last_agent if only_last else None
    again = one.again

    def server(agent: Free) -> str | None:
        if only is not None and only != agent.id:
            return None
        if again and again.get(agent.id, now) > now:
            return None
        if one.wanted is not None:
            return one.queue
        for skill, least in needed:
            if agent.skills.get(skill, 0) < least:
                return None
        for name, seats in open_to:
            if name in agent.queues and (not seats or agent.seat in seats):
                return name
        return None

    return server


def _prefers_last(rules: QueueRules) -> bool:
    return rules.last_agent or rules.strategy is Strategy.LAST_AGENT


def _mastery(agent: Free, one: Waiting, own: QueueRules) -> int:
    return sum(agent.skills.get(skill, 0) for skill in {*own.skills, *one.skills})


Rank = tuple[float | str, ...]


def _rank(one: Waiting, own: QueueRules, queue: str) -> Callable[[Free], Rank]:
    """How good an agent is for a caller: the smallest comes first."""
    sticky = one.last_agent if _prefers_last(own) else None
    supervisors_last = "supervisor" not in own.seats
    choice = _choice(one, own, queue)

    def rank(agent: Free) -> Rank:
        last_resort = supervisors_last and agent.seat == "supervisor"
        elsewhere = queue not in agent.queues
        return agent.id != sticky, last_resort, elsewhere, choice(agent), agent.idle_since, agent.id

    return rank


def _choice(one: Waiting, own: QueueRules, queue: str) -> Callable[[Free], float]:
    match own.strategy:
        case Strategy.FEWEST_CALLS:
            return lambda agent: agent.calls
        case Strategy.EVEN_SHARE:
            return lambda agent: agent.share
        case Strategy.SKILL:
            return lambda agent: -_mastery(agent, one, own)
        case Strategy.RING_ORDER:
            return lambda agent: agent.queues.get(queue, 0)
        case _:
            return lambda agent: 0.0


def match(
    waiting: Iterable[Waiting], agents: Iterable[Free], rules: Mapping[str, QueueRules], now: float
) -> list[Offer]:
    """Offers to be made now, the first caller's first."""
    free = {agent.id: agent for agent in agents}
    offers: list[Offer] = []
    if not free:
        return offers
    for one in in_order(waiting, rules, now):
        server = _server(one, rules, now)
        able = [(agent, queue) for agent in free.values() if (queue := server(agent)) is not None]
        if not able:
            continue
        rank = _rank(one, rules.get(one.queue, QueueRules()), one.queue)
        best, queue = min(able, key=lambda pair: rank(pair[0]))
        offers.append(Offer(one.id, best.id, queue))
        del free[best.id]
        if not free:
            break
    return offers
