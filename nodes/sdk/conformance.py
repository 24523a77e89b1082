"""What every node must keep, as checks that a package's own tests can run too.

    @pytest.mark.parametrize("node", NODES)
    async def test_node_keeps_the_contract(node):
        check_definition(node)
        await check_examples(node, EXAMPLES)

Each check raises `ContractBrokenError` with what is wrong and where.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from nodes.sdk import registry
from nodes.sdk.config import NodeConfig, Widget
from nodes.sdk.node import Node, Runs, WaitFor
from nodes.sdk.outcome import ERROR, HANGUP
from nodes.sdk.testing import (
    ContractBrokenError,
    Example,
    ScriptedCall,
    flow_scope,
    run_node,
)
from nodes.sdk.text import Text

TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
PORT = re.compile(r"[a-z0-9_]{1,64}|[0-9*#]")
NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")
MOST_MOMENTS = 400
_HAN, _LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]")


def _demand(good: bool, what: str) -> None:
    if not good:
        raise ContractBrokenError(what)


def check_definition(node: Node[Any]) -> None:
    """Everything that can be checked without running the node."""
    registry.check(node)
    meta = node.meta
    where = meta.type
    _demand(TYPE.fullmatch(meta.type) is not None, f"{where}: a type is written family.name, in small letters")
    _demand(bool(meta.icon) and meta.version >= 1, f"{where}: an icon and a version from 1 up are needed")
    _demand(bool((type(node).__doc__ or "").strip()), f"{where}: the class needs a docstring")
    _check_text(meta.title, f"{where}: title")
    _check_text(meta.help, f"{where}: help")
    _check_schema(node)
    config = registry.example_config(node)
    _demand(config is not None, f"{where}: neither `example` nor the defaults are a valid config")
    assert config is not None
    check_round_trip(node, config)
    check_declarations(node, config)
    json.dumps(registry.describe(node))


def _check_text(found: Any, where: str, *, ours: bool = True) -> None:
    """``ours`` are our own words; others may hold those of an author, in whatever language."""
    words = found.model_dump() if isinstance(found, Text) else found
    good = isinstance(words, Mapping) and all(str(words.get(language, "")).strip() for language in ("zh", "en"))
    _demand(good, f"{where} is needed in zh and en, found {words!r}")
    if ours:
        _check_readable(str(words["en"]), where)


def _check_readable(words: str, where: str) -> None:
    """Words that people see as they are in an app of either language: not in Chinese letters alone."""
    _demand(
        _LATIN.search(words) is not None or _HAN.search(words) is None, f"{where}: {words!r} needs English beside it"
    )


def _check_schema(node: Node[Any]) -> None:
    """Every field, nested ones too, has title and help in both languages and only known hints."""
    schema = node.Config.model_json_schema()
    models = {node.meta.type: schema, **schema.get("$defs", {})}
    for model, part in models.items():
        for name, field in part.get("properties", {}).items():
            if "const" in field:
                continue  # the mark that tells the kinds of a union apart is no field of the form
            where = f"{node.meta.type}: field {name} of {model}"
            _check_text(field.get("x-title"), f"{where}: title")
            _check_text(field.get("x-help"), f"{where}: help")
            if isinstance(field.get("x-example"), str):
                _check_readable(field["x-example"], f"{where}: example")
            widget = field.get("x-widget")
            _demand(widget is None or widget in get_args(Widget), f"{where}: there is no widget {widget!r}")
            _demand(
                not (field.get("x-template") and field.get("x-expression")),
                f"{where}: a field is a template or an expression, not both",
            )
            for value, name in (field.get("x-options") or {}).items():
                _check_text(name, f"{where}: name of the option {value!r}")
                _demand(value in field.get("enum", ()), f"{where}: {value!r} is no value of it, remove the option")
            for other in field.get("x-when") or {}:
                _demand(other in part["properties"], f"{where}: `when` names {other}, which is no field beside it")
            if field.get("x-expression"):
                # The node sees the value, which may be anything; the document holds the source text.
                values = field.get("additionalProperties", field)
                _demand(
                    values is True or "type" not in values, f"{where}: an expression's value may be anything, use Any"
                )


def check_round_trip(node: Node[Any], config: NodeConfig) -> None:
    """A config written as JSON and read again is the same config."""
    written = config.model_dump_json()
    _demand(node.Config.model_validate_json(written) == config, f"{node.meta.type}: the config does not survive JSON")
    _demand(
        node.Config.model_config.get("extra") == "forbid",
        f"{node.meta.type}: Config must refuse fields it does not know",
    )


def check_declarations(node: Node[Any], config: Any) -> None:
    """Ports and outputs of a config are well named, unique and titled."""
    where = node.meta.type
    ports = [port.name for port in node.ports(config)]
    _demand(len(set(ports)) == len(ports), f"{where}: ports are declared twice: {ports}")
    _demand(not {ERROR, HANGUP} & set(ports), f"{where}: error and hangup are fed by the engine, do not declare them")
    _demand(bool(ports) or node.meta.terminal, f"{where}: a node without ports must be terminal")
    for port in node.all_ports(config):
        _demand(PORT.fullmatch(port.name) is not None, f"{where}: port name {port.name!r} is not like a_name")
        _check_text(port.title, f"{where}: port {port.name}", ours=False)
    outputs = [output.name for output in node.outputs(config)]
    _demand(len(set(outputs)) == len(outputs), f"{where}: outputs are declared twice: {outputs}")
    for output in node.outputs(config):
        _demand(NAME.fullmatch(output.name) is not None, f"{where}: output name {output.name!r} is not like a_name")
        _check_text(output.title, f"{where}: output {output.name}", ours=False)


async def check_examples(node: Node[Any], examples: Sequence[Example]) -> None:
    """Run the examples: each fires its port, together they fire every declared port, and all can be interrupted."""
    where = node.meta.type
    _demand(bool(examples), f"{where}: examples are needed that fire every declared port")
    declared: set[str] = set()
    fired: set[str] = set()
    for number, example in enumerate(examples):
        config = node.Config.model_validate(dict(example.config))
        check_round_trip(node, config)
        check_declarations(node, config)
        declared |= {port.name for port in node.ports(config)}
        outcome = await _run(node, example)
        _demand(
            outcome.port == example.port,
            f"{where}: example {number} fired {outcome.port!r} ({outcome.failure}), not {example.port!r}",
        )
        fired.add(outcome.port)
        if node.meta.runs is Runs.IN_WORKFLOW:
            check_deterministic(node, example)
            continue
        await check_cancellation(node, example)
        if node.meta.runs.needs_call:
            await check_hang_up(node, example)
    _demand(declared <= fired, f"{where}: no example fires {', '.join(sorted(declared - fired))}")


async def _run(node: Node[Any], example: Example, call: ScriptedCall | None = None) -> Any:
    made = call or (example.call() if example.call is not None else None)
    return await run_node(
        node,
        example.config,
        call=made,
        services=example.services(),
        shortcuts=example.shortcuts,
        scope=example.scope,
        woken=example.woken,
    )


def check_deterministic(node: Node[Any], example: Example) -> None:
    """Deciding twice with the same scope gives the same."""
    config = node.Config.model_validate(dict(example.config))
    scope = example.scope or flow_scope()
    results: list[BaseModel] = []
    for _ in range(2):
        result = node.decide(scope, config)
        for wake in example.woken:
            if isinstance(result, WaitFor):
                result = node.resume(scope, config, wake.model_copy(update={"memory": result.memory}))
        results.append(result)
    _demand(results[0] == results[1], f"{node.meta.type}: deciding twice gave {results[0]!r} and {results[1]!r}")


async def check_cancellation(node: Node[Any], example: Example) -> None:
    """Cancelled at any await, the node ends as cancelled, and soon."""
    for moment in range(MOST_MOMENTS):
        task = asyncio.ensure_future(_run(node, example))
        for _ in range(moment):
            await asyncio.sleep(0)
        if task.done():
            task.result()
            return
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        _demand(bool(done), f"{node.meta.type}: cancelled at moment {moment}, it went on for 5 s")
        _demand(task.cancelled(), f"{node.meta.type}: cancelled at moment {moment}, it swallowed the cancellation")
    raise ContractBrokenError(f"{node.meta.type}: the example takes more than {MOST_MOMENTS} moments, make it shorter")


async def check_hang_up(node: Node[Any], example: Example) -> None:
    """Whenever the caller hangs up, the node fires ``hangup``; a short one may have finished by then."""
    for moment in range(MOST_MOMENTS):
        call = example.call() if example.call is not None else ScriptedCall()
        call.hang_up_at = moment
        before = call.moments
        outcome = await asyncio.wait_for(_run(node, example, call), timeout=5)
        if call.moments - before <= moment:
            return
        _demand(
            outcome.port == HANGUP,
            f"{node.meta.type}: the caller hung up at moment {moment} and it fired {outcome.port!r}, not hangup",
        )
