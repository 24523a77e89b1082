"""What a flow uses by name besides other flows: calendars, lists, queries, credentials, prompts of the library."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.configs import check_config
from flows.document import FlowDocument
from flows.plan import SUBFLOW, subflow_reference
from flows.problems import Problem, problem
from nodes.sdk.node import Node
from nodes.sdk.prompt import RecordingPart
from nodes.sdk.registry import Registry

_KINDS = {
    "calendar": ("日历", "calendar"),
    "list": ("名单", "list"),
    "query": ("查询", "query"),
    "credential": ("凭据", "credential"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What there is. ``named`` by kind (``calendar`` ...); ``prompts`` have their languages."""

    named: Mapping[str, Collection[str]] = field(default_factory=dict)
    prompts: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a node names something. ``kind`` is one of those of `Known`, or ``prompt``, ``flow``."""

    kind: str
    name: str
    node: str
    field: str


def uses(document: FlowDocument, registry: Registry) -> Iterator[Use]:
    """Everything that a document uses by name, also where its configs are half-written. Computed names do not count."""
    for node_id, spec in document.nodes.items():
        for place, name in _raw_recordings(spec.config, ()):
            if name and "{{" not in name:
                yield Use("prompt", name, node_id, place)
        if spec.type == SUBFLOW:
            flow, _ = subflow_reference(spec.config)
            if flow:
                yield Use("flow", flow, node_id, "flow")
        try:
            node = registry.get(spec.type, spec.type_version)
        except KeyError:
            continue
        for place, kind, name in _named(node, spec.config):
            yield Use(kind, name, node_id, place)


def _raw_recordings(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        name = value.get("prompt")
        if value.get("kind") == "recording" and isinstance(name, str):
            yield ".".join((*path, "prompt")), name
        for key, part in value.items():
            yield from _raw_recordings(part, (*path, str(key)))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _raw_recordings(part, (*path, str(index)))


def with_prompt_renamed(value: Any, old: str, new: str) -> Any:
    """A copy of a document (or a part of one) whose recordings go by the new name."""
    if isinstance(value, Mapping):
        copy = {key: with_prompt_renamed(part, old, new) for key, part in value.items()}
        if value.get("kind") == "recording" and value.get("prompt") == old:
            copy["prompt"] = new
        return copy
    if isinstance(value, list):
        return [with_prompt_renamed(part, old, new) for part in value]
    return value


def check_references(document: FlowDocument, registry: Registry, known: Known) -> list[Problem]:
    """Names that lead nowhere, as warnings: they may be created after the flow. Computed names are not judged."""
    found: list[Problem] = []
    for node_id, spec in document.nodes.items():
        try:
            node = registry.get(spec.type, spec.type_version)
        except KeyError:
            continue
        for place, kind, name in _named(node, spec.config):
            if name not in known.named.get(kind, ()):
                zh, en = _KINDS[kind]
                found.append(
                    problem(
                        "unknown_reference",
                        f"没有{zh}“{name}”，请先创建或重新选择",
                        f"there is no {en} {name!r}: create it or choose another",
                        node=node_id,
                        field=place,
                        severity="warning",
                    )
                )
        config, _ = check_config(node, spec.config, node_id)
        for place, part in _recordings(config, ()):
            found += _prompt(document, node_id, place, part.prompt, known.prompts)
    return found


def _prompt(
    document: FlowDocument, node_id: str, place: str, name: str, prompts: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    if "{{" in name:
        return
    if name not in prompts:
        yield problem(
            "unknown_prompt",
            f"语音库中没有“{name}”，请录制或重新选择",
            f"the prompt library has no {name!r}: record it or choose another",
            node=node_id,
            field=place,
            severity="warning",
        )
        return
    for language in document.languages:
        if language not in prompts[name]:
            yield problem(
                "missing_language",
                f"语音“{name}”缺少语言 {language}，请补上",
                f"the prompt {name!r} has nothing in {language}: add it to the library",
                node=node_id,
                field=place,
                severity="warning",
            )


def _named(node: Node[Any], config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, info in node.Config.model_fields.items():
        extra = info.json_schema_extra
        kind = extra.get("x-widget") if isinstance(extra, dict) else None
        value = config.get(name)
        if isinstance(kind, str) and kind in _KINDS and isinstance(value, str) and value and "{{" not in value:
            yield name, kind, value


def _recordings(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, RecordingPart]]:
    if isinstance(value, RecordingPart):
        yield ".".join((*path, "prompt")), value
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _recordings(part, (*path, str(index)))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _recordings(part, (*path, str(key)))
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from _recordings(getattr(value, name), (*path, name))
