"""``callweave flow diff``: what differs between two states of a flow."""

import json
from typing import Annotated, Any

import typer

from backend.cli.app import flow
from backend.cli.common import Json, house, out, run, show_json
from flows.diff import FieldChange, FlowDiff

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@flow.command("diff")
def show_diff(
    key: str,
    old: Annotated[str, typer.Argument(help="draft, an alias, or a version number")] = "live",
    new: Annotated[str, typer.Argument(help="draft, an alias, or a version number")] = "draft",
    as_json: Json = False,
) -> None:
    """Show what differs between two states of a flow. Layout does not count."""
    from backend.flows.service import flow_diff

    async def work() -> FlowDiff:
        async with house() as home:
            return await flow_diff(home.db, home.business.id, key, old, new)

    found = run(work)
    if as_json:
        show_json(found.model_dump(mode="json"))
        return
    if found.empty:
        out.print(f"{old} and {new} mean the same.")
        return
    for change in found.flow:
        _field(change, "")
    for node in found.nodes:
        out.print(f"{_SIGNS[node.kind]} {node.node} ({node.type}) {node.name}", markup=False)
        for change in node.fields:
            _field(change, "    ")
    for wire in found.wires:
        out.print(f"~ {wire.node}.{wire.port}: {wire.old or 'nowhere'} -> {wire.new or 'nowhere'}", markup=False)


def _field(change: FieldChange, indent: str) -> None:
    words = f"{indent}{_SIGNS[change.kind]} {change.title.en} [{change.field}]: "
    if change.kind != "added":
        words += _short(change.old)
    if change.kind == "changed":
        words += " -> "
    if change.kind != "removed":
        words += _short(change.new)
    out.print(words, markup=False)


def _short(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 120 else words[:117] + "..."
