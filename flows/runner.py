"""Executing one node outside the workflow. Both drivers use `run_task`, so that they agree by construction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from flows.hints import Hints, Path, hints_of, mapped
from flows.task import Calls, EffectsLedger, NodeTask, ServicesFor, TrailSink
from nodes.sdk.context import Context
from nodes.sdk.node import Node, Runs
from nodes.sdk.outcome import ERROR, HANGUP, SHORTCUT_PREFIX, NodeError, Outcome
from nodes.sdk.registry import Registry
from nodes.sdk.services import Secrets
from telephony.errors import HungUp, TelephonyError

log = logging.getLogger(__name__)

APOLOGISE = "engine.apologise"
"""Type of the engine's own task that plays the apology and offers the fallback number when a flow fails."""

LIMITS: dict[Runs, float] = {
    Runs.QUICK: 10,
    Runs.ACTIVITY: 60,
    Runs.CALL_SHORT: 15,
    Runs.ON_CALL: 6 * 3600,
}
"""Seconds one execution may take when its policy names none."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Environment:
    """What executing nodes needs from the process around it.

    ``apologise``  plays the built-in apology and offers the fallback number; None plays nothing
    ``stand_in``   answers in place of a node's code, or None to let the node run: simulations and replays
    """

    registry: Registry
    services_for: ServicesFor
    calls: Calls
    ledger: EffectsLedger
    trail: TrailSink
    apologise: Callable[[Context], Awaitable[None]] | None = None
    now: Callable[[], datetime] = _utc_now
    stand_in: Callable[[NodeTask], Awaitable[Outcome | None]] | None = None


async def run_task(task: NodeTask, env: Environment) -> Outcome:
    """Execute one node and return its outcome.

    Whatever the node does wrong becomes an ``error`` outcome. Only a cancellation and failures of the
    infrastructure (the ledger's database) are raised: the driver then runs the same step and attempt again.
    """
    steps = task.seen()
    if steps:
        try:
            await env.trail.steps(task.run_id, steps)
        except Exception:  # the trail is written again at the end of the run; a call must not fail for it
            log.exception("trail of run %s could not be written", task.run_id)
    call = await env.calls.get(task.call.id) if task.call is not None else None
    services = env.services_for(task.business_id)
    language = (task.call.language if task.call else "") or (call.language if call else "")
    if call is not None and language and not call.ended:
        call.language = language
    ctx = Context(
        run_id=task.run_id,
        step=task.step,
        attempt=task.attempt,
        node_id=task.node_id,
        business_id=task.business_id,
        now=task.now,
        services=services,
        language=language,
        shortcuts=frozenset(task.shortcuts),
        maybe_call=call,
    )
    if task.node_type == APOLOGISE:
        return await _apologise(ctx, env)
    try:
        node = env.registry.get(task.node_type, task.type_version)
    except KeyError as missing:
        return Outcome.error("unknown_node", str(missing.args[0]) if missing.args else str(missing))
    revealed: list[str] = []
    config_data = _reveal(task.config, hints_of(node), services.secrets, revealed)
    try:
        config = node.Config.model_validate(config_data)
    except ValidationError as invalid:
        return Outcome.error("bad_config", _where(invalid))
    answer = await env.stand_in(task) if env.stand_in is not None else None
    if answer is not None:
        return _finished(answer, node, config, services.secrets)
    if node.meta.runs.needs_call and (call is None or call.ended) and not node.meta.effects:
        return Outcome(port=HANGUP)
    if not node.meta.effects:
        return _finished(await _run(node, ctx, config, task, revealed), node, config, services.secrets)

    state, known = await env.ledger.begin(task)
    if state == "done" and known is not None:
        return known
    if state == "unfinished":
        outcome = await _reconcile(node, ctx, config, revealed)
        if outcome.port == ERROR and node.meta.runs.needs_call and (call is None or call.ended):
            # Nobody is left to hear of it: what could not be known belongs to the hang-up.
            outcome = Outcome(port=HANGUP, outputs=dict(ctx.partial))
    elif node.meta.runs.needs_call and (call is None or call.ended):
        outcome = Outcome(port=HANGUP)
    else:
        outcome = await _run(node, ctx, config, task, revealed)
    outcome = _finished(outcome, node, config, services.secrets)
    await env.ledger.finish(task, outcome)
    return outcome


async def _run(node: Node[Any], ctx: Context, config: Any, task: NodeTask, revealed: Sequence[str]) -> Outcome:
    outcome = await _run_bare(node, ctx, config, task, revealed)
    return outcome.model_copy(update={"said": list(ctx.said)}) if ctx.said and not outcome.said else outcome


async def _run_bare(node: Node[Any], ctx: Context, config: Any, task: NodeTask, revealed: Sequence[str]) -> Outcome:
    limit = task.timeout or LIMITS[node.meta.runs]
    try:
        async with asyncio.timeout(limit) as watch:
            return await node.run(ctx, config)
    except HungUp:
        return Outcome(port=HANGUP, outputs=dict(ctx.partial))
    except TimeoutError as timeout:
        if watch.expired():
            # An act that was cut off may have happened: trying again is only harmless without effects.
            return Outcome.error("timeout", f"the node took longer than {limit:g} s", retryable=not node.meta.effects)
        return _failed(timeout, revealed)
    except Exception as failure:
        return _failed(failure, revealed)


async def _reconcile(node: Node[Any], ctx: Context, config: Any, revealed: Sequence[str]) -> Outcome:
    """An earlier execution began to act and its outcome was lost."""
    try:
        found = await node.reconcile(ctx, config)
    except HungUp:
        return Outcome(port=HANGUP, outputs=dict(ctx.partial))
    except Exception as failure:
        return _failed(failure, revealed)
    if found is not None:
        return found
    return Outcome.error("unknown", "the act began and its outcome was lost; it is not repeated")


def _failed(failure: Exception, revealed: Sequence[str]) -> Outcome:
    match failure:
        case NodeError():
            told = failure.failure
            return Outcome.error(told.reason, _hide(told.message, revealed), retryable=told.retryable)
        case TelephonyError():
            return Outcome.error(failure.reason, _hide(str(failure), revealed))
        case _:
            log.error("node failed unexpectedly: %s", _hide(repr(failure), revealed))
            return Outcome.error("internal", _hide(f"{type(failure).__name__}: {failure}", revealed))


def _finished(outcome: Outcome, node: Node[Any], config: Any, secrets: Secrets) -> Outcome:
    """Check that the port and the outputs are declared, and seal the secret outputs."""
    if outcome.wait is not None and type(node).resume is not Node.resume:
        return outcome
    if not outcome.port.startswith(SHORTCUT_PREFIX) and outcome.port not in {
        port.name for port in node.all_ports(config)
    }:
        return Outcome.error("undeclared_port", f"{node.meta.type} fired the port {outcome.port!r}, which it lacks")
    declared = {output.name: output for output in node.outputs(config)}
    outputs: dict[str, Any] = {}
    for name, value in outcome.outputs.items():
        if name == "error" and outcome.port == ERROR:
            outputs[name] = value
        elif name not in declared:
            return Outcome.error("undeclared_output", f"{node.meta.type} left the output {name!r}, which it lacks")
        elif declared[name].secret and value is not None and value != "":
            outputs[name] = value if _sealed(value) else secrets.seal(str(value))
        else:
            outputs[name] = value
    return outcome.model_copy(update={"outputs": outputs}) if outputs != outcome.outputs else outcome


def _sealed(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("enc:v1:")


async def _apologise(ctx: Context, env: Environment) -> Outcome:
    if env.apologise is None or ctx.maybe_call is None or ctx.maybe_call.ended:
        return Outcome(port="next")
    try:
        await env.apologise(ctx)
    except HungUp:
        return Outcome(port=HANGUP)
    except Exception as failure:
        return _failed(failure, ())
    return Outcome(port="next")


def _reveal(config: dict[str, Any], hints: Hints, secrets: Secrets, revealed: list[str]) -> dict[str, Any]:
    """A copy of `config` whose secret fields hold plain text; `revealed` collects what was opened."""
    if not hints.has_secrets:
        return config

    def open_one(path: Path, value: str) -> str:
        if "enc:v1:" not in value:
            return value
        plain = secrets.reveal(value)
        revealed.append(plain)
        return plain

    return dict(mapped(config, hints.find(config).secrets, open_one))


def _hide(message: str, revealed: Sequence[str]) -> str:
    for secret in revealed:
        if secret:
            message = message.replace(secret, "•••")
    return message[:2000]


def _where(invalid: ValidationError) -> str:
    """Fields and reasons, never the values: they may be confidential."""
    return "; ".join(
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in invalid.errors(include_input=False)
    )[:2000]
