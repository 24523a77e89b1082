"""In-memory ledger, trail, plans and calls: for the simulator, test cases and tests."""

from collections.abc import Sequence
from typing import Literal

from flows.plan import Plan
from flows.task import FlowResult, FlowStart, NodeTask, TrailStep
from nodes.sdk.outcome import Outcome
from telephony.call import Call


class MemoryLedger:
    """The effects ledger as a dictionary. ``begun`` and ``ended`` tell tests what happened, in order."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int, int], Outcome | None] = {}
        self.begun: list[tuple[str, int, int]] = []
        self.ended: list[tuple[str, int, int]] = []

    async def begin(self, task: NodeTask) -> tuple[Literal["new", "done", "unfinished"], Outcome | None]:
        key = (task.run_id, task.step, task.attempt)
        if key not in self._rows:
            self._rows[key] = None
            self.begun.append(key)
            return "new", None
        known = self._rows[key]
        return ("done", known) if known is not None else ("unfinished", None)

    async def finish(self, task: NodeTask, outcome: Outcome) -> None:
        key = (task.run_id, task.step, task.attempt)
        self._rows[key] = outcome
        self.ended.append(key)


class MemoryTrail:
    """Trail steps by run and number, and how runs ended."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, TrailStep]] = {}
        self.results: dict[str, FlowResult] = {}
        self.starts: dict[str, FlowStart] = {}

    async def steps(self, run_id: str, steps: Sequence[TrailStep]) -> None:
        rows = self.rows.setdefault(run_id, {})
        for step in steps:
            known = rows.get(step.seq)
            # A late copy of an earlier state never hides that a step was completed.
            if known is None or known.left is None or step.left is not None:
                rows[step.seq] = step

    async def finished(self, start: FlowStart, result: FlowResult, steps: Sequence[TrailStep]) -> None:
        await self.steps(start.run_id, steps)
        self.starts[start.run_id] = start
        self.results[start.run_id] = result

    def of(self, run_id: str) -> list[TrailStep]:
        """The steps of a run in order."""
        return [step for _, step in sorted(self.rows.get(run_id, {}).items())]

    def path(self, run_id: str) -> list[tuple[str, str | None]]:
        """Node and port of each step."""
        return [(step.node_id, step.port) for step in self.of(run_id)]


class MemoryPlans:
    """A plan store for tests and simulations."""

    def __init__(self, *plans: Plan) -> None:
        self._plans = {plan.hash: plan.to_bytes() for plan in plans}

    def add(self, plan: Plan) -> str:
        self._plans[plan.hash] = plan.to_bytes()
        return plan.hash

    async def load(self, plan_hash: str) -> bytes:
        return self._plans[plan_hash]


class MemoryCalls:
    """Live calls by id."""

    def __init__(self, *calls: Call) -> None:
        self.live = {call.id: call for call in calls}

    async def get(self, call_id: str) -> Call | None:
        call = self.live.get(call_id)
        return None if call is None or call.ended else call
