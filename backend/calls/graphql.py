"""Calls, runs and trails, past and live."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.calls import history, live, service, statistics
from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.customers.graphql import CustomerType
from backend.customers.masking import home_of, masks, shown, shown_in
from backend.customers.models import Customer
from backend.customers.service import sole_owners
from backend.database import utcnow
from backend.errors import DomainError, NotFoundError, not_found
from backend.events import Event
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query, subscription
from backend.identity.permissions import Permission
from backend.identity.scope import People, sees
from backend.recordings.graphql import RecordingType
from backend.state import Operations
from flows.rerun import Comparison, WalkedStep, judgement
from nodes.sdk.text import text


def _nobody() -> Customer | None:
    return None


@strawberry.type(name="Leg", description="One party of a call.")
class LegType(FromRow):
    id: str
    kind: str
    state: str
    cause: str
    sip_code: int
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    row: strawberry.Private[Leg]

    @classmethod
    def of(cls, row: Leg) -> "LegType":
        return cls(row=row, **{name: getattr(row, name) for name in cls.__annotations__ if name != "row"})

    @query(Permission.CALLS_READ, "Whose number; masked for people who may not see numbers.")
    async def number(self, info: Info) -> str:
        return shown(info, self.row.number)

    @query(Permission.CALLS_READ, "The way it was dialled; its number is masked too.")
    async def destination(self, info: Info) -> str:
        way, colon, number = self.row.destination.rpartition(":")
        return f"{way}{colon}{shown(info, number)}"


@masks("outputs", "said", "error_message")
@strawberry.type(name="TrailStep", description="One step of a run's path.")
class TrailStepType(FromRow):
    run_id: str
    seq: int
    call_id: str | None
    flow_key: str
    node_id: str
    node_type: str
    node_name: str
    attempt: int
    entered: datetime
    left: datetime | None
    port: str | None
    outputs: JSON
    said: list[str]
    error: str | None
    error_message: str | None


@strawberry.type(name="Call")
class CallType(FromRow):
    id: str
    direction: str
    gateway: str
    anonymous: bool
    trunk: str
    language: str
    customer_id: str | None
    flow_key: str
    flow_version: int | None
    run_id: str | None
    state: str
    cause: str
    sip_code: int
    outcome: str
    recording_id: str | None
    note: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    row: strawberry.Private[Call]

    @classmethod
    def of(cls, row: Call) -> "CallType":
        return cls(row=row, **{name: getattr(row, name) for name in cls.__annotations__ if name != "row"})

    @query(Permission.CALLS_READ, "The calling number; masked for people who may not see numbers.")
    async def caller(self, info: Info) -> str:
        return shown(info, self.row.caller)

    @query(Permission.CALLS_READ, "What the caller's telephone calls itself, often a number.")
    async def caller_name(self, info: Info) -> str:
        return shown(info, self.row.caller_name)

    @query(Permission.CALLS_READ, "The called number; masked for people who may not see numbers.")
    async def called(self, info: Info) -> str:
        return shown(info, self.row.called)

    @query(Permission.CALLS_READ, "Where the outside number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self._outside_number)

    @property
    def _outside_number(self) -> str:
        return self.row.called if self.direction == "outbound" else self.row.caller

    @query(Permission.CALLS_READ, "The parties.")
    async def legs(self, info: Info) -> list[LegType]:
        return [LegType.of(leg) for leg in await info.context.legs.load(self.id)]

    @query(Permission.CALLS_READ, "The path through its flows, in order of time.")
    async def trail(self, info: Info) -> list[TrailStepType]:
        found = await service.trail_of_call(info.context.state.db, info.context.actor.business_id, self.id)
        return [TrailStepType.of(step) for step in found]

    @query(Permission.CUSTOMERS_READ, "Who called, when known.")
    async def customer(self, info: Info) -> CustomerType | None:
        return CustomerType.maybe(await info.context.customers.load(self.customer_id)) if self.customer_id else None

    @query(
        Permission.CUSTOMERS_READ,
        "To whom the outside number belongs, while the call itself did not tell who it was: one customer, else nobody.",
    )
    async def customer_by_number(self, info: Info) -> CustomerType | None:
        if self.customer_id or self.direction == "internal":
            return None
        owners = info.context.loader("sole_owners", sole_owners, _nobody)
        return CustomerType.maybe(await owners.load(self._outside_number))

    @query(Permission.RECORDINGS_LISTEN, "Its recording.")
    async def recording(self, info: Info) -> RecordingType | None:
        found = await info.context.recordings.load(self.recording_id) if self.recording_id else None
        heard = found is not None and sees(info.context.actor.people, found.agent_id)
        return RecordingType.maybe(found) if heard else None


@masks("inputs", "outputs", "reason")
@strawberry.type(name="Run")
class RunType(FromRow):
    id: str
    flow_key: str
    flow_version: int
    alias: str
    kind: str
    call_id: str | None
    campaign: str
    state: str
    reason: str
    inputs: JSON
    outputs: JSON
    steps: int
    started_at: datetime
    ended_at: datetime | None

    @query(Permission.CALLS_READ, "The path, step by step.")
    async def trail(self, info: Info) -> list[TrailStepType]:
        found = await service.trail_of_run(info.context.state.db, info.context.actor.business_id, self.id)
        return [TrailStepType.of(step) for step in found]


@masks("inputs")
@strawberry.type(name="RunStep", description="A step with what the node was given.")
class RunStepType:
    step: TrailStepType
    inputs: JSON | None = strawberry.field(description="The node's settings as it saw them, without secrets.")
    seconds: float | None


@strawberry.type(name="PastRun", description="One run in full, with all that belongs to its call.")
class PastRunType:
    run: RunType
    call: CallType | None
    steps: list[RunStepType]
    legs: list[LegType]
    recordings: list[RecordingType]

    @classmethod
    def of(cls, past: history.PastRun, people: People) -> "PastRunType":
        return cls(
            run=RunType.of(past.run),
            call=CallType.maybe(past.call),
            steps=[
                RunStepType(
                    step=TrailStepType.of(entry),
                    inputs=past.inputs.get(entry.seq) if past.inputs is not None else None,  # type: ignore[arg-type]
                    seconds=(entry.left - entry.entered).total_seconds() if entry.left is not None else None,
                )
                for entry in past.trail
            ],
            legs=[LegType.of(leg) for leg in past.legs],
            recordings=[RecordingType.of(one) for one in past.recordings if sees(people, one.agent_id)],
        )


@masks("outputs")
@strawberry.type(name="WalkedStep", description="A step of a path that was walked again.")
class WalkedStepType:
    node_id: str
    node_type: str
    node_name: str
    flow_id: str
    port: str | None
    outputs: JSON
    error: str | None

    @classmethod
    def maybe(cls, step: WalkedStep | None) -> "WalkedStepType | None":
        if step is None:
            return None
        return cls(
            node_id=step.node_id,
            node_type=step.node_type,
            node_name=step.node_name,
            flow_id=step.flow_id,
            port=step.port,
            outputs=step.outputs,  # type: ignore[arg-type]
            error=step.error,
        )


@strawberry.type(name="ReplayRow", description="The old step beside the new one.")
class ReplayRow:
    old: WalkedStepType | None
    new: WalkedStepType | None
    same: bool


@masks("old", "new")
@strawberry.type(name="ChangedVariable")
class ChangedVariable:
    name: str
    old: JSON | None
    new: JSON | None


@strawberry.type(name="Replay", description="An old run beside the same run on another version.")
class ReplayType:
    judgement: str = strawberry.field(description="same, parted, or stopped when an answer is not on record.")
    rows: list[ReplayRow]
    parting: int | None
    why: Words | None
    variables: list[ChangedVariable]
    old_outcome: str
    new_outcome: str

    @classmethod
    def of(cls, found: Comparison) -> "ReplayType":
        return cls(
            judgement=judgement(found),
            rows=[
                ReplayRow(old=WalkedStepType.maybe(row.old), new=WalkedStepType.maybe(row.new), same=row.same)
                for row in found.rows
            ],
            parting=found.parting,
            why=Words.of(found.why) if found.why is not None else None,
            variables=[ChangedVariable(name=name, old=a, new=b) for name, (a, b) in found.variables.items()],
            old_outcome=found.old_outcome,
            new_outcome=found.new_outcome,
        )


@strawberry.type(name="PortCount")
class PortCount:
    name: str
    count: int


def _counts(found: dict[str, int]) -> list[PortCount]:
    return [PortCount(name=name, count=count) for name, count in sorted(found.items())]


@strawberry.type(name="NodeStatistics", description="A node over a period; times are seconds of those who left it.")
class NodeStatisticsType:
    node_id: str
    node_type: str
    entered: int
    left: list[PortCount]
    errors: list[PortCount]
    hangups: int
    standing: int
    median: float | None
    p95: float | None


@strawberry.type(name="FlowStatistics", description="What happened in the nodes of a flow over a period.")
class FlowStatisticsType:
    runs: int
    outcomes: list[PortCount]
    nodes: list[NodeStatisticsType]

    @classmethod
    def of(cls, found: statistics.FlowStatistics) -> "FlowStatisticsType":
        return cls(
            runs=found.runs,
            outcomes=_counts(found.outcomes),
            nodes=[
                NodeStatisticsType(
                    node_id=one.node_id,
                    node_type=one.node_type,
                    entered=one.entered,
                    left=_counts(one.left),
                    errors=_counts(one.errors),
                    hangups=one.hangups,
                    standing=one.standing,
                    median=one.median,
                    p95=one.p95,
                )
                for one in found.nodes
            ],
        )


@strawberry.input(
    description="What calls are narrowed by; number is the start of caller or called number. With nodeId: calls that "
    "came to that node of flowKey between since and until, left it by port, or stand there now."
)
class CallFilterInput:
    state: str | None = None
    direction: str | None = None
    number: str | None = None
    flow_key: str | None = None
    customer_id: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    node_id: str | None = None
    port: str | None = None
    standing: bool = False


@strawberry.type(name="NodeCount")
class NodeCount:
    node_id: str
    count: int


@strawberry.type(name="PortPassed", description="How many left a node by a port since the message before.")
class PortPassed:
    node_id: str
    port: str
    count: int


@strawberry.type(
    name="FlowLive",
    description="Where runs of a flow stand now, and which ports were just passed: twice a second at most.",
)
class FlowLiveType:
    at: datetime
    runs: int = strawberry.field(description="Runs in progress that stand in this flow.")
    standing: list[NodeCount]
    passed: list[PortPassed]


@strawberry.type(description="What happened to a call: call.started, call.answered, call.changed or call.ended.")
class CallEvent:
    topic: str
    call: CallType


def operations(info: Info) -> Operations:
    """What only a running gateway can do. Raises DomainError when this process reaches none."""
    found = info.context.state.operations
    if found is None:
        raise DomainError(
            text("此进程没有网关", "no gateway runs in this process"),
            code="unavailable",
            remedy=text("请启动 callweave up 或 gateway。", "Start 'callweave up' or 'callweave gateway'."),
        )
    return found


async def _call(info: Info, id: str) -> Call:
    """A call that the asker may see. Raises NotFoundError."""
    actor = info.context.actor
    return await service.get_call(info.context.state.db, actor.business_id, id, people=actor.people)


async def _run(info: Info, id: str) -> Run:
    """A run that the asker may see. Raises NotFoundError."""
    actor = info.context.actor
    return await service.get_run(info.context.state.db, actor.business_id, id, people=actor.people)


@strawberry.type
class CallsQuery:
    @query(Permission.CALLS_READ, "Calls, newest first.")
    async def calls(
        self, info: Info, first: int = 50, after: str | None = None, filter: CallFilterInput | None = None
    ) -> Connection[CallType]:
        actor = info.context.actor
        wanted = service.CallFilter(**vars(filter)) if filter is not None else None
        found = await service.list_calls(
            info.context.state.db, actor.business_id, wanted, people=actor.people, first=first, after=after
        )
        return connection(found, CallType)

    @query(Permission.CALLS_READ, "Calls that are not over.")
    async def live_calls(self, info: Info) -> list[CallType]:
        actor = info.context.actor
        found = await service.open_calls(info.context.state.db, actor.business_id, people=actor.people)
        return [CallType.of(call) for call in found]

    @query(Permission.CALLS_READ, "One call.")
    async def call(self, info: Info, id: str) -> CallType:
        return CallType.of(await _call(info, id))

    @query(Permission.CALLS_READ, "One run in full: path, inputs, outputs, times, errors, recordings.")
    async def past_run(self, info: Info, id: str) -> PastRunType:
        actor = info.context.actor
        found = await history.past_run(info.context.state.db, actor.business_id, id, people=actor.people)
        return PastRunType.of(found, actor.people)

    @query(Permission.FLOWS_READ, "Walk an old run on the draft, an alias or a version; assume is port by node id.")
    async def replay_run(self, info: Info, id: str, on: str = "draft", assume: JSON | None = None) -> ReplayType:
        ports: dict[str, str] = (
            {str(node): str(port) for node, port in assume.items()} if isinstance(assume, dict) else {}
        )
        actor = info.context.actor
        found = await history.replay_run(
            info.context.state.db, actor.business_id, id, on=on, assume=ports, people=actor.people
        )
        return ReplayType.of(found)

    @query(Permission.FLOWS_READ, "Counts and times of a flow's nodes over a period, of one version or of all (0).")
    async def flow_statistics(
        self, info: Info, key: str, since: datetime, until: datetime | None = None, version: int = 0
    ) -> FlowStatisticsType:
        found = await statistics.flow_statistics(
            info.context.state.db,
            info.context.actor.business_id,
            key,
            since=since,
            until=until or utcnow(),
            version=version,
        )
        return FlowStatisticsType.of(found)

    @query(Permission.CALLS_READ, "Runs, newest first.")
    async def runs(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        flow_key: str | None = None,
        state: str | None = None,
    ) -> Connection[RunType]:
        found = await service.list_runs(
            info.context.state.db,
            info.context.actor.business_id,
            flow_key=flow_key,
            state=state,
            people=info.context.actor.people,
            first=first,
            after=after,
        )
        return connection(found, RunType)

    @query(Permission.CALLS_READ, "One run.")
    async def run(self, info: Info, id: str) -> RunType:
        return RunType.of(await _run(info, id))

    @query(Permission.CALLS_READ, "The live state of a run: where it stands and its variables.")
    async def run_state(self, info: Info, id: str) -> JSON:
        await _run(info, id)
        found: Any = dict(await operations(info).run_state(info.context.actor, id))
        return JSON(shown_in(info, found))


@strawberry.type
class CallsMutation:
    @mutation(Permission.CALLS_NOTE, "Write a note on a call.")
    async def note_call(self, info: Info, id: str, note: str) -> CallType:
        await _call(info, id)
        changed = await service.update_call(
            info.context.state.db,
            id,
            service.CallChanges(note=note[:2000]),
            business_id=info.context.actor.business_id,
        )
        return CallType.of(changed)

    @mutation(Permission.SYSTEM, "Dial a number and run a flow with whoever answers; returns the call's id.")
    async def place_call(self, info: Info, number: str, flow: str, alias: str = "live", caller: str = "") -> str:
        return await operations(info).place_call(
            info.context.actor, number=number, flow=flow, alias=alias, caller=caller
        )

    @mutation(Permission.SYSTEM, "End a live call.")
    async def hang_up(self, info: Info, id: str) -> Done:
        await _call(info, id)
        await operations(info).hang_up(info.context.actor, id)
        return Done()

    @mutation(Permission.SYSTEM, "Stop a run.")
    async def stop_run(self, info: Info, id: str) -> Done:
        await _run(info, id)
        await operations(info).stop_run(info.context.actor, id)
        return Done()


@strawberry.type
class CallsSubscription:
    @subscription(Permission.CALLS_READ)
    async def call_events(self, info: Info) -> AsyncIterator[CallEvent]:
        """Every change of every call that the asker may see, as it happens."""
        state, business = info.context.state, info.context.actor.business_id
        with state.bus.subscribe(
            lambda event: event.business_id == business and event.topic.startswith("call.")
        ) as events:
            async for event in events:
                try:
                    call = await _call(info, event.subject)
                except NotFoundError:
                    continue  # it is none of the asker's, or gone already
                yield CallEvent(topic=event.topic, call=CallType.of(call))

    @subscription(Permission.CALLS_READ)
    async def flow_live(self, info: Info, key: str) -> AsyncIterator[FlowLiveType]:
        """Where runs of a flow stand, at once and whenever that changes, with the ports that were passed meanwhile."""
        async for seen in live.watch(
            info.context.state.db, info.context.state.bus, info.context.actor.business_id, key
        ):
            yield FlowLiveType(
                at=seen.at,
                runs=sum(seen.standing.values()),
                standing=[NodeCount(node_id=node, count=count) for node, count in sorted(seen.standing.items())],
                passed=[
                    PortPassed(node_id=node, port=port, count=count)
                    for (node, port), count in sorted(seen.passed.items())
                ],
            )

    @subscription(Permission.CALLS_READ)
    async def trail(
        self, info: Info, run_id: str | None = None, call_id: str | None = None
    ) -> AsyncIterator[TrailStepType]:
        """The path of a run or a call: first the steps so far, then each one as it is entered or completed."""
        state, business = info.context.state, info.context.actor.business_id
        if run_id is None and call_id is None:
            raise not_found("运行", "run", "", "run_id")

        def wanted(event: Event) -> bool:
            if event.business_id != business or event.topic != "trail.steps":
                return False
            return event.subject == run_id or (call_id is not None and event.data["call_id"] == call_id)

        sent: dict[tuple[str, int], bool] = {}

        def fresh(step: TrailEntry) -> bool:
            key, complete = (step.run_id, step.seq), step.left is not None
            if key in sent and sent[key] >= complete:
                return False
            sent[key] = complete
            return True

        # Listening starts before the steps so far are read, so that none falls between.
        with state.bus.subscribe(wanted) as events:
            if run_id is not None:
                await _run(info, run_id)
                past = await service.trail_of_run(state.db, business, run_id)
            else:
                await _call(info, call_id or "")
                past = await service.trail_of_call(state.db, business, call_id or "")
            for step in past:
                if fresh(step):
                    yield TrailStepType.of(step)
            async for event in events:
                found = await service.trail_of_run(state.db, business, event.subject, seqs=event.data["seqs"])
                for step in found:
                    if fresh(step):
                        yield TrailStepType.of(step)
