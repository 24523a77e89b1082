"""Test cases and simulation sessions."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any, get_args

import strawberry
from strawberry.scalars import JSON

from backend.database import read
from backend.errors import InvalidError
from backend.flows.service import compile_document, compiled_on
from backend.graphql.base import Done, FromRow, Info, Words, mutation, query, subscription
from backend.identity.models import Business
from backend.identity.permissions import Permission
from backend.simulation import service
from backend.simulation.models import FlowCaseRow
from backend.simulation.sessions import View
from flows.cases import CaseResult
from flows.simulation import PersonDoes
from nodes.sdk.text import text


@strawberry.type(name="CaseFailure", description="Why a case is red; step counts from 1, none means at the end.")
class CaseFailureType:
    step: int | None
    message: Words


@strawberry.type(name="TranscriptLine", description="Something that was heard, pressed, sent or entered.")
class TranscriptLine:
    at: float
    kind: str
    text: str
    node: str
    sound: str | None = strawberry.field(default=None, description="Where to hear it, when it has a sound.")


@strawberry.type(name="CaseResult", description="What a case came to. Seconds are those of the call.")
class CaseResultType:
    name: str
    passed: bool
    failures: list[CaseFailureType]
    outcome: str
    reason: str
    path: list[str]
    variables: JSON
    transcript: list[TranscriptLine]
    seconds: float

    @classmethod
    def of(cls, result: CaseResult) -> "CaseResultType":
        return cls(
            name=result.name,
            passed=result.passed,
            failures=[CaseFailureType(step=one.step, message=Words.of(one.message)) for one in result.failures],
            outcome=result.outcome,
            reason=result.reason,
            path=[f"{node}.{port}" if port else node for node, port in result.path],
            variables=result.variables,  # type: ignore[arg-type]
            transcript=[
                TranscriptLine(at=one["at"], kind=one["kind"], text=one["text"], node=one["node"])
                for one in result.transcript
            ],
            seconds=result.seconds,
        )


@strawberry.type(name="FlowCase", description="A test case of a flow, and what it came to last.")
class FlowCaseType(FromRow):
    id: str
    name: str
    case: JSON
    passed: bool | None
    ran_on: str
    ran_at: datetime | None
    updated_by: str | None
    result: strawberry.Private[Any]

    @query(Permission.FLOWS_READ, "What it came to last, none while it never ran.")
    async def last_result(self, info: Info) -> CaseResultType | None:
        return CaseResultType.of(CaseResult.model_validate(self.result)) if self.result else None


@strawberry.type(name="Simulation", description="A simulated call at one moment.")
class SimulationType:
    id: str
    key: str
    over: bool
    outcome: str
    reason: str
    at: float
    standing: str = strawberry.field(description="The node in which the flow stands.")
    ringing: bool = strawberry.field(description="Whether somebody is being dialled.")
    variables: JSON
    path: list[str]
    transcript: list[TranscriptLine]

    @classmethod
    def of(cls, seen: View) -> "SimulationType":
        return cls(
            id=seen.id,
            key=seen.key,
            over=seen.over,
            outcome=seen.outcome,
            reason=seen.reason,
            at=seen.at,
            standing=seen.standing,
            ringing=seen.ringing,
            variables=seen.variables,  # type: ignore[arg-type]
            path=[f"{node}.{port}" if port else node for node, port in seen.path],
            transcript=[
                TranscriptLine(
                    at=one.at,
                    kind=one.kind,
                    text=one.text,
                    node=one.node,
                    sound=f"/files/simulations/{seen.id}/{number}" if one.sound else None,
                )
                for number, one in enumerate(seen.transcript)
            ],
        )


async def _seen(info: Info, id: str) -> SimulationType:
    sessions = info.context.state.simulations
    return SimulationType.of(await sessions.view(sessions.find(info.context.actor, id)))


@strawberry.type
class SimulationQuery:
    @query(Permission.FLOWS_READ, "The test cases of a flow, by name.")
    async def flow_cases(self, info: Info, key: str) -> list[FlowCaseType]:
        rows = await service.list_cases(info.context.state.db, info.context.actor.business_id, key)
        return [_case(row) for row in rows]

    @query(Permission.FLOWS_EDIT, "A simulated call as it stands.")
    async def simulation(self, info: Info, id: str) -> SimulationType:
        return await _seen(info, id)


def _case(row: FlowCaseRow) -> FlowCaseType:
    return FlowCaseType.of(row)


@strawberry.type
class SimulationMutation:
    @mutation(Permission.FLOWS_EDIT, "Create a test case of a flow, or change the one with id.")
    async def save_flow_case(self, info: Info, key: str, case: JSON, id: str | None = None) -> FlowCaseType:
        return _case(await service.save_case(info.context.state.db, info.context.actor, key, case, id=id))

    @mutation(Permission.FLOWS_EDIT, "Remove a test case.")
    async def delete_flow_case(self, info: Info, id: str) -> Done:
        await service.delete_case(info.context.state.db, info.context.actor, id)
        return Done()

    @mutation(Permission.FLOWS_EDIT, "Run test cases (all, or by name) on the draft, an alias or a version.")
    async def run_flow_cases(
        self, info: Info, key: str, on: str = "draft", names: list[str] | None = None
    ) -> list[CaseResultType]:
        ran = await service.run_cases(info.context.state.db, info.context.actor.business_id, key, on=on, names=names)
        return [CaseResultType.of(one.result) for one in ran]

    @mutation(Permission.FLOWS_PUBLISH, "Whether a flow is published only while all of its cases are green.")
    async def require_green_cases(self, info: Info, key: str, required: bool = True) -> Done:
        await service.set_cases_required(info.context.state.db, info.context.actor, key, required)
        return Done()

    @mutation(Permission.FLOWS_EDIT, "Begin a simulated call: on a stored flow, or on a document that is not stored.")
    async def start_simulation(
        self,
        info: Info,
        key: str = "",
        on: str = "draft",
        document: JSON | None = None,
        scene: JSON | None = None,
    ) -> SimulationType:
        state, actor = info.context.state, info.context.actor
        if document is not None:
            compiled = await compile_document(state.db, actor.business_id, document)
        else:
            compiled = await compiled_on(state.db, actor.business_id, key, on)
        async with read(state.db) as session:
            business = await session.get(Business, actor.business_id)
        zone = business.timezone if business is not None else "UTC"
        session_ = await state.simulations.start(actor, key or compiled.document.id, compiled, scene, timezone=zone)
        return await _seen(info, session_.id)

    @mutation(Permission.FLOWS_EDIT, "The simulated caller presses keys.")
    async def press_in_simulation(self, info: Info, id: str, keys: str) -> SimulationType:
        sessions = info.context.state.simulations
        await sessions.press(sessions.find(info.context.actor, id), keys)
        return await _seen(info, id)

    @mutation(Permission.FLOWS_EDIT, "The simulated caller says something.")
    async def say_in_simulation(self, info: Info, id: str, words: str) -> SimulationType:
        sessions = info.context.state.simulations
        await sessions.say(sessions.find(info.context.actor, id), words)
        return await _seen(info, id)

    @mutation(Permission.FLOWS_EDIT, "The simulated caller hangs up.")
    async def hang_up_simulation(self, info: Info, id: str) -> SimulationType:
        sessions = info.context.state.simulations
        await sessions.hang_up(sessions.find(info.context.actor, id))
        return await _seen(info, id)

    @mutation(
        Permission.FLOWS_EDIT, "Whoever the flow dials: answers, busy, no_answer, rejects, unavailable, machine or fax."
    )
    async def person_in_simulation(self, info: Info, id: str, does: str) -> SimulationType:
        if does not in get_args(PersonDoes):
            raise InvalidError(
                text(f"没有“{does}”这种反应", f"“{does}” is nothing a person does"),
                field="does",
                remedy=text(f"可选：{'、'.join(get_args(PersonDoes))}", f"One of {', '.join(get_args(PersonDoes))}."),
            )
        sessions = info.context.state.simulations
        await sessions.person_does(sessions.find(info.context.actor, id), does)  # type: ignore[arg-type]
        return await _seen(info, id)

    @mutation(Permission.FLOWS_EDIT, "Let time pass at once; without seconds until something happens.")
    async def advance_simulation(self, info: Info, id: str, seconds: float | None = None) -> SimulationType:
        sessions = info.context.state.simulations
        await sessions.skip(sessions.find(info.context.actor, id), seconds)
        return await _seen(info, id)

    @mutation(Permission.FLOWS_EDIT, "End a simulated call and forget it.")
    async def stop_simulation(self, info: Info, id: str) -> Done:
        sessions = info.context.state.simulations
        await sessions.stop(sessions.find(info.context.actor, id))
        return Done()

    @mutation(Permission.FLOWS_EDIT, "Keep what was done in a simulated call as a test case of its flow.")
    async def save_simulation_as_case(
        self, info: Info, id: str, name: str, description: str = "", key: str | None = None
    ) -> FlowCaseType:
        state, actor = info.context.state, info.context.actor
        session = state.simulations.find(actor, id)
        case = await state.simulations.as_case(session, name, description)
        data = case.model_dump(mode="json", exclude_defaults=True)
        return _case(await service.save_case(state.db, actor, key or session.key, data))


@strawberry.type
class SimulationSubscription:
    @subscription(Permission.FLOWS_EDIT)
    async def simulation(self, info: Info, id: str) -> AsyncIterator[SimulationType]:
        """A simulated call, whenever something happens in it, to its end."""
        sessions = info.context.state.simulations
        async with aclosing(sessions.follow(sessions.find(info.context.actor, id))) as views:
            async for seen in views:
                yield SimulationType.of(seen)
