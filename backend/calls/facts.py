"""What happens to calls and runs, as facts, and how many of them become rows in one short transaction.

A busy gateway learns some hundred facts a second. Written one by one each would read its rows, change them and commit;
here a batch reads the rows of all its facts at once, works out in memory what they come to, and writes every table
with one statement. The rules are the same for a batch of one:

- a fact may be told again at any time: nothing is counted, announced or undone twice
- the first cause of an end stays; an ended call is not answered
- a completed step of a trail is never replaced by its incomplete self
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Executable, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from backend.calls.models import Call, Leg, LiveTalk, Run, TrailEntry
from backend.database import AsyncSession, Database, utcnow, write
from backend.events import Event, record_all
from backend.numbers.models import Extension
from flows.task import FlowResult, FlowStart, TrailStep

Direction = Literal["inbound", "outbound", "internal"]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call begins; its caller's leg has the call's id. With `run` the flow's run begins in the same act."""

    call_id: str
    business_id: str
    gateway: str
    caller: str
    called: str
    direction: Direction = "inbound"
    caller_name: str = ""
    anonymous: bool = False
    trunk: str = ""
    sip_call_id: str = ""
    language: str = ""
    run: FlowStart | None = None
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The call is up."""

    call_id: str
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over, with all its legs but those ``staying``: phones that are hung up by hand."""

    call_id: str
    cause: str
    sip_code: int = 0
    at: datetime = field(default_factory=utcnow)
    staying: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegBegan:
    """Another party is dialled for a call."""

    leg_id: str
    call_id: str
    number: str
    destination: str = ""
    kind: str = "dialled"
    at: datetime = field(default_factory=utcnow)
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class TalkChanged:
    """How the conversation of a call stands now; without a state it is over."""

    call_id: str
    state: dict[str, Any] | None
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class LegMoved:
    """A party goes on in another call."""

    leg_id: str
    call_id: str
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class LegAnswered:
    leg_id: str
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class LegEnded:
    leg_id: str
    cause: str
    sip_code: int = 0
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run of a flow begins."""

    start: FlowStart
    at: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of a run's trail, new or completed."""

    run_id: str
    steps: Sequence[TrailStep]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run is over; its last steps are written in the same act."""

    start: FlowStart
    result: FlowResult
    steps: Sequence[TrailStep] = ()
    at: datetime = field(default_factory=utcnow)


Fact = (
    CallStarted
    | CallAnswered
    | CallEnded
    | LegBegan
    | LegAnswered
    | LegEnded
    | LegMoved
    | TalkChanged
    | RunStarted
    | Steps
    | RunFinished
)


async def write_facts(db: Database, facts: Sequence[Fact]) -> set[str]:
    """Write a batch in one transaction, in its order; returns the runs whose steps came before their record."""
    async with write(db) as session:
        return await _Batch(session, facts).write()


# --------------------------------------------------------------------------- tables

_CALLS: Any = Call.__table__  # type: ignore[attr-defined]
_LEGS: Any = Leg.__table__  # type: ignore[attr-defined]
_TALKS: Any = LiveTalk.__table__  # type: ignore[attr-defined]
_PEOPLE: Any = Extension.__table__  # type: ignore[attr-defined]
_RUNS: Any = Run.__table__  # type: ignore[attr-defined]
_TRAIL: Any = TrailEntry.__table__  # type: ignore[attr-defined]

_CHANGING: dict[str, tuple[str, ...]] = {
    "calls": (
        "state", "cause", "sip_code", "outcome", "answered_at", "ended_at", "run_id", "flow_key", "flow_version",
    ),
    "legs": ("call_id", "kind", "state", "cause", "sip_code", "answered_at", "ended_at"),
    "runs": ("state", "reason", "outputs", "steps", "ended_at"),
}  # fmt: skip
_CALL_READ = ("id", "business_id", "started_at", *_CHANGING["calls"])
_LEG_READ = ("id", "business_id", "started_at", "user_id", *_CHANGING["legs"])
_RUN_READ = ("id", "business_id", "flow_key", "call_id", *_CHANGING["runs"])

Row = dict[str, Any]


_READ_PEOPLE = select(_PEOPLE.c.number, _PEOPLE.c.user_id).where(
    _PEOPLE.c.number.in_(bindparam("numbers", expanding=True))
)

# Statements are made once: building and compiling them would cost more than running them.
_READ_CALLS = (
    select(*(_CALLS.c[name] for name in _CALL_READ))
    .where(_CALLS.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_READ_LEGS = (
    select(*(_LEGS.c[name] for name in _LEG_READ))
    .where(
        or_(
            _LEGS.c.id.in_(bindparam("ids", expanding=True)),
            _LEGS.c.call_id.in_(bindparam("calls", expanding=True)),
        )
    )
    .with_for_update()
)
_READ_RUNS = (
    select(*(_RUNS.c[name] for name in _RUN_READ))
    .where(_RUNS.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)


def _update(table: Any) -> Executable:
    names = _CHANGING[table.name]
    statement: Executable = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    return statement


_UPDATES = {table.name: _update(table) for table in (_CALLS, _LEGS, _RUNS)}


@cache
def _insert(name: str, sqlite: bool) -> Executable:
    """New rows; one that another process has just written is left as it is."""
    table = {"calls": _CALLS, "legs": _LEGS, "runs": _RUNS}[name]
    insert: Any = sqlite_insert(table) if sqlite else postgres_insert(table)
    statement: Executable = insert.on_conflict_do_nothing(index_elements=["id"])
    return statement


@cache
def _trail_upsert(sqlite: bool) -> Executable:
    insert: Any = sqlite_insert(_TRAIL) if sqlite else postgres_insert(_TRAIL)
    new = insert.excluded
    statement: Executable = insert.on_conflict_do_update(
        index_elements=["run_id", "seq"],
        set_={column.name: new[column.name] for column in _TRAIL.columns if column.name not in ("run_id", "seq")},
        where=or_(new["left"].is_not(None), _TRAIL.c.left.is_(None)),
    )
    return statement


# --------------------------------------------------------------------------- a batch


class _Table:
    """The rows of one table that a batch touches."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self.new: set[str] = set()
        self.changed: set[str] = set()

    def add(self, row: Row) -> None:
        self.rows[row["id"]] = row
        self.new.add(row["id"])

    def change(self, row: Row, **values: Any) -> None:
        if any(row[name] != value for name, value in values.items()):
            row.update(values)
            self.changed.add(row["id"])

    async def write(self, session: AsyncSession) -> None:
        connection = await session.connection()
        if self.new:
            sqlite = session.info["database"].sqlite
            await connection.execute(_insert(self.name, sqlite), [self.rows[id] for id in self.rows if id in self.new])
        changed = [self.rows[id] for id in self.rows if id in self.changed and id not in self.new]
        if changed:
            names = _CHANGING[self.name]
            await connection.execute(
                _UPDATES[self.name],
                [{"row_id": row["id"], **{f"new_{name}": row[name] for name in names}} for row in changed],
            )


class _Batch:
    def __init__(self, session: AsyncSession, facts: Sequence[Fact]) -> None:
        self.session = session
        self.facts = facts
        self.calls, self.legs, self.runs = _Table("calls"), _Table("legs"), _Table("runs")
        self.trail: dict[tuple[str, int], Row] = {}
        self.talks: dict[str, Row | None] = {}
        self.people: dict[str, str | None] = {}
        self.events: list[Event] = []
        self.unkept: list[Event] = []
        self.unknown: set[str] = set()

    async def write(self) -> set[str]:
        await self._read()
        for fact in self.facts:
            self._take(fact)
        # Calls before their legs, which refer to them.
        for table in (self.calls, self.legs, self.runs):
            await table.write(self.session)
        await self._write_talks()
        if self.trail:
            connection = await self.session.connection()
            await connection.execute(_trail_upsert(self.session.info["database"].sqlite), list(self.trail.values()))
        await record_all(self.session, self.events, unkept=self.unkept)
        return self.unknown

    async def _write_talks(self) -> None:
        if not self.talks:
            return
        connection = await self.session.connection()
        await connection.execute(delete(_TALKS).where(_TALKS.c.call_id.in_(sorted(self.talks))))
        rows = [row for row in self.talks.values() if row is not None]
        if rows:
            await connection.execute(insert(_TALKS), rows)

    async def _find_people(self) -> None:
        """Whose phones the extensions of this batch are."""
        numbers = set[str]()
        for fact in self.facts:
            match fact:
                case LegBegan(user_id=None, destination=destination) if destination.startswith("extension:"):
                    numbers.add(destination.removeprefix("extension:"))
                case CallStarted(direction="inbound", trunk="", anonymous=False, caller=caller) if len(caller) <= 6:
                    numbers.add(caller)
                case CallStarted(direction="internal", called=called):
                    numbers.add(called)
        if numbers:
            connection = await self.session.connection()
            found = await connection.execute(_READ_PEOPLE, {"numbers": sorted(numbers)})
            self.people = {row.number: row.user_id for row in found}

    async def _read(self) -> None:
        await self._find_people()
        calls, legs, ending, runs = set[str](), set[str](), set[str](), set[str]()
        for fact in self.facts:
            match fact:
                case CallStarted(call_id=call_id, run=run):
                    calls.add(call_id)
                    legs.add(call_id)
                    if run is not None:
                        runs.add(run.run_id)
                case CallAnswered(call_id=call_id):
                    calls.add(call_id)
                    legs.add(call_id)
                case CallEnded(call_id=call_id):
                    calls.add(call_id)
                    ending.add(call_id)
                case LegBegan(leg_id=leg_id, call_id=call_id):
                    calls.add(call_id)
                    legs.add(leg_id)
                case LegAnswered(leg_id=leg_id) | LegEnded(leg_id=leg_id) | LegMoved(leg_id=leg_id):
                    legs.add(leg_id)
                case TalkChanged(call_id=call_id):
                    calls.add(call_id)
                case RunStarted(start=start) | RunFinished(start=start):
                    runs.add(start.run_id)
                    if start.call is not None:
                        calls.add(start.call.id)
                case Steps(run_id=run_id):
                    runs.add(run_id)
        await self._load(self.calls, _READ_CALLS, bool(calls), ids=sorted(calls))
        await self._load(self.legs, _READ_LEGS, bool(legs or ending), ids=sorted(legs), calls=sorted(ending))
        await self._load(self.runs, _READ_RUNS, bool(runs), ids=sorted(runs))

    # Ids go in one order everywhere, so that two writers never wait for each other in a circle.
    async def _load(self, table: _Table, statement: Executable, wanted: bool, **ids: list[str]) -> None:
        if not wanted:
            return
        connection = await self.session.connection()
        found = await connection.execute(statement, ids)
        table.rows = {row["id"]: dict(row) for row in found.mappings()}

    # --- facts

    def _take(self, fact: Fact) -> None:
        match fact:
            case CallStarted():
                self._call_started(fact)
            case CallAnswered():
                self._call_answered(fact)
            case CallEnded():
                self._call_ended(fact)
            case LegBegan():
                self._leg_began(fact)
            case LegAnswered(leg_id=leg_id, at=at):
                leg = self.legs.rows.get(leg_id)
                if leg is not None and leg["state"] == "ringing":
                    self.legs.change(leg, state="up", answered_at=at)
                    self._leg_event(leg)
            case LegEnded(leg_id=leg_id, cause=cause, sip_code=sip_code, at=at):
                leg = self.legs.rows.get(leg_id)
                if leg is not None and leg["state"] != "ended":
                    self.legs.change(leg, state="ended", cause=cause, sip_code=sip_code, ended_at=at)
                    self._leg_event(leg)
            case LegMoved(leg_id=leg_id, call_id=call_id):
                leg = self.legs.rows.get(leg_id)
                if leg is not None and leg["state"] != "ended":
                    self.legs.change(leg, call_id=call_id, kind="dialled")
                    self._leg_event(leg)
            case TalkChanged():
                self._talk_changed(fact)
            case RunStarted(start=start, at=at):
                self._run_started(start, at)
            case Steps(run_id=run_id, steps=steps):
                self._steps(run_id, steps)
            case RunFinished():
                self._run_finished(fact)

    def _event(self, business_id: str, topic: str, subject: str, **data: Any) -> None:
        self.events.append(Event(business_id, topic, subject, data))

    def _leg_event(self, leg: Row) -> None:
        more = {"user": leg["user_id"]} if leg["user_id"] else {}
        self._event(leg["business_id"], "call.changed", leg["call_id"], leg=leg["id"], **more)

    def _talk_changed(self, fact: TalkChanged) -> None:
        call = self.calls.rows.get(fact.call_id)
        if call is None:
            return
        over = fact.state is None or call["state"] == "ended"
        self.talks[fact.call_id] = (
            None
            if over
            else {
                "call_id": fact.call_id,
                "business_id": call["business_id"],
                "state": fact.state,
                "changed_at": fact.at,
            }
        )
        state = {} if over else fact.state or {}
        agent = next((one["channel"] for one in state.get("parties", ()) if one["role"] == "agent"), "")
        self._event(call["business_id"], "talk.changed", fact.call_id, mode=state.get("mode", ""), agent=agent)

    def _call_started(self, fact: CallStarted) -> None:
        if fact.call_id not in self.calls.rows:
            inbound = fact.direction == "inbound"
            self.calls.add(
                {
                    "id": fact.call_id,
                    "business_id": fact.business_id,
                    "direction": fact.direction,
                    "gateway": fact.gateway,
                    "caller": fact.caller,
                    "caller_name": fact.caller_name,
                    "called": fact.called,
                    "anonymous": fact.anonymous,
                    "trunk": fact.trunk,
                    "sip_call_id": fact.sip_call_id,
                    "language": fact.language,
                    "customer_id": None,
                    "flow_key": "",
                    "flow_version": None,
                    "run_id": None,
                    "state": "ringing",
                    "cause": "",
                    "sip_code": 0,
                    "outcome": "",
                    "recording_id": None,
                    "note": "",
                    "started_at": fact.at,
                    "answered_at": None,
                    "ended_at": None,
                }
            )
            own = self.legs.rows.get(fact.call_id)
            if own is not None:
                # A party of another call that has become a call of its own.
                self.legs.change(own, call_id=fact.call_id)
                self._leg_event(own)
            else:
                self._add_leg(
                    fact.call_id,
                    fact.business_id,
                    fact.call_id,
                    kind="caller" if inbound else "dialled",
                    number=fact.caller if inbound else fact.called,
                    destination="",
                    at=fact.at,
                    user_id=self._own_phone(fact),
                )
            self._event(fact.business_id, "call.started", fact.call_id, caller=fact.caller, called=fact.called)
        if fact.run is not None:
            self._run_started(fact.run, fact.at)

    def _own_phone(self, fact: CallStarted) -> str | None:
        """Whose phone the call itself is with: a colleague who calls, or one who is called."""
        if fact.direction == "internal":
            return self.people.get(fact.called)
        from_the_house = fact.direction == "inbound" and not fact.trunk and not fact.anonymous
        return self.people.get(fact.caller) if from_the_house else None

    def _add_leg(
        self,
        id: str,
        business_id: str,
        call_id: str,
        *,
        kind: str,
        number: str,
        destination: str,
        at: datetime,
        user_id: str | None = None,
    ) -> None:
        self.legs.add(
            {
                "id": id,
                "business_id": business_id,
                "call_id": call_id,
                "kind": kind,
                "number": number,
                "destination": destination,
                "user_id": user_id,
                "state": "ringing",
                "cause": "",
                "sip_code": 0,
                "started_at": at,
                "answered_at": None,
                "ended_at": None,
            }
        )

    def _call_answered(self, fact: CallAnswered) -> None:
        call = self.calls.rows.get(fact.call_id)
        if call is None or call["state"] != "ringing":
            return
        self.calls.change(call, state="up", answered_at=fact.at)
        leg = self.legs.rows.get(fact.call_id)
        if leg is not None and leg["state"] == "ringing":
            self.legs.change(leg, state="up", answered_at=fact.at)
        self._event(call["business_id"], "call.answered", fact.call_id)

    def _call_ended(self, fact: CallEnded) -> None:
        call = self.calls.rows.get(fact.call_id)
        if call is None or call["state"] == "ended":
            return
        at = max(fact.at, call["started_at"])
        self.calls.change(call, state="ended", cause=fact.cause, sip_code=fact.sip_code, ended_at=at)
        self._event(call["business_id"], "call.ended", fact.call_id, cause=fact.cause)
        self.talks[fact.call_id] = None
        for leg in self.legs.rows.values():
            if leg["call_id"] == fact.call_id and leg["state"] != "ended" and leg["id"] not in fact.staying:
                own = {"sip_code": fact.sip_code} if leg["id"] == fact.call_id else {}
                self.legs.change(leg, state="ended", cause=fact.cause, ended_at=max(fact.at, leg["started_at"]), **own)

    def _leg_began(self, fact: LegBegan) -> None:
        call = self.calls.rows.get(fact.call_id)
        if call is None or fact.leg_id in self.legs.rows:
            return
        self._add_leg(
            fact.leg_id,
            call["business_id"],
            fact.call_id,
            kind=fact.kind,
            number=fact.number,
            destination=fact.destination,
            at=fact.at,
            user_id=fact.user_id or self.people.get(fact.destination.removeprefix("extension:")),
        )
        self._leg_event(self.legs.rows[fact.leg_id])

    def _run_started(self, start: FlowStart, at: datetime) -> None:
        if start.run_id in self.runs.rows:
            return
        self.runs.add(
            {
                "id": start.run_id,
                "business_id": start.business_id,
                "flow_key": start.flow_id,
                "flow_version": start.version,
                "plan_hash": start.plan,
                "alias": start.alias,
                "kind": start.kind,
                "call_id": start.call.id if start.call else None,
                "campaign": start.campaign,
                "state": "running",
                "reason": "",
                "inputs": start.inputs,
                "outputs": {},
                "steps": 0,
                "started_at": at,
                "ended_at": None,
            }
        )
        call = self.calls.rows.get(start.call.id) if start.call is not None else None
        if call is not None:
            self.calls.change(call, run_id=start.run_id, flow_key=start.flow_id, flow_version=start.version)
        self._event(start.business_id, "run.started", start.run_id, flow=start.flow_id)

    def _run_finished(self, fact: RunFinished) -> None:
        start, result = fact.start, fact.result
        self._run_started(start, fact.at)
        self._steps(start.run_id, fact.steps)
        run = self.runs.rows[start.run_id]
        if run["state"] == "running":
            self.runs.change(
                run,
                state=result.outcome,
                reason=result.reason[:500],
                outputs=result.outputs,
                steps=result.steps,
                ended_at=fact.at,
            )
            self._event(run["business_id"], "run.finished", start.run_id, outcome=result.outcome)
        call = self.calls.rows.get(run["call_id"] or "")
        if call is not None and call["run_id"] == start.run_id:
            self.calls.change(call, outcome=run["state"])

    def _steps(self, run_id: str, steps: Sequence[TrailStep]) -> None:
        if not steps:
            return
        run = self.runs.rows.get(run_id)
        if run is None:
            self.unknown.add(run_id)
            return
        for step in steps:
            known = self.trail.get((run_id, step.seq))
            if known is not None and known["left"] is not None and step.left is None:
                continue
            self.trail[run_id, step.seq] = {
                "run_id": run_id,
                "seq": step.seq,
                "business_id": run["business_id"],
                "call_id": run["call_id"],
                "flow_key": step.flow_id or run["flow_key"],
                "node_id": step.node_id,
                "node_type": step.node_type,
                "node_name": step.node_name[:200],
                "attempt": step.attempt,
                "entered": step.entered,
                "left": step.left,
                "port": step.port,
                "outputs": step.outputs,
                "said": step.said,
                "error": step.error,
                "error_message": step.error_message,
                "changes": step.changes,
            }
        self.unkept.append(
            Event(
                run["business_id"],
                "trail.steps",
                run_id,
                {"call_id": run["call_id"], "seqs": sorted({step.seq for step in steps})},
            )
        )
