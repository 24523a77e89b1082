"""The live overlay of a flow: where its runs stand, and what was just passed (FL6)."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from backend.calls.models import Run, TrailEntry
from backend.database import Database, read, utcnow
from backend.events import Event, EventBus

TICK = 0.5
"""Seconds that changes are put together for."""
_TOPICS = frozenset({"trail.steps", "run.started", "run.finished"})
_MOST = 500


@dataclass(frozen=True, slots=True)
class Live:
    """A moment: runs by the node in which they stand, and passages by node and port since the moment before."""

    at: datetime
    standing: dict[str, int]
    passed: dict[tuple[str, str], int] = field(default_factory=dict)


async def standing_now(db: Database, business_id: str, key: str) -> dict[str, int]:
    """Runs in progress by the node of a flow in which they stand."""
    running = select(Run.id).where(Run.business_id == business_id, Run.state == "running")
    found = (
        select(TrailEntry.node_id, func.count())
        .where(col(TrailEntry.run_id).in_(running), TrailEntry.flow_key == key, col(TrailEntry.left).is_(None))
        .group_by(col(TrailEntry.node_id))
    )
    async with read(db) as session:
        return {node: count for node, count in await session.exec(found)}  # noqa: C416  rows are no pairs to mypy


async def watch(db: Database, bus: EventBus, business_id: str, key: str) -> AsyncGenerator[Live, None]:
    """A moment at once, then one whenever something changed, at most one a `TICK`."""
    told: set[tuple[str, int]] = set()
    with bus.subscribe(
        lambda event: event.business_id == business_id and event.topic in _TOPICS, size=20_000
    ) as events:
        before = await standing_now(db, business_id, key)
        yield Live(utcnow(), before)
        reader = aiter(events)
        while True:
            try:
                batch = [await anext(reader)]
            except StopAsyncIteration:
                return
            await asyncio.sleep(TICK)
            batch += events.waiting()
            passed = await _passed(db, business_id, key, batch, told)
            now = await standing_now(db, business_id, key)
            if passed or now != before:
                before = now
                yield Live(utcnow(), now, dict(passed))


async def _passed(
    db: Database, business_id: str, key: str, batch: list[Event], told: set[tuple[str, int]]
) -> Counter[tuple[str, str]]:
    """Ports that were left in the steps of these events, each step once."""
    wanted: dict[str, set[int]] = {}
    for event in batch:
        if event.topic == "trail.steps":
            wanted.setdefault(event.subject, set()).update(int(seq) for seq in event.data["seqs"])
    passed: Counter[tuple[str, str]] = Counter()
    runs = list(wanted)
    async with read(db) as session:
        for start in range(0, len(runs), _MOST):
            found = select(TrailEntry.run_id, TrailEntry.seq, TrailEntry.node_id, TrailEntry.port).where(
                col(TrailEntry.run_id).in_(runs[start : start + _MOST]),
                TrailEntry.business_id == business_id,
                TrailEntry.flow_key == key,
                col(TrailEntry.port).is_not(None),
            )
            for run, seq, node, port in await session.exec(found):
                if seq in wanted[run] and (run, seq) not in told and port is not None:
                    told.add((run, seq))
                    passed[node, port] += 1
    for event in batch:
        if event.topic == "run.finished":
            told.difference_update([one for one in told if one[0] == event.subject])
    return passed
