"""The matching as a whole: its promises for any floor, each strategy, and its statistics against Erlang's formula."""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.queues.match import (
    Free,
    Offer,
    Overflow,
    QueueRules,
    Strategy,
    Waiting,
    can_serve,
    in_order,
    level,
    match,
    next_change,
)

NOW = 10_000.0
NAMES = ("a", "b", "c")
SKILLS = st.dictionaries(st.sampled_from(["english", "tax"]), st.integers(1, 9), max_size=2)

OVERFLOWS = st.builds(
    Overflow, st.sampled_from(NAMES), st.sampled_from([0.0, 40.0]), st.sampled_from(["always", "no_agents"])
)
RULES = st.builds(
    QueueRules,
    strategy=st.sampled_from(list(Strategy)),
    last_agent=st.booleans(),
    last_agent_seconds=st.sampled_from([0.0, 30.0]),
    skills=SKILLS,
    seats=st.sampled_from([frozenset[str](), frozenset({"expert"}), frozenset({"ordinary", "expert"})]),
    priority=st.integers(-2, 2),
    age_seconds=st.sampled_from([0.0, 20.0, 60.0]),
    overflow=st.lists(
        st.builds(
            Overflow, st.sampled_from(NAMES), st.sampled_from([0.0, 40.0]), st.sampled_from(["always", "no_agents"])
        ),
        max_size=2,
    ),
    staffed=st.booleans(),
)
AGENTS = st.lists(
    st.builds(
        Free,
        id=st.sampled_from([f"agent{n}" for n in range(6)]),
        queues=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5), max_size=3),
        idle_since=st.floats(NOW - 300, NOW),
        skills=SKILLS,
        seat=st.sampled_from(["ordinary", "expert", "supervisor"]),
        calls=st.integers(0, 9),
        share=st.floats(0, 1),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)
CALLERS = st.lists(
    st.builds(
        Waiting,
        id=st.integers(0, 30).map(lambda n: f"caller{n}"),
        queue=st.sampled_from([*NAMES, "gone"]),
        since=st.floats(NOW - 300, NOW),
        priority=st.integers(-3, 3),
        vip=st.booleans(),
        transferred=st.booleans(),
        skills=SKILLS,
        wanted=st.none() | st.sampled_from(["agent0", "agent1"]),
        last_agent=st.none() | st.sampled_from(["agent0", "agent2"]),
        again=st.dictionaries(st.sampled_from(["agent0", "agent3"]), st.floats(NOW - 10, NOW + 10), max_size=2),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)
FLOORS = st.tuples(CALLERS, AGENTS, st.fixed_dictionaries(dict.fromkeys(NAMES, RULES)))
Floor = tuple[list[Waiting], list[Free], dict[str, QueueRules]]


@given(FLOORS)
@settings(max_examples=150, deadline=None)
def test_nobody_is_offered_twice_and_nobody_idles_while_a_caller_they_can_serve_waits(floor: Floor) -> None:
    waiting, agents, rules = floor
    offers = match(waiting, agents, rules, NOW)
    assert len({offer.waiting for offer in offers}) == len(offers) == len({offer.agent for offer in offers})
    callers, free = {one.id: one for one in waiting}, {one.id: one for one in agents}
    for offer in offers:
        assert can_serve(free[offer.agent], callers[offer.waiting], rules, NOW) == offer.queue
    idle = [one for one in agents if one.id not in {offer.agent for offer in offers}]
    left = [one for one in waiting if one.id not in {offer.waiting for offer in offers}]
    assert [(a.id, c.id) for a in idle for c in left if can_serve(a, c, rules, NOW) is not None] == []


@given(FLOORS)
@settings(max_examples=60, deadline=None)
def test_no_caller_is_passed_over_for_a_later_one(floor: Floor) -> None:
    waiting, agents, rules = floor
    taken = {offer.waiting: offer.agent for offer in match(waiting, agents, rules, NOW)}
    free = {one.id: one for one in agents}
    line = in_order(waiting, rules, NOW)
    for number, first in enumerate(line):
        if first.id in taken:
            continue
        for later in line[number + 1 :]:
            if later.id in taken:
                assert can_serve(free[taken[later.id]], first, rules, NOW) is None


@given(FLOORS)
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_rows_are_read_changes_nothing(floor: Floor) -> None:
    waiting, agents, rules = floor
    assert match(waiting, agents, rules, NOW) == match(waiting[::-1], agents[::-1], rules, NOW)


@given(FLOORS, st.floats(0, 500))
@settings(max_examples=60, deadline=None)
def test_between_two_changes_of_time_nothing_more_can_be_served(floor: Floor, later: float) -> None:
    """`next_change` is never too late: a node that sleeps until then misses nothing."""
    waiting, agents, rules = floor
    for one in waiting:
        change = next_change(one, rules, NOW)
        until = NOW + later
        if change is None or until < change - 1e-6:
            for agent in agents:
                before, after = can_serve(agent, one, rules, NOW), can_serve(agent, one, rules, until)
                assert (before is None) == (after is None)


def test_who_waits_for_one_agent_outside_of_any_queue_is_offered_again_in_time() -> None:
    one = Waiting("caller", "", NOW - 5, wanted="ann", again={"ann": NOW + 10})
    assert next_change(one, {}, NOW) == NOW + 10
    assert can_serve(Free("ann", {}, NOW), one, {}, NOW) is None
    assert can_serve(Free("ann", {}, NOW), one, {}, NOW + 10) is not None


@given(st.integers(0, 5), st.integers(0, 30), st.sampled_from([10.0, 60.0]))
@settings(max_examples=60, deadline=None)
def test_nobody_starves_however_many_better_callers_come(priority: int, others: int, age: float) -> None:
    rules = {"a": QueueRules(age_seconds=age)}
    agent = Free("agent", {"a": 0}, 0.0)
    poor = Waiting("poor", "a", 0.0)
    line = [poor, *(Waiting(f"first{n}", "a", 0.0, priority=priority, vip=True) for n in range(others))]
    bound = age * (priority + 10 + 1) + 10.0 * (others + 1)
    now, number = 0.0, 0
    while poor in line:
        (offer,) = match(line, [agent], rules, now)
        line = [one for one in line if one.id != offer.waiting]
        now += 10.0
        number += 1
        # A new caller of the best kind comes with every call that is served.
        line.append(Waiting(f"new{number}", "a", now, priority=priority, vip=True))
        assert now <= bound + 10.0 * len(line), "the first caller has starved"


def test_the_level_only_rises() -> None:
    rules = QueueRules(age_seconds=60)
    one = Waiting("x", "a", 0.0, priority=1, vip=True, transferred=True)
    levels = [level(one, rules, float(now)) for now in range(0, 600, 10)]
    assert levels == sorted(levels) and levels[0] == 16 and levels[-1] == 25


def agents(**changes: Any) -> list[Free]:
    usual = [
        Free("ann", {"a": 2, "b": 0}, 100.0, {"english": 3}, calls=5, share=0.5),
        Free("bob", {"a": 1}, 200.0, {"english": 9}, calls=1, share=0.9),
        Free("cat", {"a": 3}, 300.0, {}, calls=9, share=0.1),
        Free("dan", {"a": 0}, 50.0, {"english": 9}, seat="supervisor"),
    ]
    return [replace(one, **changes) for one in usual]


@pytest.mark.parametrize(
    ("strategy", "chosen"),
    [
        (Strategy.LONGEST_IDLE, "ann"),
        (Strategy.FEWEST_CALLS, "bob"),
        (Strategy.EVEN_SHARE, "cat"),
        (Strategy.RING_ORDER, "bob"),
        (Strategy.LAST_AGENT, "cat"),
    ],
)
def test_each_strategy(strategy: Strategy, chosen: str) -> None:
    caller = Waiting("x", "a", 0.0, last_agent="cat")
    assert match([caller], agents(), {"a": QueueRules(strategy=strategy)}, 400.0) == [Offer("x", chosen, "a")]


def test_the_best_skill_among_those_who_have_enough() -> None:
    rules = {"a": QueueRules(strategy=Strategy.SKILL, skills={"english": 2})}
    line = [Waiting(f"x{n}", "a", float(n)) for n in range(4)]
    # A supervisor is the last resort, and who lacks the skill is none at all.
    assert [offer.agent for offer in match(line, agents(), rules, 10.0)] == ["bob", "ann", "dan"]


def test_mixed_strategies_meet_in_one_agent() -> None:
    rules = {"a": QueueRules(strategy=Strategy.RING_ORDER), "b": QueueRules(strategy=Strategy.LONGEST_IDLE, priority=1)}
    offers = match([Waiting("x", "a", 0.0), Waiting("y", "b", 5.0)], agents(), rules, 10.0)
    assert offers == [Offer("y", "ann", "b"), Offer("x", "bob", "a")]


def test_the_last_agent_is_waited_for_a_while_and_no_longer() -> None:
    rules = {"a": QueueRules(last_agent=True, last_agent_seconds=30)}
    caller = Waiting("x", "a", 0.0, last_agent="away")
    assert match([caller], agents(), rules, 29.0) == []
    assert next_change(caller, rules, 29.0) == 30.0
    assert match([caller], agents(), rules, 30.0) == [Offer("x", "ann", "a")]


def test_overflow_by_time_and_by_absence() -> None:
    caller = Waiting("x", "b", 0.0)
    others = [one for one in agents() if one.id != "ann"]
    rules = {"a": QueueRules(), "b": QueueRules(overflow=[Overflow("a", 30)])}
    assert match([caller], others, rules, 29.0) == [] and match([caller], others, rules, 30.0)[0].queue == "a"
    absent = {"a": QueueRules(), "b": QueueRules(overflow=[Overflow("a", 0, "no_agents")], staffed=False)}
    assert match([caller], others, absent, 1.0)[0].agent == "bob"
    assert match([caller], others, {**absent, "b": replace(absent["b"], staffed=True)}, 1.0) == []


# --------------------------------------------------------------------------- statistics


def erlang_c(servers: int, load: float) -> float:
    """The probability that a caller waits in an M/M/c queue offered `load` erlangs."""
    blocked = 1.0  # Erlang B by its recursion, which stays within range for any number of servers
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    use = load / servers
    return blocked / (1 - use * (1 - blocked))


def test_erlangs_formula_itself() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.4092, abs=1e-4)


def simulate(servers: int, load: float, calls: int, handle: float, seed: int, strategy: Strategy) -> Iterator[float]:
    """The wait of each call of an M/M/c queue, in the order in which they came, by `match` in virtual time."""
    draw = random.Random(seed)
    rules = {"a": QueueRules(strategy=strategy, age_seconds=1e9)}
    free = {f"{n}": Free(f"{n}", {"a": n}, 0.0) for n in range(servers)}
    served = dict.fromkeys(free, 0)
    waiting: dict[str, Waiting] = {}
    events: list[tuple[float, int, str]] = [(draw.expovariate(load / handle), 0, "0")]
    waits: dict[int, float] = {}
    told = 0
    while events:
        now, kind, who = heapq.heappop(events)
        if kind == 0:
            waiting[who] = Waiting(who, "a", now)
            if int(who) + 1 < calls:
                heapq.heappush(events, (now + draw.expovariate(load / handle), 0, f"{int(who) + 1}"))
        else:
            free[who] = Free(who, {"a": int(who)}, now, calls=served[who])
        for offer in match(waiting.values(), free.values(), rules, now):
            caller = waiting.pop(offer.waiting)
            del free[offer.agent]
            served[offer.agent] += 1
            waits[int(caller.id)] = now - caller.since
            heapq.heappush(events, (now + draw.expovariate(1 / handle), 1, offer.agent))
        while told in waits:
            yield waits.pop(told)
            told += 1


def interval(values: list[float], batches: int = 20) -> tuple[float, float]:
    """Mean and half the width of its 99 % confidence interval, by means of batches (waits depend on each other)."""
    size = len(values) // batches
    means = [sum(values[n * size : (n + 1) * size]) / size for n in range(batches)]
    mean = sum(means) / batches
    spread = math.sqrt(sum((one - mean) ** 2 for one in means) / (batches - 1))
    return mean, 2.861 * spread / math.sqrt(batches)  # Student's t for 19 degrees of freedom


@pytest.mark.parametrize(
    ("servers", "load", "calls", "strategy"),
    [
        (10, 8.0, 20_000, Strategy.LONGEST_IDLE),
        (10, 8.0, 20_000, Strategy.RING_ORDER),
        (100, 92.0, 20_000, Strategy.LONGEST_IDLE),
        pytest.param(1000, 965.0, 100_000, Strategy.LONGEST_IDLE, marks=pytest.mark.soak),
    ],
)
def test_waits_are_those_of_erlang_c(servers: int, load: float, calls: int, strategy: Strategy) -> None:
    """Whatever the strategy, it is an M/M/c queue: Erlang C lies within the confidence interval."""
    handle = 180.0
    warm = calls // 10
    waits = list(simulate(servers, load, calls, handle, 4711, strategy))[warm:]
    delayed, width = interval([float(wait > 0) for wait in waits])
    expected = erlang_c(servers, load)
    assert abs(delayed - expected) <= width < 0.2, f"{delayed:.4f} ± {width:.4f} against {expected:.4f}"
    mean, width = interval(waits)
    wanted = expected * handle / (servers - load)
    assert abs(mean - wanted) <= width, f"{mean:.3f} ± {width:.3f} s against {wanted:.3f} s"


def _shares(strategy: Strategy) -> list[int]:
    counts = [0] * 10
    draw = random.Random(5)
    rules = {"a": QueueRules(strategy=strategy)}
    free = {f"{n}": Free(f"{n}", {"a": n}, 0.0) for n in range(10)}
    busy: list[tuple[float, str]] = []
    now = 0.0
    for number in range(2000):
        now += draw.expovariate(1 / 30)
        while busy and busy[0][0] <= now:
            at, who = heapq.heappop(busy)
            free[who] = Free(who, {"a": int(who)}, at, calls=counts[int(who)])
        for offer in match([Waiting(f"{number}", "a", now)], free.values(), rules, now):
            del free[offer.agent]
            counts[int(offer.agent)] += 1
            heapq.heappush(busy, (now + draw.expovariate(1 / 120), offer.agent))
    return counts


def test_strategies_share_the_work_as_they_promise() -> None:
    fewest, order = _shares(Strategy.FEWEST_CALLS), _shares(Strategy.RING_ORDER)
    assert max(fewest) - min(fewest) <= 10
    assert order == sorted(order, reverse=True) and order[0] > 5 * order[-1]
