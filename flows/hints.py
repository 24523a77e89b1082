"""Finding the templates, expressions and secrets of a config by the hints in its JSON Schema.

Nothing here knows a node: the schema says at which places of a concrete config the hints apply. A hint on a
mapping or list applies to every string inside it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nodes.sdk.node import Node

Path = tuple[str | int, ...]

_KEYS = ("x-template", "x-expression", "x-secret")


@dataclass(slots=True)
class Found:
    """Places in one config."""

    templates: list[Path] = field(default_factory=list)
    expressions: list[Path] = field(default_factory=list)
    secrets: list[Path] = field(default_factory=list)


class Hints:
    """The hints of one config model."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self._definitions: dict[str, Any] = schema.get("$defs", {})
        text = str(schema)
        self.has_secrets = "'x-secret'" in text
        self._has_any = any(f"'{key}'" in text for key in _KEYS)

    def find(self, config: Any) -> Found:
        """Every place of `config` that a hint covers, in document order."""
        found = Found()
        if self._has_any:
            self._walk(self.schema, config, (), frozenset(), found)
        return found

    def _walk(self, schema: Any, value: Any, path: Path, inherited: frozenset[str], found: Found) -> None:
        if not isinstance(schema, dict):
            schema = {}
        hints = inherited | {key for key in _KEYS if schema.get(key) is True}
        if isinstance(value, str):
            options = self._options(schema, value)
            for option in options:
                hints |= {key for key in _KEYS if option.get(key) is True}
            if "x-template" in hints:
                found.templates.append(path)
            elif "x-expression" in hints:
                found.expressions.append(path)
            if "x-secret" in hints:
                found.secrets.append(path)
            return
        if not isinstance(value, dict | list):
            return
        # Options that hold the value are merged: a field is hinted when any of them hints it.
        options = self._options(schema, value)
        for option in options:
            hints |= {key for key in _KEYS if option.get(key) is True}
        if isinstance(value, dict):
            for key, part in value.items():
                self._walk(_child(options, str(key)), part, (*path, key), hints, found)
        else:
            for index, part in enumerate(value):
                self._walk(_item(options, index), part, (*path, index), hints, found)

    def _options(self, schema: dict[str, Any], value: Any, depth: int = 0) -> list[dict[str, Any]]:
        """The concrete schemas that may describe `value`, references followed and unions narrowed."""
        if depth > 20:
            return []
        options: list[dict[str, Any]] = []
        if "$ref" in schema:
            name = str(schema["$ref"]).rsplit("/", 1)[-1]
            options += self._options(self._definitions.get(name, {}), value, depth + 1)
        for part in schema.get("allOf", ()):
            options += self._options(part, value, depth + 1)
        for key in ("anyOf", "oneOf"):
            for part in schema.get(key, ()):
                options += [one for one in self._options(part, value, depth + 1) if _fits(one, value)]
        if not any(key in schema for key in ("$ref", "allOf", "anyOf", "oneOf")):
            options.append(schema)
        return options


def _fits(schema: dict[str, Any], value: Any) -> bool:
    kind = schema.get("type")
    if isinstance(value, dict):
        if kind not in (None, "object"):
            return False
        properties = schema.get("properties", {})
        for name, part in properties.items():
            if "const" in part and value.get(name, part.get("default", part["const"])) != part["const"]:
                return False
        return True
    if isinstance(value, list):
        return kind in (None, "array")
    return kind in (None, "string")


def _child(options: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
    found = [option["properties"][key] for option in options if key in option.get("properties", {})]
    found += [
        option["additionalProperties"]
        for option in options
        if key not in option.get("properties", {}) and isinstance(option.get("additionalProperties"), dict)
    ]
    return found[0] if len(found) == 1 else {"anyOf": found} if found else {}


def _item(options: Sequence[dict[str, Any]], index: int) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for option in options:
        prefix = option.get("prefixItems")
        if isinstance(prefix, list) and index < len(prefix):
            found.append(prefix[index])
        elif isinstance(option.get("items"), dict):
            found.append(option["items"])
    return found[0] if len(found) == 1 else {"anyOf": found} if found else {}


@lru_cache(maxsize=1024)
def _hints_of_model(model: Any) -> Hints:
    return Hints(model.model_json_schema())


def hints_of(node: Node[Any]) -> Hints:
    """The hints of a node type, read once."""
    return _hints_of_model(node.Config)


def strings_at(config: Any, paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """The string at each path; paths that lead nowhere are skipped."""
    for path in paths:
        value = config
        try:
            for part in path:
                value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(value, str):
            yield path, value


def replaced(config: Any, path: Path, value: Any) -> Any:
    """A copy of `config` with another value at `path`; parts beside the path are shared, not copied."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    copy: Any = dict(config) if isinstance(config, dict) else list(config)
    copy[first] = replaced(copy[first], rest, value)
    return copy


def mapped(config: Any, paths: Sequence[Path], change: Callable[[Path, str], Any]) -> Any:
    """A copy of `config` with every string at `paths` replaced by ``change(path, string)``."""
    for path, source in list(strings_at(config, paths)):
        config = replaced(config, path, change(path, source))
    return config
