"""`make bench`: every figure beside its reference in the same run; a table on the screen, JSON in bench/results."""

import argparse
import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from bench import designer, engine, keys, product

RESULTS = Path(__file__).parent / "results"


async def _measure(quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "processor": platform.machine(),
            "load_before": round(os.getloadavg()[0], 2),
        },
    }
    plan = product.Plan(calls=20, key_seconds=6, rates=(1, 10), rate_seconds=4, passes=1) if quick else product.Plan()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        figures["calls"] = await product.main(Path(folder), plan)
        counts = {"simulated_keys": 5_000, "real_keys": 200} if quick else {}
        figures["keys"] = await keys.main(Path(folder) / "keys", **counts)
        figures["designer"] = await designer.main(
            Path(folder) / "designer", **({"passes": 1, "seconds": 1} if quick else {})
        )
    figures["engine"] = await (engine.main(rounds=3, flows=30) if quick else engine.main())
    return figures


def tables(figures: dict[str, Any]) -> list[Table]:
    """The figures as tables."""
    calls = figures["calls"]
    first = Table(
        title="Calls, milliseconds: median / p95 / most, each the median of its passes (count of all)",
        title_justify="left",
    )
    first.add_column("what")
    for name in calls:
        first.add_column(name, justify="right")

    def cell(spread: dict[str, Any]) -> str:
        return f"{spread['median']:g} / {spread['p95']:g} / {spread['most']:g} ({spread['count']})"

    first.add_row("key → next prompt", *(cell(one["keys"]) for one in calls.values()))
    for rate in next(iter(calls.values()))["answers"]:
        first.add_row(f"INVITE → 200 at {rate} calls/s", *(cell(one["answers"][rate]) for one in calls.values()))
    first.add_row("failures", *("; ".join(one["failures"]) or "none" for one in calls.values()))

    second = Table(title="Engine: ten-node flow", title_justify="left")
    for column in ("what", "value"):
        second.add_column(column, justify="right" if column == "value" else "left")
    for name, value in figures["engine"].items():
        second.add_row(name.replace("_", " "), f"{value:.3g}" if isinstance(value, float) else str(value))

    third = Table(title="Valid keys: how many, and what went wrong", title_justify="left")
    columns = ["keys", "calls", "wrong_choices", "wrong_prompts", "unheard", "lines_left", "calls_failed"]
    for column in ("where", *columns):
        third.add_column(column.replace("_", " "), justify="left" if column == "where" else "right")
    for name, counts in figures["keys"].items():
        third.add_row(name, *(str(counts[column]) for column in columns))

    drawn = figures["designer"]
    fourth = Table(title=f"Designer: a flow of {drawn['nodes']} nodes in Chromium", title_justify="left")
    for column in ("what", "value", "target"):
        fourth.add_column(column, justify="left" if column == "what" else "right")
    for name, title, target in (
        ("open", "opens, ms", f"< {designer.TARGETS['open_ms']}"),
        ("save", "autosave, ms", f"< {designer.TARGETS['save_ms']}"),
        ("undo", "undo, ms", f"< {designer.TARGETS['undo_ms']}"),
        ("redo", "redo, ms", f"< {designer.TARGETS['undo_ms']}"),
    ):
        fourth.add_row(title, cell(drawn[name]), target)
    for name, title in (
        ("pan_full_fps", "pan at 100 %, frames/s"),
        ("pan_whole_fps", "pan with all in view, frames/s"),
    ):
        fourth.add_row(title, f"{drawn[name]:g}", f">= {designer.TARGETS[name]}")
    return [first, second, third, fourth]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less load, for trying the benchmark itself")
    quick: bool = parser.parse_args().quick
    figures = uvloop.run(_measure(quick))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(figures, indent=2) + "\n")
    console = Console()
    for table in tables(figures):
        console.print(table)
    console.print(f"machine: {figures['machine']}   written: {RESULTS / 'latest.json'}")


if __name__ == "__main__":
    main()
