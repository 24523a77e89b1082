"""What happened in the nodes of a flow over a period: the numbers behind heat map and drop-off (FL6)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Integer, case, cast, extract, func, literal, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from backend.calls.models import Run, TrailEntry
from backend.database import Database, read

ALL_VERSIONS = 0


@dataclass(slots=True)
class NodeStatistics:
    """One node. Times are seconds in the node, of those who left it; ``standing`` are the runs in it now."""

    node_id: str
    node_type: str = ""
    entered: int = 0
    left: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    hangups: int = 0
    standing: int = 0
    median: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class FlowStatistics:
    """A flow over a period."""

    runs: int
    outcomes: dict[str, int]
    nodes: list[NodeStatistics]


def _seconds(sqlite: bool) -> ColumnElement[float]:
    """How long a step took."""
    left, entered = col(TrailEntry.left), col(TrailEntry.entered)
    if sqlite:
        return cast((func.julianday(left) - func.julianday(entered)) * 86_400.0, Float)
    return cast(extract("epoch", left - entered), Float)


async def flow_statistics(
    db: Database, business_id: str, key: str, *, since: datetime, until: datetime, version: int = ALL_VERSIONS
) -> FlowStatistics:
    """Count the steps of a flow that were entered in a period; of one version, or of all of them."""

    def mine(statement: Any) -> Any:
        statement = statement.where(
            col(TrailEntry.business_id) == business_id,
            col(TrailEntry.flow_key) == key,
            col(TrailEntry.entered) >= since,
            col(TrailEntry.entered) < until,
        )
        if version != ALL_VERSIONS:
            statement = statement.join(Run, col(Run.id) == col(TrailEntry.run_id)).where(
                col(Run.flow_version) == version
            )
        return statement

    nodes: dict[str, NodeStatistics] = {}

    def node(id: str) -> NodeStatistics:
        return nodes.setdefault(id, NodeStatistics(id))

    async with read(db) as session:
        counted = mine(
            select(
                col(TrailEntry.node_id),
                func.max(col(TrailEntry.node_type)),
                col(TrailEntry.port),
                col(TrailEntry.error),
                func.count(),
            )
        ).group_by(col(TrailEntry.node_id), col(TrailEntry.port), col(TrailEntry.error))
        for id, kind, port, error, count in await session.execute(counted):
            one = node(id)
            one.node_type = kind
            one.entered += count
            if port is not None:
                one.left[port] = one.left.get(port, 0) + count
            if port == "hangup":
                one.hangups += count
            if error is not None:
                one.errors[error] = one.errors.get(error, 0) + count

        # The k-th smallest by nearest rank; every database numbers rows, few know percentiles.
        took = _seconds(db.sqlite)
        ranked = mine(
            select(
                col(TrailEntry.node_id).label("node_id"),
                took.label("took"),
                func.row_number().over(partition_by=col(TrailEntry.node_id), order_by=took).label("rank"),
                func.count().over(partition_by=col(TrailEntry.node_id)).label("all"),
            ).where(col(TrailEntry.left).is_not(None))
        ).subquery()

        def at(share: float) -> ColumnElement[Any]:
            place = func.ceil(ranked.c["all"] * literal(share)) if not db.sqlite else _ceil(ranked.c["all"] * share)
            return func.max(case((ranked.c["rank"] == place, ranked.c.took)))

        times = select(ranked.c.node_id, at(0.5), at(0.95)).group_by(ranked.c.node_id)
        for id, median, p95 in await session.execute(times):
            node(id).median, node(id).p95 = round(float(median), 3), round(float(p95), 3)

        now = (
            select(col(TrailEntry.node_id), func.count())
            .join(Run, col(Run.id) == col(TrailEntry.run_id))
            .where(
                col(TrailEntry.business_id) == business_id,
                col(TrailEntry.flow_key) == key,
                col(TrailEntry.left).is_(None),
            )
            .where(col(Run.business_id) == business_id, col(Run.state) == "running")
            .group_by(col(TrailEntry.node_id))
        )
        if version != ALL_VERSIONS:
            now = now.where(col(Run.flow_version) == version)
        for id, count in await session.execute(now):
            node(id).standing = count

        ran = (
            select(col(Run.state), func.count())
            .where(col(Run.business_id) == business_id, col(Run.flow_key) == key)
            .where(col(Run.started_at) >= since, col(Run.started_at) < until)
            .group_by(col(Run.state))
        )
        if version != ALL_VERSIONS:
            ran = ran.where(col(Run.flow_version) == version)
        outcomes = {state: count for state, count in await session.execute(ran)}  # noqa: C416  rows are no pairs to mypy
    return FlowStatistics(
        runs=sum(outcomes.values()),
        outcomes=outcomes,
        nodes=sorted(nodes.values(), key=lambda one: (-one.entered, one.node_id)),
    )


def _ceil(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The next whole number; SQLite's own ceil is an option of its build."""
    return case((value == cast(value, Integer), cast(value, Integer)), else_=cast(value, Integer) + 1)
