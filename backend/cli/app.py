"""All commands. Those that need a running product ask its API; the others use the database, also beside it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.calls import service as calls
from backend.cli.common import Json, house, out, read_document, run, show_json, show_table
from backend.cli.remote import Remote
from backend.errors import InvalidError
from backend.runtime.errors import ProductError
from backend.settings import Settings, settings
from nodes.sdk.text import text

app = typer.Typer(
    name="callweave",
    help="Low-code flow engine for call centres.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
flow = typer.Typer(help="Flows: check, import, export, publish, list.", no_args_is_help=True)
runs = typer.Typer(help="Runs of flows.", no_args_is_help=True)
node = typer.Typer(help="Node types.", no_args_is_help=True)
database = typer.Typer(help="The database.", no_args_is_help=True)
user = typer.Typer(help="People who sign in.", no_args_is_help=True)
app.add_typer(flow, name="flow")
app.add_typer(runs, name="run")
app.add_typer(node, name="node")
app.add_typer(database, name="db")
app.add_typer(user, name="user")


# --------------------------------------------------------------------------- the product


@app.command()
def up() -> None:
    """Start everything and keep it running; Ctrl-C stops it."""
    from backend.runtime.supervisor import Supervisor

    def tell(line: str) -> None:
        typer.echo(line)
        sys.stdout.flush()

    asyncio.run(Supervisor(settings(), tell).run())


@app.command()
def down() -> None:
    """Stop everything of this home."""
    from backend.runtime.supervisor import down as stop

    found = asyncio.run(stop(settings()))
    typer.echo("Callweave has stopped" if found else "Callweave was not running")


@app.command()
def status(as_json: Json = False) -> None:
    """What runs, and how each part is."""
    from backend.runtime.supervisor import app_pid_file, asterisk_pid_file, health, supervisor_pid_file
    from backend.runtime.temporal_server import TemporalServer

    config = settings()
    files = {
        "supervisor": supervisor_pid_file(config).read(),
        "callweave": app_pid_file(config).read(),
        "asterisk": asterisk_pid_file(config).read(),
        "temporal": TemporalServer(config).running(),
    }
    parts = asyncio.run(health(config)) or {}
    found: dict[str, Any] = {
        "home": str(config.home),
        "url": config.base_url,
        "processes": {name: identity.pid if identity else None for name, identity in files.items()},
        "parts": parts,
    }
    if as_json:
        show_json(found)
    else:
        show_table(["process", "pid"], [(n, p or "not running") for n, p in found["processes"].items()], "")
        show_table(["part", "state"], list(parts.items()), "The web server does not answer.")
    if not parts:
        raise typer.Exit(1)


def _serve(role: str) -> None:
    from backend.runtime.process import serve

    code = serve([role])  # type: ignore[list-item]
    if code:
        raise typer.Exit(code)


@app.command()
def api() -> None:
    """Run the web server and API alone."""
    _serve("api")


@app.command()
def worker() -> None:
    """Run the worker of all flows without a call alone."""
    _serve("worker")


@app.command()
def gateway() -> None:
    """Run a telephone gateway alone."""
    _serve("gateway")


@app.command()
def doctor(
    call: Annotated[bool, typer.Option("--call", help="Place a real call and tell what was heard")] = False,
    number: Annotated[str, typer.Option(help="The number to call")] = "100",
    keys: Annotated[str, typer.Option(help="Keys to press, one prompt each, comma separated")] = "2,2",
    as_json: Json = False,
) -> None:
    """Check everything and say what to do about it."""
    from backend.cli.doctor import check_all, place_call

    found = asyncio.run(check_all(settings()))
    if call:
        found += asyncio.run(place_call(settings(), number, [key for key in keys.split(",") if key]))
    if as_json:
        show_json([finding.as_dict() for finding in found])
    else:
        for finding in found:
            out.print(f"{finding.mark}  {finding.name:<14} {finding.text}", markup=False)
            if finding.remedy and not finding.ok:
                out.print(f"      {'':<14} -> {finding.remedy}", markup=False)
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


@app.command(name="settings")
def show_settings(as_json: Json = False) -> None:
    """List every setting with its value and meaning; confidential values are hidden."""
    config = settings()
    rows = []
    for name, field in Settings.model_fields.items():
        rows.append((f"CALLWEAVE_{name.upper()}", str(getattr(config, name)), field.description or ""))
    if as_json:
        show_json([{"name": name, "value": value, "meaning": meaning} for name, value, meaning in rows])
    else:
        show_table(["setting", "value", "meaning"], rows, "")


@app.command()
def call(
    to: Annotated[str, typer.Argument(help="The number to call")],
    flow: Annotated[str, typer.Option(help="Key of the flow that who answers walks")] = "",
    number: Annotated[str, typer.Option(help="Or the number that who answers talks to")] = "",
    alias: Annotated[str, typer.Option(help="live or test")] = "live",
    caller: Annotated[str, typer.Option(help="Number shown to who is called")] = "",
    as_json: Json = False,
) -> None:
    """Call a number and run a flow, or connect it with another number."""
    if bool(flow) == bool(number):
        raise InvalidError(
            text("请给出流程或号码之一", "give either a flow or a number"),
            field="--flow",
            remedy=text("--flow 或 --number", "Use --flow KEY or --number DIGITS"),
        )
    target = flow or f"number:{number}"
    call_id = asyncio.run(Remote(settings()).place_call(to, target, alias, caller))
    if as_json:
        show_json({"call": call_id})
    else:
        typer.echo(f"Calling {to}: call {call_id}")


# --------------------------------------------------------------------------- flows


def _show_problems(problems: list[Any], as_json: bool) -> bool:
    """Print problems; True when none is an error."""
    if as_json:
        show_json([problem.model_dump(mode="json") for problem in problems])
    else:
        for problem in problems:
            typer.echo(str(problem))
    return not any(problem.severity == "error" for problem in problems)


@flow.command("validate")
def validate(file: Path, as_json: Json = False) -> None:
    """Check a document as publishing would. Without an installation, references to other flows stay unchecked."""
    from backend.flows.service import check
    from flows.validation import parse_draft
    from flows.validation import validate as check_alone
    from nodes.sdk.registry import registry

    document = read_document(file)

    async def work() -> list[Any]:
        try:
            async with house() as home:
                return await check(home.db, home.business.id, document)
        except ProductError:
            parsed, problems = parse_draft(document)
            return [*problems, *check_alone(parsed, registry())]

    fine = _show_problems(run(work), as_json)
    if not fine:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{file} is valid")


@flow.command("import")
def import_(
    file: Path,
    replace: Annotated[bool, typer.Option(help="Replace the draft of the flow with this key")] = False,
    as_json: Json = False,
) -> None:
    """Take a document from a file as a draft."""
    from backend.flows.service import import_flow

    document = read_document(file)

    async def work() -> tuple[str, int]:
        async with house() as home:
            saved = await import_flow(home.db, home.actor, document, replace=replace)
            return saved.flow.key, len(saved.problems)

    key, problems = run(work)
    if as_json:
        show_json({"key": key, "problems": problems})
    else:
        typer.echo(f"Imported {key}" + (f" with {problems} remarks; see 'callweave flow validate'" if problems else ""))


@flow.command("export")
def export(
    key: str,
    version: Annotated[int | None, typer.Option(help="A published version; without it the draft")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write to this file")] = None,
) -> None:
    """Print a flow as one JSON document."""
    from backend.flows.service import export_flow

    async def work() -> dict[str, Any]:
        async with house() as home:
            return await export_flow(home.db, home.business.id, key, version=version)

    words = json.dumps(run(work), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        typer.echo(words, nl=False)
    else:
        to.write_text(words)
        typer.echo(f"Wrote {to}")


@flow.command("publish")
def publish(
    key: str,
    alias: Annotated[str, typer.Option(help="live, test, or empty to move none")] = "live",
    message: Annotated[str, typer.Option(help="What changed")] = "",
    as_json: Json = False,
) -> None:
    """Publish a draft as a version and put it live."""
    from backend.flows.service import InvalidFlowError
    from backend.flows.service import publish as make

    async def work() -> Any:
        async with house() as home:
            return await make(home.db, home.actor, key, message=message, alias=alias or None)

    try:
        done = run(work)
    except InvalidFlowError as problem:
        _show_problems(problem.problems, as_json)
        raise
    if as_json:
        show_json({"key": key, "version": done.version.number, "new": done.is_new, "alias": alias})
    else:
        typer.echo(f"{key} version {done.version.number}" + (f" is {alias}" if alias else " is published"))


@flow.command("list")
def list_flows(as_json: Json = False) -> None:
    """List the flows."""
    from backend.database import read
    from backend.flows.service import aliases_of
    from backend.flows.service import list_flows as find

    async def work() -> list[dict[str, Any]]:
        async with house() as home:
            found = await find(home.db, home.business.id)
            async with read(home.db) as session:
                aliases = await aliases_of(session, [row.id for row in found])
            return [
                {
                    "key": row.key,
                    "name": row.name,
                    "kind": row.kind,
                    "revision": row.revision,
                    "aliases": aliases.get(row.id, {}),
                    "updated": row.updated_at,
                }
                for row in found
            ]

    rows = run(work)
    if as_json:
        show_json(rows)
        return
    show_table(
        ["key", "name", "kind", "aliases", "updated"],
        [
            (r["key"], r["name"], r["kind"], ", ".join(f"{a}={v}" for a, v in r["aliases"].items()), r["updated"])
            for r in rows
        ],
        "There are no flows. Import one with 'callweave flow import'.",
    )


# --------------------------------------------------------------------------- runs, nodes


@runs.command("list")
def list_runs(
    flow: Annotated[str, typer.Option(help="Only runs of this flow")] = "",
    state: Annotated[str, typer.Option(help="running, completed, hangup, failed or stopped")] = "",
    first: Annotated[int, typer.Option(help="How many", min=1, max=200)] = 20,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""

    async def work() -> list[Any]:
        async with house() as home:
            page = await calls.list_runs(
                home.db, home.business.id, flow_key=flow or None, state=state or None, first=first
            )
            return list(page.items)

    rows = run(work)
    if as_json:
        show_json(rows)
        return
    show_table(
        ["run", "flow", "version", "state", "steps", "started", "ended"],
        [(r.id, r.flow_key, r.flow_version, r.state, r.steps, r.started_at, r.ended_at) for r in rows],
        "There are no runs.",
    )


@node.command("list")
def list_nodes(as_json: Json = False) -> None:
    """List the node types that flows can use."""
    from nodes.sdk.registry import describe, origin, registry

    found = registry()
    if as_json:
        show_json([describe(each) | {"origin": origin(each)} for each in found.all()])
        return
    show_table(
        ["type", "version", "family", "title", "runs", "from"],
        [
            (n.meta.type, n.meta.version, n.meta.family, n.meta.title.en, n.meta.runs.value, origin(n) or "Callweave")
            for n in found.all()
        ],
        "There are no nodes.",
    )
    for problem in found.problems:
        typer.echo(f"not loaded: {problem.place}: {problem.message}", err=True)


# --------------------------------------------------------------------------- database, people


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database to this version's form. `up` does it by itself."""
    from backend.database import Database
    from backend.migrations import upgrade as bring

    async def work() -> None:
        async with Database(settings().database) as db:
            await bring(db)

    run(work)
    typer.echo("The database is up to date")


@user.command("create")
def create_user(
    name: str,
    role: Annotated[str, typer.Option(help="admin, supervisor, quality or agent")] = "agent",
    display_name: Annotated[str, typer.Option(help="Name on screen")] = "",
    password: Annotated[str, typer.Option(help="Password; without it one is made and printed")] = "",
    as_json: Json = False,
) -> None:
    """Make a person who can sign in."""
    from backend.identity.passwords import make_password
    from backend.identity.service import create_user as make

    chosen = password or make_password()

    async def work() -> str:
        async with house() as home:
            made = await make(
                home.db, home.actor, name=name, role=role, password=chosen, display_name=display_name or name
            )
            return made.name

    made = run(work)
    if as_json:
        show_json({"name": made, "role": role, **({} if password else {"password": chosen})})
    else:
        typer.echo(f"{made} can sign in" + ("" if password else f" with the password {chosen}"))


@user.command("passwd")
def change_password(
    name: str,
    password: Annotated[str, typer.Option(help="New password; without it one is made and printed")] = "",
) -> None:
    """Give a person a new password; they change it at the next sign-in."""
    from backend.errors import not_found
    from backend.identity.passwords import make_password
    from backend.identity.service import find_user, set_password

    chosen = password or make_password()

    async def work() -> None:
        async with house() as home:
            found = await find_user(home.db, name)
            if found is None or found.business_id != home.business.id:
                raise not_found("用户", "user", name, "name")
            await set_password(home.db, home.actor, found.id, chosen)

    run(work)
    typer.echo(f"{name} has a new password" + ("" if password else f": {chosen}"))
