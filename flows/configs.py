"""Checking a raw config whose fields may hold templates and expressions instead of final values."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from flows.faults import place_of, title_of, words_of
from flows.hints import Path, hints_of, replaced
from flows.problems import Problem, problem
from nodes.sdk.node import Node

_STAND_INS: tuple[Any, ...] = (
    1,
    "1",
    True,
    [],
    {},
    1.0,
    None,
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "a",
    "+8613800138000",
)


def check_config(node: Node[Any], raw: dict[str, Any], node_id: str) -> tuple[Any | None, list[Problem]]:
    """Validate `raw` against the node's model. Returns the config, or None with a problem for each bad field.

    A field that holds an expression or a template cannot be checked before it is computed: a value of the
    right type stands in for it, so that the rest of the config and the ports can be worked out.
    """
    places = hints_of(node).find(raw)
    dynamic = set(places.expressions)
    dynamic |= {path for path in places.templates if "{{" in str(_at(raw, path)) or "{%" in str(_at(raw, path))}
    data: Any = raw
    tried: dict[Path, int] = {}
    for _ in range(len(dynamic) * len(_STAND_INS) + 1):
        try:
            return node.Config.model_validate(data), []
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False)
        hopeless: list[Problem] = []
        again: set[Path] = set()
        for error in errors:
            path = _covered(data, error["loc"], dynamic)
            if path is None or tried.get(path, 0) >= len(_STAND_INS):
                hopeless.append(_problem(node, error, raw, node_id))
            else:
                again.add(path)
        if hopeless:
            # Errors at computed fields are no fault of the author.
            return None, hopeless
        for path in again:
            data = replaced(data, path, _STAND_INS[tried.get(path, 0)])
            tried[path] = tried.get(path, 0) + 1
    return None, [
        problem("bad_config", "配置无法检查", "the config cannot be checked: simplify its expressions", node=node_id)
    ]


def _at(data: Any, path: Path) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _covered(data: Any, location: tuple[int | str, ...], dynamic: set[Path]) -> Path | None:
    """The computed field that an error location lies in. Locations name union branches, which data do not have."""
    path: list[int | str] = []
    value: Any = data
    for part in location:
        below = _at(value, (part,))
        if below is not None:
            path.append(part)
            value = below
        if tuple(path) in dynamic:
            return tuple(path)
    # A model-level error about a part that holds computed fields is met by trying those fields.
    inside = [one for one in dynamic if one[: len(path)] == tuple(path)]
    return min(inside, key=str) if inside and len(path) == len(location) else None


def _problem(node: Node[Any], error: Mapping[str, Any], raw: Any, node_id: str) -> Problem:
    schema = hints_of(node).schema
    place, said = place_of(schema, raw, error), words_of(error)
    title = title_of(schema, place)
    field = ".".join(str(part) for part in place) or "config"
    if not place:
        return problem(
            "bad_config", f"配置不对：{said.zh}", f"the config is wrong: {said.en}", node=node_id, field=field
        )
    return problem("bad_config", f"“{title.zh}”{said.zh}", f"{title.en} {said.en}", node=node_id, field=field)
