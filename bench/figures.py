"""Small statistics shared by the benchmarks."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds of one kind of event."""

    median: float
    p95: float
    most: float
    count: int


def spread(seconds: Sequence[float]) -> Spread:
    """Percentiles by nearest rank. Raises ValueError for no values: a benchmark without events has failed."""
    if not seconds:
        raise ValueError("nothing was measured")
    ordered = sorted(value * 1000 for value in seconds)

    def rank(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 1)

    return Spread(median=rank(0.5), p95=rank(0.95), most=round(ordered[-1], 1), count=len(ordered))


def middle(passes: Sequence[Spread]) -> Spread:
    """Several passes of one measurement: the median of each figure, and all their events."""

    def median(values: Sequence[float]) -> float:
        return round(statistics.median(values), 1)

    return Spread(
        median=median([one.median for one in passes]),
        p95=median([one.p95 for one in passes]),
        most=median([one.most for one in passes]),
        count=sum(one.count for one in passes),
    )
