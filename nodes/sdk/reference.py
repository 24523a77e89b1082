"""Reference pages of nodes, in both languages, made from nothing but their classes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from nodes.sdk.node import Node
from nodes.sdk.registry import Registry, describe
from nodes.sdk.text import Text, text

Language = Literal["zh", "en"]

_WORDS: dict[str, Text] = {
    "title": text("节点参考", "Node reference"),
    "intro": text(
        "本页由节点的类生成，请勿手工修改。", "This page is made from the nodes' own classes; do not edit it by hand."
    ),
    "ports": text("出口", "Ways out"),
    "fields": text("设置", "Settings"),
    "outputs": text("输出", "Outputs"),
    "example": text("示例", "Example"),
    "none": text("无", "None"),
    "field": text("字段", "Field"),
    "meaning": text("含义", "Meaning"),
    "type": text("类型", "Type"),
    "default": text("默认值", "Default"),
    "limits": text("限制", "Limits"),
    "required": text("必填", "required"),
    "effects": text("对外界有影响：重试不会重复执行。", "Acts on the outside world: a retry never repeats the act."),
    "secret": text("保密", "confidential"),
    "template": text("可用模板", "template"),
    "expression": text("表达式", "expression"),
    "kinds": text("可用于", "For flows of kind"),
}
_FAMILIES: dict[str, Text] = {
    "voice": text("语音", "Voice"),
    "logic": text("逻辑", "Logic"),
    "queue": text("排队", "Queue"),
    "customer": text("客户", "Customer"),
    "ticket": text("工单", "Ticket"),
    "messaging": text("消息", "Messaging"),
    "campaign": text("外呼", "Campaign"),
    "web": text("数据与网络", "Data and web"),
}


def reference(registry: Registry, language: Language) -> str:
    """The whole reference as one Markdown page: every node, by family."""
    families = registry.families()
    lines = [f"# {_say('title', language)}", "", _say("intro", language), ""]
    for family, nodes in sorted(families.items()):
        lines.append(f"- **{_family(family, language)}**: " + ", ".join(_link(node, language) for node in nodes))
    for family, nodes in sorted(families.items()):
        lines += ["", f"## {_family(family, language)}"]
        for node in nodes:
            lines += ["", page(node, language)]
    return "\n".join(lines) + "\n"


def page(node: Node[Any], language: Language) -> str:
    """One node as Markdown."""
    meta = node.meta
    config = node.Config.model_validate(dict(node.example))
    lines = [f"### {_of(meta.title, language)} `{meta.type}`", "", f"{_of(meta.help, language)}"]
    if meta.effects:
        lines += ["", _say("effects", language)]
    lines += ["", f"{_say('kinds', language)}: {', '.join(f'`{kind}`' for kind in meta.kinds)}"]
    ports = [f"- `{port.name}` {_of(port.title, language)}" for port in node.all_ports(config)]
    lines += ["", f"**{_say('ports', language)}**", "", *ports]
    schema = describe(node)["schema"]
    lines += ["", f"**{_say('fields', language)}**", "", *_fields(schema, language)]
    outputs = [
        f"- `nodes.<id>.{one.name}` ({one.type}{', ' + _say('secret', language) if one.secret else ''})"
        f" {_of(one.title, language)}"
        for one in node.outputs(config)
    ]
    lines += ["", f"**{_say('outputs', language)}**", "", *(outputs or [_say("none", language)])]
    if node.example:
        shown = json.dumps(dict(node.example), ensure_ascii=False, indent=2, default=str)
        lines += ["", f"**{_say('example', language)}**", "", "```json", shown, "```"]
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any], language: Language) -> list[str]:
    rows = list(_rows(schema, schema.get("$defs", {}), "", language, depth=0))
    if not rows:
        return [_say("none", language)]
    heads = [_say(name, language) for name in ("field", "meaning", "type", "default", "limits")]
    return [f"| {' | '.join(heads)} |", "|---|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


def _rows(
    schema: Mapping[str, Any], defs: Mapping[str, Any], prefix: str, language: Language, *, depth: int
) -> Iterable[list[str]]:
    required = set(schema.get("required", ()))
    for name, given in schema.get("properties", {}).items():
        field = {**_resolved(given, defs), **given}
        title, help = field.get("x-title", {}), field.get("x-help", {})
        meaning = f"**{title.get(language, name)}** {help.get(language, '')}".strip()
        default = _say("required", language) if name in required else _short(field.get("default"))
        marks = [_say(mark, language) for mark in ("secret", "template", "expression") if field.get(f"x-{mark}")]
        limits = ", ".join([*_limits(field), *marks])
        cells = [f"`{prefix}{name}`", meaning, _type(field, defs), default, limits]
        yield [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
        item = _resolved(field.get("items", {}), defs) if field.get("type") == "array" else {}
        # Parts of a prompt are the same everywhere and have an editor of their own.
        if depth == 0 and item.get("properties") and field.get("x-widget") != "prompt":
            yield from _rows(item, defs, f"{prefix}{name}[].", language, depth=1)


def _resolved(field: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field behind its reference; of a choice that may be null, the other side."""
    if "$ref" in field:
        found: Mapping[str, Any] = defs.get(field["$ref"].rpartition("/")[2], {})
        return found
    sides = [side for side in field.get("anyOf", ()) if side.get("type") != "null"]
    return _resolved(sides[0], defs) if len(sides) == 1 else field


def _type(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(_resolved(field.get('items', {}), defs), defs)}"
    if field.get("type") == "object" and "title" in field and "properties" in field:
        return str(field["title"])
    kinds = [_type(_resolved(side, defs), defs) for side in field.get("anyOf", ())]
    return " or ".join(kind for kind in kinds if kind) or str(field.get("type", "any"))


def _limits(field: Mapping[str, Any]) -> Iterable[str]:
    sides: Sequence[Mapping[str, Any]] = [field, *field.get("anyOf", ())]
    for side in sides:
        for name, sign in (
            ("minimum", "≥ "),
            ("exclusiveMinimum", "> "),
            ("maximum", "≤ "),
            ("exclusiveMaximum", "< "),
            ("minLength", "length ≥ "),
            ("maxLength", "length ≤ "),
            ("minItems", "items ≥ "),
            ("maxItems", "items ≤ "),
            ("pattern", ""),
        ):
            if name in side:
                yield f"`{side[name]}`" if name == "pattern" else f"{sign}{side[name]}"


def _short(value: Any) -> str:
    if value is None:
        return ""
    words = json.dumps(value, ensure_ascii=False)
    return f"`{words}`" if len(words) <= 60 else "…"


def _link(node: Node[Any], language: Language) -> str:
    return f"{_of(node.meta.title, language)} `{node.meta.type}`"


def _family(name: str, language: Language) -> str:
    return _of(_FAMILIES.get(name, text(name, name)), language)


def _say(name: str, language: Language) -> str:
    return _of(_WORDS[name], language)


def _of(words: Text, language: Language) -> str:
    return words.zh if language == "zh" else words.en
