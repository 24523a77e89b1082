"""``callweave run show``, ``run replay`` and ``flow stats``: what happened, and what another version does."""

import json
from datetime import timedelta
from typing import Annotated, Any

import typer

from backend.calls.history import PastRun
from backend.calls.statistics import FlowStatistics
from backend.cli.app import flow, runs
from backend.cli.common import Json, house, out, run, show_json, show_table
from backend.database import utcnow
from backend.errors import InvalidError
from flows.rerun import Comparison, judgement
from nodes.sdk.text import text


@runs.command("show")
def show_run(
    run_id: str,
    full: Annotated[bool, typer.Option("--full", help="Also what each node was given and left behind")] = False,
    as_json: Json = False,
) -> None:
    """Show a run: its path with times, ports, words and errors, its legs, recordings and messages."""
    from backend.calls.history import past_run

    async def work() -> PastRun:
        async with house() as home:
            return await past_run(home.db, home.business.id, run_id)

    past = run(work)
    if as_json:
        steps = [
            {**entry.model_dump(mode="json"), "inputs": past.inputs.get(entry.seq) if past.inputs else None}
            for entry in past.trail
        ]
        show_json(
            {
                "run": past.run,
                "call": past.call,
                "trail": steps,
                "legs": past.legs,
                "recordings": past.recordings,
                "messages": past.messages,
            }
        )
        return
    one = past.run
    typer.echo(f"{one.id}: {one.flow_key} version {one.flow_version}, {one.state} {one.reason}".rstrip())
    if past.call is not None:
        typer.echo(f"call from {past.call.caller} to {past.call.called}, ended: {past.call.cause or 'not yet'}")
    show_table(
        ["step", "node", "name", "entered", "seconds", "port", "said", "error"],
        [
            (
                entry.seq,
                entry.node_id,
                entry.node_name,
                entry.entered.strftime("%H:%M:%S"),
                f"{(entry.left - entry.entered).total_seconds():.1f}" if entry.left else "",
                entry.port,
                " ".join(entry.said),
                f"{entry.error}: {entry.error_message}" if entry.error else "",
            )
            for entry in past.trail
        ],
        "No steps yet.",
    )
    if full:
        for entry in past.trail:
            given = (past.inputs or {}).get(entry.seq)
            typer.echo(f"{entry.seq} {entry.node_id}")
            if given is not None:
                typer.echo(f"   given {_short(given)}")
            if entry.outputs:
                typer.echo(f"   left  {_short(entry.outputs)}")
        if past.inputs is None:
            typer.echo("What the nodes were given cannot be worked out any more.")
    for leg in past.legs:
        typer.echo(f"leg {leg.kind} {leg.number}: {leg.state} {leg.cause}".rstrip())
    for recording in past.recordings:
        typer.echo(f"recording {recording.id}: {recording.seconds:.1f} s")
    for message in past.messages:
        typer.echo(f"{message.channel} to {', '.join(message.recipients)}: {message.state}")


def _short(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False, default=str)
    return words if len(words) <= 300 else words[:297] + "..."


@runs.command("replay")
def replay(
    run_id: str,
    on: Annotated[str, typer.Option(help="draft, an alias, or a version number")] = "draft",
    assume: Annotated[
        list[str] | None, typer.Option(help="node=port for a node without an answer on record; may be given again")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk an old run on another version and show where the paths part. Ends with 1 when they do."""
    from backend.calls.history import replay_run

    ports = dict(_pair(one) for one in assume or [])

    async def work() -> Comparison:
        async with house() as home:
            return await replay_run(home.db, home.business.id, run_id, on=on, assume=ports)

    found = run(work)
    verdict = judgement(found)
    if as_json:
        show_json({"judgement": verdict, **found.model_dump(mode="json")})
    else:
        _show_comparison(found, on)
    if verdict != "same":
        raise typer.Exit(1)


def _pair(given: str) -> tuple[str, str]:
    node, equals, port = given.partition("=")
    if not node or not equals or not port:
        raise InvalidError(
            text(f"“{given}”应写成 节点=出口", f"'{given}' should read node=port"),
            field="assume",
            remedy=text("例如 --assume menu=1", "For example --assume menu=1"),
        )
    return node, port


def _show_comparison(found: Comparison, on: str) -> None:
    rows = []
    for index, row in enumerate(found.rows):
        mark = "" if row.same else "<- parts here" if index == found.parting else "differs"
        old = f"{row.old.node_id}.{row.old.port}" if row.old else ""
        new = f"{row.new.node_id}.{row.new.port}" if row.new else ""
        rows.append((index + 1, old, new, mark))
    show_table(["step", "then", f"on {on}", ""], rows, "The run has no steps.")
    if found.why is not None:
        out.print(found.why.en, markup=False)
    for name, (before, after) in found.variables.items():
        out.print(f"variable {name}: {before!r} then, {after!r} now", markup=False)
    out.print(f"outcome: {found.old_outcome} then, {found.new_outcome or 'none'} now", markup=False)
    if judgement(found) == "same":
        out.print("Both versions take the same way.")


@flow.command("stats")
def stats(
    key: str,
    days: Annotated[float, typer.Option(help="How far back", min=0.01)] = 7,
    version: Annotated[int, typer.Option(help="Only this version; 0 for all")] = 0,
    as_json: Json = False,
) -> None:
    """Count what happened in each node: entered, ports, times, errors, hang-ups, standing now."""
    from backend.calls.statistics import flow_statistics

    async def work() -> FlowStatistics:
        async with house() as home:
            now = utcnow()
            return await flow_statistics(
                home.db, home.business.id, key, since=now - timedelta(days=days), until=now, version=version
            )

    found = run(work)
    if as_json:
        nodes = [{name: getattr(one, name) for name in one.__slots__} for one in found.nodes]
        show_json({"runs": found.runs, "outcomes": found.outcomes, "nodes": nodes})
        return
    typer.echo(f"{found.runs} runs: " + ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items())))
    show_table(
        ["node", "entered", "left by", "median s", "p95 s", "errors", "hang-ups", "now"],
        [
            (
                one.node_id,
                one.entered,
                ", ".join(f"{port} {count}" for port, count in sorted(one.left.items())),
                f"{one.median:.1f}" if one.median is not None else "",
                f"{one.p95:.1f}" if one.p95 is not None else "",
                ", ".join(f"{code} {count}" for code, count in sorted(one.errors.items())),
                one.hangups,
                one.standing,
            )
            for one in found.nodes
        ],
        "Nobody has walked this flow in that time.",
    )
