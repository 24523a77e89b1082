"""``callweave node new`` and ``node show``: packages of nodes by strangers, and what a node is."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, get_args

import typer
from jinja2 import Environment, StrictUndefined

from backend.cli.app import node
from backend.cli.common import Json, out, show_json
from backend.errors import InvalidError
from nodes.sdk.node import Family, Runs
from nodes.sdk.registry import Problem
from nodes.sdk.text import text

_TYPE = re.compile(r"^[a-z][a-z0-9_]{0,40}\.[a-z][a-z0-9_]{0,40}$")
_RUNS = {
    "quick": Runs.QUICK,
    "activity": Runs.ACTIVITY,
    "on_call": Runs.ON_CALL,
    "in_workflow": Runs.IN_WORKFLOW,
}


@node.command("new")
def new(
    type_name: Annotated[str, typer.Argument(metavar="TYPE", help="Its type: your word, a dot, its name: acme.greet")],
    runs: Annotated[str, typer.Option(help="quick, activity, on_call or in_workflow")] = "quick",
    family: Annotated[str, typer.Option(help="Where the palette shows it")] = "logic",
    folder: Annotated[Path | None, typer.Option("--dir", help="Where to make it; the type's name otherwise")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there")] = False,
) -> None:
    """Make a package with one node, its test and its entry point; it passes its tests as it is."""
    _check(type_name, runs, family)
    word, _, name = type_name.partition(".")
    module = f"{word}_{name}"
    target = folder or Path(module.replace("_", "-"))
    values = {
        "type": type_name,
        "module": module,
        "package": module.replace("_", "-"),
        "cls": "".join(part.capitalize() for part in name.split("_")),
        "title": name.replace("_", " ").capitalize(),
        "family": "voice" if runs == "on_call" and family == "logic" else family,
        "runs": _RUNS[runs].name,
        "voice": runs == "on_call",
        "workflow": runs == "in_workflow",
    }
    made = {
        target / "pyproject.toml": "pyproject.toml.j2",
        target / "README.md": "README.md.j2",
        target / module / "__init__.py": "node.py.j2",
        target / module / f"test_{module}.py": "test.py.j2",
    }
    there = [path for path in made if path.exists()]
    if there and not force:
        raise InvalidError(
            text(f"{there[0]} 已存在", f"{there[0]} exists already"),
            field="dir",
            remedy=text("请换一个目录，或加 --force 覆盖。", "Choose another folder, or replace it with --force."),
        )
    pages = Environment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, autoescape=False)  # noqa: S701  no HTML
    for path, page in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        source = (files("backend.cli") / "scaffold" / page).read_text(encoding="utf-8")
        path.write_text(pages.from_string(source).render(values), encoding="utf-8")
        out.print(f"made {path}", markup=False)
    out.print(
        f"Next: pip install -e {target}, restart, and look for {type_name} in 'callweave node list'", markup=False
    )


def _check(type_name: str, runs: str, family: str) -> None:
    if not _TYPE.match(type_name):
        raise InvalidError(
            text(f"“{type_name}”不能作为节点类型", f"'{type_name}' cannot be the type of a node"),
            field="type",
            remedy=text(
                "写成 单词.名称，只用小写字母、数字和下划线。",
                "Write word.name with small letters, digits and underscores.",
            ),
        )
    if runs not in _RUNS:
        raise InvalidError(
            text(f"没有运行方式“{runs}”", f"nodes do not run '{runs}'"),
            field="runs",
            remedy=text(f"可选：{'、'.join(_RUNS)}", f"Choose one of {', '.join(_RUNS)}."),
        )
    if family not in get_args(Family):
        raise InvalidError(
            text(f"没有分类“{family}”", f"there is no family '{family}'"),
            field="family",
            remedy=text(f"可选：{'、'.join(get_args(Family))}", f"Choose one of {', '.join(get_args(Family))}."),
        )


@node.command("show")
def show(
    type_name: Annotated[str, typer.Argument(metavar="TYPE")],
    language: Annotated[str, typer.Option(help="zh or en")] = "en",
    as_json: Json = False,
) -> None:
    """Show what a node is: its ways out, settings, outputs and an example."""
    from nodes.sdk.reference import page
    from nodes.sdk.registry import describe, registry

    try:
        found = registry().get(type_name)
    except KeyError:
        raise InvalidError(
            text(f"没有节点类型“{type_name}”", f"there is no node type '{type_name}'"),
            field="type",
            remedy=text("用 callweave node list 查看。", "See 'callweave node list'."),
        ) from None
    if as_json:
        show_json(describe(found))
    else:
        typer.echo(page(found, "zh" if language == "zh" else "en"))


@node.command("check")
def check(
    what: Annotated[
        str, typer.Argument(metavar="[TYPE|FILE|FOLDER]", help="What to check; all that does not ship otherwise")
    ] = "",
) -> None:
    """Check that nodes keep the contract: texts in both languages, schema, ports, outputs, config."""
    from nodes.sdk.conformance import check_definition
    from nodes.sdk.registry import build, load_file, load_folder, origin, registry
    from nodes.sdk.testing import ContractBrokenError

    path = Path(what)
    if what and path.exists():
        loaded = load_folder(path) if path.is_dir() else load_file(path)
        nodes, problems = list(loaded.nodes), list(loaded.problems)
        # Against everything else: a type that exists already cannot be added.
        for each in nodes:
            try:
                build().add(each)
            except ValueError as clash:
                problems.append(Problem(str(path), str(clash)))
    elif what:
        nodes, problems = [each for each in registry().all() if each.meta.type == what], []
        if not nodes:
            raise InvalidError(
                text(f"没有节点类型或文件“{what}”", f"there is no node type and no file '{what}'"),
                field="what",
                remedy=text("用 callweave node list 查看类型。", "See 'callweave node list' for the types."),
            )
    else:
        nodes, problems = [each for each in registry().all() if origin(each)], list(registry().problems)
    broken = len(problems)
    for problem in problems:
        out.print(f"wrong  {problem.place}: {problem.message}", markup=False)
    for each in nodes:
        try:
            check_definition(each)
        except (ContractBrokenError, ValueError) as wrong:
            broken += 1
            out.print(f"wrong  {each.meta.type}: {wrong}", markup=False)
        else:
            out.print(f"good   {each.meta.type} version {each.meta.version}", markup=False)
    if not nodes and not problems:
        out.print("There is nothing to check: every node ships with Callweave.")
    if broken:
        raise typer.Exit(1)
