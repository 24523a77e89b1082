"""A call that nobody dials: a flow walked by the real interpreter and nodes over simulated telephony.

The simulator in the browser, test cases and replays share it. Nothing leaves the process: people are scripted or
played by hand, messages are noted instead of sent, and data nodes answer what the `Scene` prepared for them. What
nodes may read all the same (calendars, lists, customers) is decided by the services that the caller gives.

It runs in the loop it is awaited in: in virtual time (`flows.virtual.run_in_virtual_time`) an hour takes a blink.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from flows.memory import MemoryLedger, MemoryTrail
from flows.plan import Plan
from flows.runner import Environment
from flows.state import State
from flows.task import CallFacts, FlowStart, NodeTask, TrailStep
from flows.virtual import VirtualDriver, VirtualRun
from nodes.sdk.node import Runs
from nodes.sdk.outcome import NodeError, NodeFailure, Outcome
from nodes.sdk.queue_double import MemoryQueues, QueueAgent
from nodes.sdk.registry import Registry
from nodes.sdk.services import (
    Customer,
    HoursState,
    HttpReply,
    PinCheck,
    PlacedCall,
    SavedVoicemail,
    Services,
    TaskToDo,
)
from telephony.calls import CallBook, CallEnd
from telephony.driver import Incoming
from telephony.live_call import LiveCall
from telephony.simulated import Callee, Line, Person, SimulatedDriver, SimulatedEars, SimulatedRenderer
from telephony.sounds import Sounds

BUSINESS = "simulation"
MONDAY = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
"""When a simulated call begins unless told: a Monday, ten o'clock in Shanghai."""


class Part(BaseModel):
    """Base of the parts of a scene: unknown fields are refused, so that a typing error is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mock(Part):
    """What a node answers instead of doing its work: a port with outputs, or an error by its reason code."""

    port: str = "next"
    outputs: dict[str, Any] = Field(default_factory=dict)
    customer: dict[str, Any] | None = None
    error: str = ""
    seconds: float = Field(0, ge=0, le=86_400)
    """How long the node takes."""

    def outcome(self) -> Outcome:
        if self.error:
            return Outcome.error(self.error, f"prepared by the scene: {self.error}")
        return Outcome(port=self.port, outputs=self.outputs, customer=self.customer)


PersonDoes = Literal["answers", "busy", "no_answer", "rejects", "unavailable", "machine", "fax"]
"""A ``machine`` recites a greeting and beeps, a ``fax`` answers with its tone; both hang up after a while."""


class PersonAt(Part):
    """Somebody whom the flow may dial. ``after`` is how long it rings, ``talks`` how long they talk (0: to the end)."""

    number: str
    does: PersonDoes = "answers"
    after: float = Field(2, ge=0, le=600)
    talks: float = Field(0, ge=0, le=86_400)


class AgentAt(Part):
    """An agent of the queues. How their phone behaves is told by ``people``; without it they answer and talk.

    ``free_after``  seconds after the caller came until they are free, None for never; ``queues`` empty for all
    """

    number: str
    name: str = ""
    free_after: float | None = Field(0, ge=0, le=86_400)
    queues: list[str] = Field(default_factory=list)


class Scene(Part):
    """The world of a simulated call: who calls whom and when, and what answers.

    ``begin``   an aware time; calendars see it, and ``now`` in expressions
    ``mocks``   answers by node id; a list is used up visit by visit, its last entry stays
    ``people``  who answers dialled numbers; anybody else does not answer
    ``agents``  who serves queues; without any nobody is signed in
    ``ahead``   how many callers wait before this one
    """

    caller: str = "13800000001"
    called: str = "100"
    language: str = ""
    begin: datetime = MONDAY
    inputs: dict[str, Any] = Field(default_factory=dict)
    mocks: dict[str, Mock | list[Mock]] = Field(default_factory=dict)
    people: list[PersonAt] = Field(default_factory=list)
    agents: list[AgentAt] = Field(default_factory=list)
    ahead: int = Field(0, ge=0, le=1000)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that would have been sent."""

    at: float
    channel: Literal["sms", "mail"]
    to: tuple[str, ...]
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of what happened. ``at`` is seconds since the call began, ``node`` where the flow stood.

    ``heard`` and ``pressed`` are the caller's; ``node`` is a step of the path, with its port as text when it is left.
    """

    at: float
    kind: Literal["heard", "pressed", "said", "hung_up", "node", "message", "dialled", "ended"]
    text: str
    node: str = ""
    sound: str = ""
    """What `Simulation.sounds` knows the prompt by, for rendering it aloud; empty for what has no sound."""


class UnpreparedError(NodeError):
    """A node asked for something that the scene does not answer."""

    def __init__(self, what: str) -> None:
        super().__init__("not_prepared", f"{what}: prepare an answer for this node")


# --------------------------------------------------------------------------- services


class NoCustomers:
    async def find(self, *, by: Literal["phone", "card", "id"], value: str) -> Customer | None:
        raise UnpreparedError("a customer is looked up")

    async def update(self, customer_id: str, changes: Mapping[str, Any]) -> Customer:
        raise UnpreparedError("a customer is changed")

    async def check_pin(self, *, card: str, pin: str, tries: int, key: str) -> PinCheck:
        raise UnpreparedError("a PIN is checked")


class NoQueries:
    async def run(self, name: str, parameters: Mapping[str, Any], *, limit: int) -> list[dict[str, Any]]:
        raise UnpreparedError(f"the query {name!r} is run")


class NoWeb:
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        body: Any,
        timeout: float,
        credential: str | None,
        max_bytes: int,
    ) -> HttpReply:
        raise UnpreparedError(f"{method} {url} is requested")


class NoCalendars:
    async def state(self, calendar: str, at: datetime) -> HoursState:
        raise UnpreparedError(f"the calendar {calendar!r} is asked")


class NoLists:
    async def match(self, list_name: str, number: str) -> bool:
        raise UnpreparedError(f"the list {list_name!r} is asked")


class NotedMessages:
    """Messages that are noted instead of sent; a key sends once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.sent: dict[str, SentMessage] = {}
        self._now = now

    async def send_sms(self, *, to: str, text: str, key: str, run_id: str = "") -> str:
        self.sent.setdefault(key, SentMessage(self._now(), "sms", (to,), text))
        return f"noted-{key}"

    async def send_mail(
        self,
        *,
        to: Sequence[str],
        subject: str,
        text: str,
        html: str | None,
        attachments: Sequence[Path],
        key: str,
        run_id: str = "",
    ) -> str:
        self.sent.setdefault(key, SentMessage(self._now(), "mail", tuple(to), text, subject))
        return f"noted-{key}"


class NotedVoicemails:
    """Messages that callers leave, without their sound."""

    def __init__(self) -> None:
        self.messages: dict[str, SavedVoicemail] = {}

    async def saved(self, key: str) -> SavedVoicemail | None:
        return self.messages.get(key)

    async def save(
        self,
        *,
        key: str,
        box: str,
        call_id: str,
        caller: str,
        recording: Path,
        seconds: float,
        callback_number: str | None,
        complete: bool,
    ) -> str:
        known = self.messages.get(key)
        id = known.id if known else f"voicemail-{len(self.messages) + 1}"
        self.messages[key] = SavedVoicemail(id=id, seconds=seconds, callback_number=callback_number, complete=complete)
        return id


class NotedTasks:
    """Tasks that are noted; whoever plays the case ends them."""

    def __init__(self) -> None:
        self.tasks: dict[str, TaskToDo] = {}
        self.open: list[str] = []

    async def create(self, task: TaskToDo, *, key: str, run_id: str) -> str:
        id = f"task-{key}"
        if id not in self.tasks:
            self.tasks[id] = task
            if run_id:
                self.open.append(id)
        return id


class NotedDialler:
    """Calls that a flow without one places: the people of the scene answer, or do not."""

    def __init__(self, people: Sequence[PersonAt]) -> None:
        self._people = {person.number: person for person in people}
        self._results: dict[str, PlacedCall] = {}

    async def call(self, *, number: str, connect: str, flow: str, caller_id: str, key: str, run_id: str) -> PlacedCall:
        if key in self._results:
            return self._results[key]
        if not number.strip():
            raise NodeError("bad_number", "the number to dial is empty")
        person = self._people.get(number)
        if person is None or person.does == "no_answer":
            await asyncio.sleep(40)
            placed = PlacedCall(call_id=f"call-{key}", result="no_answer")
        else:
            await asyncio.sleep(person.after)
            talked = person.does in ("answers", "machine", "fax")
            await asyncio.sleep(person.talks if talked else 0)
            placed = PlacedCall(
                call_id=f"call-{key}",
                result="answered" if talked else "failed" if person.does == "unavailable" else "busy",
                seconds=person.talks if talked else 0.0,
                outcome="completed" if talked else "",
            )
        self._results[key] = placed
        return placed


class EveryNumber:
    """Every number may be dialled and leads to who the scene has there."""

    async def destination(self, number: str) -> str:
        if not number.strip():
            raise NodeError("bad_number", "the number to dial is empty")
        return f"extension:{number}"

    async def caller_id(self, destination: str = "") -> str:
        return "100"

    def fallback_number(self) -> str:
        return ""


class VeiledSecrets:
    """Secrets are veiled, not encrypted: they never leave the process."""

    _MARK = "enc:v1:"

    def seal(self, value: str) -> str:
        return self._MARK + base64.urlsafe_b64encode(value.encode()).decode()

    def reveal(self, value: str) -> str:
        before, mark, sealed = value.partition(self._MARK)
        return before + base64.urlsafe_b64decode(sealed).decode() if mark else value


def simulated_services(now: Callable[[], float], scene: Scene | None = None) -> Services:
    """Services that act on nothing and know nothing but the scene's agents."""
    agents = scene.agents if scene is not None else ()
    people = scene.people if scene is not None else ()
    return Services(
        customers=NoCustomers(),
        queries=NoQueries(),
        web=NoWeb(),
        messages=NotedMessages(now),
        calendars=NoCalendars(),
        lists=NoLists(),
        voicemails=NotedVoicemails(),
        tasks=NotedTasks(),
        dialler=NotedDialler(people),
        telephones=EveryNumber(),
        queues=MemoryQueues(
            *(QueueAgent(one.number, one.name or one.number, one.free_after, tuple(one.queues)) for one in agents),
            ahead=scene.ahead if scene is not None else 0,
            clock=now,
        ),
        secrets=VeiledSecrets(),
    )


# --------------------------------------------------------------------------- the simulation

_CALLEE = {
    "answers": "answered",
    "busy": "busy",
    "no_answer": "no_answer",
    "rejects": "rejected",
    "unavailable": "unavailable",
    "machine": "answered",
    "fax": "answered",
}


class _People(dict[str, Callee]):
    """Who is at a destination; somebody unknown lets it ring."""

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else Callee("no_answer")


class Drive(Protocol):
    """What carries a run: `flows.virtual.VirtualDriver`, or in tests a workflow on a real server."""

    @property
    def state(self) -> State | None: ...

    async def run(self) -> VirtualRun: ...

    def hang_up(self, cause: str = "normal") -> None: ...

    def signal(self, name: str, data: dict[str, Any] | None = None) -> None: ...

    def stop(self, reason: str = "stopped") -> None: ...


class Driver(Protocol):
    """Makes a `Drive`."""

    def __call__(self, plan: Plan, start: FlowStart, env: Environment, *, begin: datetime) -> Drive: ...


@dataclass
class Simulation:
    """One simulated run. Make it and await `run` in one loop.

    ``reads``    services by name that replace the empty ones: a business's own calendars, lists, customers
    ``spoken``   the words of recorded prompts by name
    ``changed``  called whenever something was heard, entered, sent or ended
    """

    plan: Plan
    registry: Registry
    scene: Scene = field(default_factory=Scene)
    kind: str = "ivr"
    timezone: str = "Asia/Shanghai"
    reads: Mapping[str, Any] = field(default_factory=dict)
    spoken: Mapping[str, str] | None = None
    changed: Callable[[], None] | None = None
    run_id: str = "simulation"
    driver: Driver = VirtualDriver

    def __post_init__(self) -> None:
        self.line: Line | None = None
        self.call: LiveCall | None = None
        self.result: VirtualRun | None = None
        self.sounds: dict[str, Any] = {}
        self.trail = MemoryTrail()
        self._acts: list[Told] = []
        self._visits: dict[str, int] = {}
        self._answered: dict[tuple[int, int], Outcome] = {}
        self._origin = 0.0
        self._driver: SimulatedDriver | None = None
        self._drive: Drive | None = None
        flow = self.plan.flows[self.plan.root]
        self.language = self.scene.language or next(iter(flow.languages), "zh")
        self.services = replace(simulated_services(self.now, self.scene), **dict(self.reads))

    # ------------------------------------------------------------------ what is known

    def now(self) -> float:
        """Seconds since the call began, in the time of the loop."""
        return round(asyncio.get_running_loop().time() - self._origin, 3)

    @property
    def over(self) -> bool:
        return self.result is not None

    @property
    def rings(self) -> bool:
        """Whether somebody is being dialled and has not answered yet."""
        return self._driver is not None and bool(self._driver.ringing())

    @property
    def state(self) -> State | None:
        return self._drive.state if self._drive is not None else None

    @property
    def steps(self) -> Sequence[TrailStep]:
        """The path so far."""
        if self.result is not None:
            return self.result.trail
        return self.state.trail if self.state is not None else self.trail.of(self.run_id)

    @property
    def variables(self) -> dict[str, Any]:
        """The flow's variables as they stand."""
        if self.state is None:
            return {}
        root = next((frame for frame in self.state.frames.values() if frame.parent is None), None)
        if root is not None:
            return dict(root.variables)
        return dict(self.state.result.variables) if self.state.result is not None else {}

    @property
    def messages(self) -> list[SentMessage]:
        noted = self.services.messages
        return list(noted.sent.values()) if isinstance(noted, NotedMessages) else []

    def transcript(self) -> list[Told]:
        """Everything in order: what was heard, pressed, sent, and where the flow went."""
        begin = self.scene.begin
        told = list(self._acts)
        for step in self.steps:
            at = (step.entered - begin).total_seconds()
            name = f"{step.node_id} → {step.port}" if step.port else step.node_id
            if step.error:
                name += f" ({step.error}: {step.error_message})"
            told.append(Told(round(at, 3), "node", name, step.node_id))
        if self.line is not None:
            for one in self.line.heard:
                if one.kind in ("prompt", "speech", "beep"):
                    at = round(one.at - self._origin, 3)
                    sound = one.text if one.kind == "prompt" else ""
                    told.append(Told(at, "heard", one.text, self._node_at(at), sound))
        told += [Told(one.at, "message", f"{', '.join(one.to)}: {one.text}") for one in self.messages]
        order = {"node": 0, "heard": 1, "dialled": 2}
        told.sort(key=lambda one: (one.at, order.get(one.kind, 3)))
        if self.result is not None:
            told.append(Told(self.result.seconds, "ended", self.result.result.outcome))
        return told

    def _node_at(self, at: float) -> str:
        moment = self.scene.begin + timedelta(seconds=at + 0.001)
        return next((step.node_id for step in reversed(self.steps) if step.entered <= moment), "")

    # ------------------------------------------------------------------ what the caller does

    def _line(self) -> Line:
        if self.line is None or self.line.ended:
            raise CallOverError
        return self.line

    async def press(self, keys: str) -> None:
        """The caller presses keys. Raises `CallOverError`."""
        for key in keys:
            self._act("pressed", key)
            await self._line().press(key)
            await asyncio.sleep(0.2)

    async def say(self, words: str, seconds: float | None = None) -> None:
        """The caller says something. Raises `CallOverError`."""
        self._act("said", words)
        await self._line().speak(seconds if seconds is not None else max(0.6, 0.2 * len(words)), words)

    def hang_up(self) -> None:
        """The caller leaves; no harm when the call is over."""
        if self.line is not None and not self.line.ended:
            self._act("hung_up", "")
            self.line.hang_up()

    def person_does(self, does: PersonDoes) -> None:
        """Whoever is being dialled now answers, is busy, rejects ... Raises `CallOverError` when no phone rings."""
        ringing = self._driver.ringing() if self._driver is not None else []
        if not ringing or self._driver is None:
            raise CallOverError
        for channel in ringing:
            self._driver.decide(channel, _callee(PersonAt(number="", does=does, after=0)))
        self._tell()

    def signal(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Somebody outside tells the run something."""
        if self._drive is not None and not self.over:
            self._drive.signal(name, data)

    @property
    def open_tasks(self) -> list[str]:
        """Tasks that the flow waits for, the oldest first."""
        noted = self.services.tasks
        if not isinstance(noted, NotedTasks):
            return []
        now = self.scene.begin + timedelta(seconds=self.now())
        ends = {id: noted.tasks[id].expires_at for id in noted.open}
        return [id for id, end in ends.items() if end is None or end > now]

    def end_task(self, state: str, result: str = "") -> None:
        """Somebody ends the oldest open task. Raises `CallOverError` when there is none."""
        noted = self.services.tasks
        waiting = self.open_tasks
        if not isinstance(noted, NotedTasks) or not waiting or self.over:
            raise CallOverError
        id = waiting[0]
        noted.open.remove(id)
        told = {"task": id, "state": state, "result": result, "note": "", "by": "agent", "attempts": 1}
        self.signal(f"task.{id}", told)

    def stop(self) -> None:
        """The run is ended from outside."""
        if self._drive is not None and not self.over:
            self._drive.stop("stopped")

    def _act(self, kind: Literal["pressed", "said", "hung_up"], text: str) -> None:
        self._line()
        now = self.now()
        self._acts.append(Told(now, kind, text, self._node_at(now)))
        self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed()

    # ------------------------------------------------------------------ the run

    async def run(self, beside: Callable[["Simulation"], Awaitable[None]] | None = None) -> VirtualRun:
        """Walk the flow to its end. `beside` runs with it from the moment the call is there: it presses and waits."""
        self._origin = asyncio.get_running_loop().time()
        renderer = _NotingRenderer(self.spoken, self.sounds)
        driver = self._driver = SimulatedDriver(renderer, latency=0.002)
        people = [*(PersonAt(number=one.number) for one in self.scene.agents), *self.scene.people]
        driver.callees = _People({f"extension:{one.number}": _callee(one) for one in people})
        came: asyncio.Future[LiveCall] = asyncio.get_running_loop().create_future()

        async def incoming(call: LiveCall, event: Incoming) -> None:
            came.set_result(call)

        async def ended(call: LiveCall, end: CallEnd) -> None:
            if self._drive is not None:
                self._drive.hang_up(end.cause)
            self._tell()

        book = CallBook(
            driver,
            renderer,
            ears=SimulatedEars(),
            sounds=Sounds(None),
            language=self.language,
            on_incoming=incoming,
            on_ended=ended,
        )
        driver.subscribe(lambda event: self._tell())
        book.start()
        facts = None
        if self.kind in ("ivr", "subflow", "campaign"):
            self.line = driver.call_in(caller=self.scene.caller, called=self.scene.called)
            self.call = await came
            self.call.language = self.language
            if self.kind == "campaign":
                # A campaign's flow begins with somebody who was dialled and has answered.
                await self.call.answer()
            facts = CallFacts(
                id=self.call.id, caller=self.scene.caller, called=self.scene.called, language=self.language
            )
        start = FlowStart(
            run_id=self.run_id,
            business_id=BUSINESS,
            flow_id=self.plan.flows[self.plan.root].id,
            version=self.plan.flows[self.plan.root].version,
            plan=self.plan.hash,
            kind=self.kind,
            inputs=self.scene.inputs,
            call=facts,
            timezone=self.timezone,
        )
        env = Environment(
            registry=self.registry,
            services_for=lambda business_id: self.services,
            calls=book,
            ledger=MemoryLedger(),
            trail=self.trail,
            stand_in=self._stand_in,
        )
        self._drive = self.driver(self.plan, start, env, begin=self.scene.begin)
        helper = asyncio.ensure_future(beside(self)) if beside is not None else None
        try:
            self.result = await self._drive.run()
            if self.call is not None and not self.call.ended:
                await self.call.hang_up()
            if helper is not None:
                await asyncio.wait({helper}, timeout=1)
            return self.result
        finally:
            if helper is not None:
                helper.cancel()
                await asyncio.gather(helper, return_exceptions=True)
            await book.stop()
            await driver.close()
            self._tell()

    async def _stand_in(self, task: NodeTask) -> Outcome | None:
        self._tell()
        prepared = self.scene.mocks.get(task.node_id)
        if prepared is None:
            return None
        key = (task.step, task.attempt)
        if key not in self._answered:
            visit = self._visits.get(task.node_id, 0)
            self._visits[task.node_id] = visit + 1
            mock = prepared if isinstance(prepared, Mock) else prepared[min(visit, len(prepared) - 1)]
            if mock.seconds:
                await asyncio.sleep(mock.seconds)
            self._answered[key] = mock.outcome()
        return self._answered[key]


class CallOverError(Exception):
    """The caller acts on a call that is over."""


class _NotingRenderer(SimulatedRenderer):
    """Remembers what each text was made of, so that it can be spoken aloud on demand."""

    def __init__(self, recorded: Mapping[str, str] | None, sounds: dict[str, Any]) -> None:
        super().__init__(recorded=recorded)
        self._sounds = sounds

    async def render(self, items: Sequence[Any], language: str) -> list[Any]:
        media = await super().render(items, language)
        for item, one in zip(items, media, strict=True):
            self._sounds[one.text] = (item, language)
        return media


def _callee(person: PersonAt) -> Callee:
    async def talks(line: Line) -> None:
        if person.does == "machine":
            await line.wait(0.5)
            await line.speak(4.0, "您好，我现在不方便接听，请留言。 Please leave a message.")
            await line.speak(0.4, "♪ beep")
            await line.wait(person.talks or 60)
            line.hang_up()
        elif person.does == "fax":
            await line.speak(person.talks or 5, "♪ fax")
            line.hang_up()
        elif person.talks:
            await line.wait(person.talks)
            line.hang_up()

    return Callee(_CALLEE[person.does], after=person.after, person=Person().does(talks))  # type: ignore[arg-type]


def needs_answer(runs: Runs, family: str) -> bool:
    """Whether a node of that kind cannot run in a simulation without a prepared answer or real data to read."""
    return runs in (Runs.QUICK, Runs.ACTIVITY) and family in ("customer", "web", "ticket", "campaign", "queue")


__all__ = [
    "CallOverError",
    "Mock",
    "NodeFailure",
    "PersonAt",
    "Scene",
    "SentMessage",
    "Simulation",
    "Told",
    "UnpreparedError",
    "needs_answer",
    "simulated_services",
]
