"""What an author may name in an expression at a node: for checking, for completion, and for help (FL7)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.document import FlowDocument, Variable
from flows.expressions import ANY, Names, check_paths
from flows.naming import node_name
from flows.plan import SUBFLOW, Resolver, subflow_reference
from flows.problems import Problem
from flows.shapes import shape_of
from nodes.sdk.node import Output
from nodes.sdk.outcome import ERROR
from nodes.sdk.registry import Registry
from nodes.sdk.text import Text, text

NameKind = Literal["variable", "input", "output", "call", "customer", "node", "time"]


@dataclass(frozen=True, slots=True)
class ScopeName:
    """One name that completion offers. ``node`` is the node whose output it is."""

    path: str
    kind: NameKind
    type: str
    title: Text
    node: str | None = None
    secret: bool = False


CALL_NAMES: Mapping[str, tuple[str, Text]] = {
    "id": ("string", text("通话编号", "Id of the call")),
    "gateway": ("string", text("网关", "Gateway")),
    "caller": ("string", text("主叫号码", "Number of the caller")),
    "called": ("string", text("被叫号码", "Number that was called")),
    "language": ("string", text("通话语言", "Language of the call")),
    "anonymous": ("boolean", text("是否隐藏号码", "Whether the number is withheld")),
}
CUSTOMER_NAMES: Mapping[str, tuple[str, Text]] = {
    "id": ("string", text("客户编号", "Id of the customer")),
    "name": ("string", text("姓名", "Name")),
    "card": ("string", text("卡号（保密）", "Card number (confidential)")),
    "level": ("string", text("级别", "Level")),
    "language": ("string", text("语言", "Language")),
    "phones": ("list", text("电话号码", "Phone numbers")),
    "fields": ("object", text("自定义字段", "The business's own fields")),
}
_TIME_NAMES: Mapping[str, tuple[str, Text]] = {
    "now": ("any", text("现在", "Now")),
    "now.date": ("string", text("今天的日期", "Today's date")),
    "now.hour": ("number", text("小时", "Hour")),
    "now.minute": ("number", text("分钟", "Minute")),
    "now.weekday": ("number", text("星期几（1 到 7）", "Day of the week (1 to 7)")),
    "now.day": ("number", text("日", "Day of the month")),
    "now.month": ("number", text("月", "Month")),
    "now.year": ("number", text("年", "Year")),
}


def names_of(document: FlowDocument, outputs: Mapping[str, Any]) -> Names:
    """Everything that the document's expressions may name; ``outputs`` by node id."""
    variables = {variable.name: ANY for variable in (*document.variables, *document.inputs, *document.outputs)}
    tree = {
        "call": dict.fromkeys(CALL_NAMES, ANY),
        "customer": ANY,
        "vars": variables,
        "nodes": outputs,
        "now": ANY,
        "item": ANY,
    }
    return Names(tree)


def outputs_of(
    document: FlowDocument, node_id: str, registry: Registry, resolver: Resolver | None = None
) -> list[Output] | None:
    """What a node leaves behind; None when its type or its subflow is not known."""
    spec = document.nodes[node_id]
    try:
        node = registry.get(spec.type, spec.type_version)
    except KeyError:
        return None
    if spec.type == SUBFLOW:
        found = resolver.resolve(*subflow_reference(spec.config)) if resolver is not None else None
        return [output_of(variable) for variable in found.document.outputs] if found is not None else None
    return shape_of(node, spec.config, node_id).outputs


def output_of(variable: Variable) -> Output:
    """A subflow's output as one of the node that runs it."""
    title = variable.title or variable.name
    return Output(name=variable.name, type=variable.type, title=text(title, title), secret=variable.secret)


def before(document: FlowDocument, node_id: str) -> set[str]:
    """Nodes that a run can have passed when it comes to `node_id`. For a node that nothing leads to yet: all others.

    A handler may follow any node, a shortcut key too.
    """
    backwards: dict[str, set[str]] = {}
    for edge in document.edges:
        backwards.setdefault(edge.target, set()).add(edge.source)
    anywhere = {document.handlers.hangup, document.handlers.error} | {one.target for one in document.shortcuts}
    everything = set(document.nodes)
    if node_id not in backwards and node_id != document.entry:
        return everything - {node_id}
    found: set[str] = set()
    left = [node_id]
    while left:
        current = left.pop()
        if current in anywhere:
            return everything
        for source in backwards.get(current, ()):
            if source not in found:
                found.add(source)
                left.append(source)
    return found & everything


def scope_of(
    document: FlowDocument, node_id: str | None, registry: Registry, resolver: Resolver | None = None
) -> list[ScopeName]:
    """What completion offers at a node, the nearest things first: variables, outputs, call, customer, time."""
    return list(_names(document, node_id, registry, resolver))


def _names(
    document: FlowDocument, node_id: str | None, registry: Registry, resolver: Resolver | None
) -> Iterator[ScopeName]:
    seen: set[str] = set()
    groups: tuple[tuple[NameKind, list[Variable]], ...] = (
        ("variable", document.variables),
        ("input", document.inputs),
        ("output", document.outputs),
    )
    for kind, variables in groups:
        for variable in variables:
            if variable.name not in seen:
                seen.add(variable.name)
                words = variable.title or variable.name
                yield ScopeName(
                    f"vars.{variable.name}", kind, variable.type, text(words, words), secret=variable.secret
                )
    earlier = before(document, node_id) if node_id in document.nodes and node_id is not None else set(document.nodes)
    for other in document.nodes:
        if other not in earlier:
            continue
        spec = document.nodes[other]
        title = registry.get(spec.type).meta.title if spec.type in registry else None
        for output in outputs_of(document, other, registry, resolver) or ():
            called = node_name(spec.name, title, other)
            yield ScopeName(
                f"nodes.{other}.{output.name}" if re.fullmatch(r"\w+", other) else f"nodes['{other}'].{output.name}",
                "node",
                output.type,
                text(f"{called.zh}：{output.title.zh}", f"{called.en}: {output.title.en}"),
                node=other,
                secret=output.secret,
            )
    fixed: tuple[tuple[NameKind, str, Mapping[str, tuple[str, Text]]], ...] = (
        ("call", "call.", CALL_NAMES),
        ("customer", "customer.", CUSTOMER_NAMES),
        ("time", "", _TIME_NAMES),
    )
    for kind, prefix, known in fixed:
        for name, (type, title) in known.items():
            yield ScopeName(f"{prefix}{name}", kind, type, title, secret=kind == "customer" and name == "card")


# --- checking as typed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and the characters that it is about: from ``start`` up to but without ``end``."""

    problem: Problem
    start: int
    end: int


def check_text(
    document: FlowDocument, source: str, registry: Registry, resolver: Resolver | None = None, *, template: bool = False
) -> list[Located]:
    """What is wrong with an expression or a template that is being typed, and where."""
    tree: dict[str, Any] = {}
    for node_id in document.nodes:
        outputs = outputs_of(document, node_id, registry, resolver)
        tree[node_id] = ANY if outputs is None else {output.name: ANY for output in outputs} | {ERROR: ANY}
    names = names_of(document, tree)
    return [
        Located(found, *_place(source, path, template)) for found, path in check_paths(source, names, template=template)
    ]


def _place(source: str, path: str, template: bool) -> tuple[int, int]:
    if path:
        parts = [re.escape(part) for part in path.split(".")]
        step = r"(?:\s*\.\s*|\s*\[\s*['\"])"
        found = re.search(r"(?<![\w.])" + step.join(parts) + r"(?!\w)", source)
        if found is not None:
            return found.start(), found.end()
        return 0, len(source)
    return _broken_at(source, template)


def _broken_at(source: str, template: bool) -> tuple[int, int]:
    """The first token with which the text stops being the beginning of something sound; its end when none is."""
    pieces = [found.span() for found in re.finditer(r"'[^']*'|\"[^\"]*\"|\w+|\{\{|\}\}|\{%|%\}|[^\w\s]", source)]
    if not pieces or len(pieces) > 200:
        return 0, len(source)
    for start, end in pieces:
        if not _may_go_on(source[:end], template):
            return start, end
    return max(0, len(source) - 1), len(source)


_UNFINISHED = (
    "is missing at the end",
    ") is missing",
    "] is missing",
    "} is missing",
    "a name is missing",
    "is not closed",
    "is empty",
    "has no partner",
)
"""How a text is told that may still become sound (`flows.expression_words`)."""


def _may_go_on(prefix: str, template: bool) -> bool:
    for found, _ in check_paths(prefix, template=template):
        if found.code != "expression_syntax":
            return found.code != "expression_forbidden"
        return any(one in found.message.en for one in _UNFINISHED)
    return True
