"""``callweave flow test``: the test cases of a flow, green or red."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.app import flow
from backend.cli.common import Json, house, out, read_document, run, show_json
from backend.errors import InvalidError
from backend.runtime.errors import ProductError
from flows.cases import CaseResult
from nodes.sdk.text import text


@flow.command("test")
def run_them(
    what: Annotated[str, typer.Argument(help="The key of a flow, or a file with a document and its cases")],
    case: Annotated[list[str] | None, typer.Option("--case", help="Only this case; may be given again")] = None,
    on: Annotated[str, typer.Option(help="draft, an alias, or a version number")] = "draft",
    cases: Annotated[Path | None, typer.Option(help="A file with a list of cases, for a document in a file")] = None,
    as_json: Json = False,
) -> None:
    """Run the test cases of a flow in virtual time. Ends with 1 when one is red."""
    results = _of_file(Path(what), cases, case) if Path(what).is_file() else _of_flow(what, case, on)
    if as_json:
        show_json([result.model_dump(mode="json") for result in results])
    else:
        _show(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _of_flow(key: str, names: list[str] | None, on: str) -> list[CaseResult]:
    from backend.simulation.service import run_cases

    async def work() -> list[CaseResult]:
        async with house() as home:
            return [one.result for one in await run_cases(home.db, home.business.id, key, on=on, names=names)]

    return run(work)


def _of_file(file: Path, cases: Path | None, names: list[str] | None) -> list[CaseResult]:
    """A document in a file needs no installation: its subflows cannot be found then, and every calendar is mocked."""
    from backend.simulation.service import read_cases
    from flows.cases import run_case
    from flows.plan import compile_plan
    from flows.problems import InvalidFlowError
    from flows.validation import parse_draft
    from nodes.sdk.registry import registry

    document: Any = read_document(file)
    brought = document.pop("cases", []) if isinstance(document, dict) else []
    chosen = read_cases(read_document(cases) if cases is not None else brought)
    if names:
        missing = set(names) - {one.name for one in chosen}
        if missing:
            raise InvalidError(
                text(f"没有用例“{sorted(missing)[0]}”", f"there is no case '{sorted(missing)[0]}'"),
                field="case",
                remedy=text("请检查名称。", "Check its name."),
            )
        chosen = [one for one in chosen if one.name in names]
    parsed, _ = parse_draft(document)
    try:
        plan = compile_plan(parsed, registry(), version=1)
    except InvalidFlowError as invalid:
        raise ProductError(f"{file}: {invalid}", "Run 'callweave flow validate'") from invalid
    return [run_case(one, plan, registry(), kind=parsed.kind) for one in chosen]


def _show(results: list[CaseResult]) -> None:
    if not results:
        out.print("There are no cases. Save one from the simulator, or write one in a file.")
        return
    for result in results:
        mark = "[green]green[/green]" if result.passed else "[red]red  [/red]"
        out.print(f"{mark}  {result.name}  ({result.seconds:.1f} s of call)")
        for failure in result.failures:
            where = f"step {failure.step}" if failure.step is not None else "at the end"
            out.print(f"       {where}: {failure.message.en}", markup=False)
        if not result.passed:
            path = " ".join(f"{node}.{port}" if port else node for node, port in result.path)
            out.print(f"       path: {path}", markup=False)
    red = sum(not result.passed for result in results)
    out.print(f"{len(results)} cases, {red} red" if red else f"{len(results)} cases, all green")
