"""What a node looks like from outside while it is drawn: ports, outputs and one line about it.

All three follow from the config, which may be half-written: what can be read of it counts, the rest is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from flows.configs import check_config
from flows.problems import Problem
from nodes.sdk.node import ERROR_PORT, Node, Output, Port
from nodes.sdk.text import Text, text

MAX_WORDS = 60
"""Characters of one part of the line about a node."""
_CLOSING = ("。", "！", "？", "；", "：", "，", "、", "”", "）")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Shape:
    """``sound`` is False when the config does not validate; then ports and outputs are those that can be made out."""

    ports: list[Port]
    outputs: list[Output]
    summary: Text
    sound: bool
    problems: list[Problem] = field(default_factory=list)


def shape_of(node: Node[Any], raw: Mapping[str, Any], node_id: str = "") -> Shape:
    """The shape of a node with a config, sound or not. Never raises."""
    config, problems = check_config(node, dict(raw), node_id)
    sound = config is not None
    if config is None:
        config = _readable(node, raw)
    return Shape(_ports(node, config), _outputs(node, config), summary_of(node, raw), sound, problems)


def _ports(node: Node[Any], config: Any) -> list[Port]:
    for one in (config, _example(node)):
        if one is None:
            continue
        try:
            found = node.all_ports(one)
        except Exception:  # noqa: S112  a node of a stranger over a config that never validated
            continue
        return list({port.name: port for port in found if port.name}.values())
    return [ERROR_PORT]


def _outputs(node: Node[Any], config: Any) -> list[Output]:
    for one in (config, _example(node)):
        if one is None:
            continue
        try:
            return list(node.outputs(one))
        except Exception:  # noqa: S112  as above
            continue
    return []


def _example(node: Node[Any]) -> Any:
    try:
        return node.Config.model_validate(dict(node.example))
    except ValidationError:
        return None


# --- half-written configs ---------------------------------------------------------------------------------------------


def _readable(node: Node[Any], raw: Mapping[str, Any]) -> Any:
    """A config made of the fields, and in lists of the items, that can be read; limits on lengths are not kept."""
    values: dict[str, Any] = {}
    for name, info in node.Config.model_fields.items():
        if name in raw:
            read, value = _read(info, raw[name])
            if read:
                values[name] = value
                continue
        if not info.is_required():
            values[name] = info.get_default(call_default_factory=True)
        elif _is_list(info.annotation):
            values[name] = []
        else:
            found = _example(node)
            values[name] = getattr(found, name, None)
    return node.Config.model_construct(**values)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list


def _read(info: FieldInfo, value: Any) -> tuple[bool, Any]:
    annotation: Any = info.annotation
    if _is_list(annotation) and isinstance(value, list):
        (inner,) = get_args(annotation)
        items = [item for one in value for read, item in [_adapted(inner, one)] if read]
        return True, list(_each_once(items))
    return _adapted(annotation, value)


def _adapted(annotation: Any, value: Any) -> tuple[bool, Any]:
    try:
        return True, _adapter(annotation).validate_python(value)
    except ValidationError:
        return False, None


@lru_cache(maxsize=1024)
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _each_once(items: list[Any]) -> Iterator[Any]:
    """Items whose first field (the key, the name of a port) was not there before."""
    seen: set[str] = set()
    for item in items:
        names = list(getattr(type(item), "model_fields", {}))
        key = repr(getattr(item, names[0])) if names else repr(item)
        if key not in seen:
            seen.add(key)
            yield item


# --- the line about a node --------------------------------------------------------------------------------------------


def summary_of(node: Node[Any], raw: Mapping[str, Any]) -> Text:
    """What matters of a config in one line: first words of the prompt, the keys, the expression, the names used."""
    told: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for name, info in node.Config.model_fields.items():
        if name not in raw or raw[name] in (None, "", [], {}):
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if extra.get("x-secret") or not _shown(extra, raw):
            continue
        required = info.is_required()
        for language in LANGUAGES:
            part = _part(str(extra.get("x-widget") or ""), extra, raw[name], language)
            if part and (required or not told[language] or "x-when" in extra or extra.get("x-widget") in _NAMES):
                told[language].append(part)
    zh, en = (" · ".join(told[language][:3]) for language in LANGUAGES)
    return text(zh, en)


_NAMES = ("flow", "query", "calendar", "list", "credential", "variable", "phone")


def _shown(extra: Mapping[str, Any], raw: Mapping[str, Any]) -> bool:
    when = extra.get("x-when")
    if not isinstance(when, dict):
        return True
    return all(raw.get(name) in values for name, values in when.items() if name in raw)


def _part(widget: str, extra: Mapping[str, Any], value: Any, language: str) -> str:
    match widget:
        case "prompt":
            return _short(prompt_words(value, language))
        case "choices":
            return _short(_choices(value))
        case "keyvalue":
            return _short(_pairs(value))
        case "select":
            options = extra.get("x-options")
            named = options.get(str(value)) if isinstance(options, dict) else None
            return str(named[language]) if isinstance(named, dict) and language in named else _short(_plain(value))
        case "switch" | "json" | "secret" | "number":  # a number without its name says nothing
            return ""
        case "duration":
            return f"{_plain(value)} {'秒' if language == 'zh' else 's'}" if isinstance(value, int | float) else ""
        case _:
            return _short(_plain(value))


def prompt_words(value: Any, language: str) -> str:
    """The words of a prompt sequence as its author sees them."""
    parts = value.get("parts") if isinstance(value, Mapping) else None
    said: list[str] = []
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, Mapping):
            continue
        match part.get("kind", "text"):
            case "text":
                texts = part.get("text")
                if isinstance(texts, Mapping):
                    words = [texts.get(language), *texts.values()]
                    said.append(next((word.strip() for word in words if isinstance(word, str) and word.strip()), ""))
            case "recording":
                said.append(f"♪ {_plain(part.get('prompt'))}")
            case "value":
                said.append("{" + _plain(part.get("value")) + "}")
    line = ""
    for word in said:
        # The signs of Chinese bring their own space.
        line += word if not line or not word or line.endswith(_CLOSING) else f" {word}"
    return line


def _choices(value: Any) -> str:
    told: list[str] = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            found = [_plain(item.get(name)) for name in ("key", "name", "label", "value", "percent") if item.get(name)]
            told.append(" ".join(dict.fromkeys(found[:2])))
        else:
            told.append(_plain(item))
    return " · ".join(one for one in told if one)


def _pairs(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_plain(one)}" for name, one in value.items())
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    return ", ".join(f"{_plain(row.get('name'))} = {_plain(row.get('value'))}" for row in rows)


def _plain(value: Any) -> str:
    match value:
        case None | dict():
            return ""
        case bool():
            return "✓" if value else "✗"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return ", ".join(_plain(one) for one in value)
        case _:
            return " ".join(str(value).split())


def _short(words: str) -> str:
    return words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1].rstrip()}…"
