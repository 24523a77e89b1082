"""Sessions: a person walks a flow by hand, hears its prompts, presses keys and lets time pass.

A session lives in this process's memory: it ends with the process, with its own end, or fifteen minutes after the
last look at it. It dials nobody, sends nothing and changes no business data.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backend.database import Database
from backend.datasources.service import QueryRunner
from backend.errors import ConflictError, DomainError, InvalidError, NotFoundError
from backend.flows.service import Compiled
from backend.identity.permissions import Actor
from backend.simulation.reads import reads_for_people, words_of_prompts
from flows.cases import Expect, FlowCase, Step
from flows.pace import LiveSimulation
from flows.simulation import CallOverError, PersonDoes, Scene, Simulation, Told
from nodes.sdk.registry import registry
from nodes.sdk.text import text
from telephony.errors import SpeechError
from telephony.prompts import MediaRenderer

IDLE_SECONDS = 900.0
LEFT_SECONDS = 60.0
"""After which a session without a listener may make way for somebody else's."""
MOST_A_PERSON = 3
MOST = 20


@dataclass(frozen=True, slots=True)
class View:
    """A session at one moment. ``standing`` is the node the flow stands in; ``at`` seconds since the call began."""

    id: str
    key: str
    over: bool
    outcome: str
    reason: str
    at: float
    standing: str
    ringing: bool
    variables: dict[str, Any]
    path: list[tuple[str, str | None]]
    transcript: list[Told]


@dataclass
class Session:
    """One of them, of one person."""

    id: str
    key: str
    business_id: str
    owner: str
    live: LiveSimulation
    scene: Scene
    looked_at: float = field(default_factory=time.monotonic)
    followers: int = 0
    version: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        self.version += 1
        self.moved.set()


def _over() -> ConflictError:
    return ConflictError(
        text("通话已经结束", "the call is over"),
        field="id",
        remedy=text("请重新开始模拟。", "Start the simulation again."),
    )


class Sessions:
    """All sessions of this process."""

    def __init__(self, db: Database, queries: QueryRunner) -> None:
        self._db = db
        self._queries = queries
        self._sessions: dict[str, Session] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, actor: Actor, key: str, compiled: Compiled, scene: Any, *, timezone: str) -> Session:
        """Begin a call on a compiled flow. Raises InvalidError for a bad scene, ConflictError for one call too many."""
        read = self._scene(scene)
        await self._make_room(actor)
        simulation = Simulation(
            compiled.plan,
            registry(),
            read,
            kind=compiled.kind,
            timezone=timezone,
            reads=reads_for_people(self._db, self._queries, actor.business_id),
            spoken=await words_of_prompts(self._db, actor.business_id),
        )
        id = secrets.token_urlsafe(12)
        live = LiveSimulation(simulation, lambda: session.changed())
        session = Session(id, key, actor.business_id, actor.name, live, read)
        self._sessions[id] = session
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())
        await live.start()
        return session

    async def _make_room(self, actor: Actor) -> None:
        """End what was left behind: a page that was reloaded or closed never says so. Raises ConflictError."""
        left = sorted((one for one in self._sessions.values() if not one.followers), key=lambda one: one.looked_at)
        if sum(one.owner == actor.name for one in self._sessions.values()) >= MOST_A_PERSON:
            left = [one for one in left if one.owner == actor.name]
        elif len(self._sessions) >= MOST:
            left = [one for one in left if one.looked_at < time.monotonic() - LEFT_SECONDS]
        else:
            return
        if not left:
            raise ConflictError(
                text("同时进行的模拟太多", "too many simulations are under way"),
                field="id",
                remedy=text("请先在其他页面中挂机。", "Hang up in another page first."),
            )
        await self.stop(left[0])

    def _scene(self, scene: Any) -> Scene:
        try:
            return Scene.model_validate(scene or {})
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidError(
                text(f"场景的 {where} 不正确：{first['msg']}", f"{where} of the scene is not right: {first['msg']}"),
                field=f"scene.{where}",
                remedy=text("请改正后重试。", "Correct it and try again."),
            ) from None

    def find(self, actor: Actor, id: str) -> Session:
        """A session of the actor's business. Raises NotFoundError when it is over and gone."""
        session = self._sessions.get(id)
        if session is None or session.business_id != actor.business_id:
            raise NotFoundError(
                text("此模拟已经结束", "this simulation is over"),
                field="id",
                remedy=text("请重新开始模拟。", "Start the simulation again."),
            )
        session.looked_at = time.monotonic()
        return session

    async def view(self, session: Session) -> View:
        """How a session stands now."""
        simulation = session.live.simulation

        def look() -> View:
            result = simulation.result
            failure = session.live.failure
            state = simulation.state
            return View(
                id=session.id,
                key=session.key,
                over=simulation.over or failure is not None,
                outcome=result.result.outcome if result else "failed" if failure else "",
                reason=result.result.reason if result else str(failure or ""),
                at=result.seconds if result else simulation.now(),
                standing=(state.positions[0] if state is not None and state.positions and not result else ""),
                ringing=simulation.rings,
                variables=simulation.variables,
                path=[(step.node_id, step.port) for step in simulation.steps],
                transcript=simulation.transcript(),
            )

        return await session.live.ask(look)

    async def follow(self, session: Session) -> AsyncGenerator[View]:
        """The session now, and again whenever something happened, at most five times a second."""
        session.followers += 1
        try:
            while True:
                session.moved.clear()
                seen = await self.view(session)
                yield seen
                if seen.over:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(session.moved.wait(), 60)
                session.looked_at = time.monotonic()
                await asyncio.sleep(0.2)
        finally:
            session.followers -= 1

    async def press(self, session: Session, keys: str) -> None:
        """Press keys. Raises InvalidError, ConflictError when the call is over."""
        if not keys or set(keys) - set("0123456789*#ABCD") or len(keys) > 40:
            raise InvalidError(
                text("按键只能是 0-9、*、#", "keys are 0-9, * and #"),
                field="keys",
                remedy=text("请重新输入。", "Give them again."),
            )
        await self._do(session, lambda: session.live.do(lambda: session.live.simulation.press(keys)))

    async def say(self, session: Session, words: str) -> None:
        """Say something. Raises ConflictError when the call is over."""
        await self._do(session, lambda: session.live.do(lambda: session.live.simulation.say(words[:500])))

    async def hang_up(self, session: Session) -> None:
        """The caller leaves."""
        await self._do(session, lambda: session.live.ask(session.live.simulation.hang_up))

    async def person_does(self, session: Session, does: PersonDoes) -> None:
        """Whoever is being dialled does this. Raises ConflictError when no phone rings."""
        await self._do(session, lambda: session.live.ask(lambda: session.live.simulation.person_does(does)))

    async def skip(self, session: Session, seconds: float | None) -> None:
        """Let time pass at once: so many seconds, or until something happens."""
        if seconds is not None and not 0 < seconds <= 7 * 86_400:
            raise InvalidError(
                text("时间应在 0 秒到 7 天之间", "the time is between 0 seconds and 7 days"),
                field="seconds",
                remedy=text("请重新输入。", "Give another one."),
            )
        await self._do(session, lambda: session.live.skip(seconds))

    async def stop(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)
        await session.live.close()

    async def sound(self, session: Session, number: int, renderer: MediaRenderer) -> Path:
        """The audio of the heard line `number` of the transcript. Raises NotFoundError for what has no sound."""
        simulation = session.live.simulation

        def look() -> Any:
            told = simulation.transcript()
            return simulation.sounds.get(told[number].sound) if 0 <= number < len(told) else None

        found = await session.live.ask(look)
        if found is None:
            raise NotFoundError(text("没有声音", "there is no sound"), field="number")
        item, language = found
        try:
            return (await renderer.render([item], language))[0].path
        except SpeechError as problem:
            raise NotFoundError(
                text(f"无法合成：{problem}", f"it cannot be spoken: {problem}"), field="number"
            ) from problem

    async def as_case(self, session: Session, name: str, description: str = "") -> FlowCase:
        """What was done as a test case: the acts, the nodes reached before them, and how it ended."""
        simulation = session.live.simulation
        told = await session.live.ask(simulation.transcript)
        seen = await self.view(session)
        return FlowCase(
            name=name,
            description=description,
            scene=session.scene,
            steps=_steps_of(told),
            expect=Expect(
                outcome=seen.outcome or None,
                path=[f"{node}.{port}" if port else node for node, port in seen.path],
            ),
        )

    async def close(self) -> None:
        """End all."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for session in list(self._sessions.values()):
            await self.stop(session)

    async def _do(self, session: Session, work: Any) -> None:
        try:
            await work()
        except CallOverError:
            raise _over() from None
        except DomainError:
            raise
        except RuntimeError as closed:
            raise _over() from closed

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(15)
            old = time.monotonic() - IDLE_SECONDS
            for session in [one for one in self._sessions.values() if one.looked_at < old]:
                await self.stop(session)


def _steps_of(told: list[Told]) -> list[Step]:
    """The acts of a transcript, each after the node it was done in; times between acts that nothing else explains."""
    steps: list[Step] = []
    stood = ""
    last = 0.0
    for one in told:
        if one.kind not in ("pressed", "said", "hung_up"):
            continue
        if one.node and one.node != stood:
            steps.append(Step(node=one.node))
            stood = one.node
        elif one.kind != "pressed" and one.at - last > 0.5:
            steps.append(Step(wait=round(one.at - last, 1)))
        match one.kind:
            case "pressed" if steps and steps[-1].press is not None:
                steps[-1] = Step(press=(steps[-1].press or "") + one.text)
            case "pressed":
                steps.append(Step(press=one.text))
            case "said":
                steps.append(Step(say=one.text))
            case _:
                steps.append(Step(hang_up=True))
        last = one.at
    return steps
