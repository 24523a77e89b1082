"""What differs between two documents in meaning: positions, comments and the order of keys do not count.

Pure data, so that a screen can draw it on the canvas: added, removed and changed nodes, field by field, and wires.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.document import FlowDocument
from nodes.sdk.registry import Registry
from nodes.sdk.text import Text, text

Kind = Literal["added", "removed", "changed"]


class FieldChange(BaseModel):
    """A value that differs. ``field`` is a path such as ``choices[2].key``; None stands for a value that is not there.

    ``title`` is what people call the outermost part of the field.
    """

    field: str
    title: Text
    kind: Kind
    old: Any = None
    new: Any = None


class NodeChange(BaseModel):
    """A node that came, went, or is not what it was. ``renamed`` when nothing but its name differs."""

    node: str
    kind: Kind
    type: str
    name: str
    renamed: bool = False
    fields: list[FieldChange] = []


class WireChange(BaseModel):
    """A port that leads elsewhere; None stands for nowhere."""

    node: str
    port: str
    old: str | None
    new: str | None


class FlowDiff(BaseModel):
    """Everything that differs, by node id and place."""

    nodes: list[NodeChange]
    wires: list[WireChange]
    flow: list[FieldChange]

    @property
    def empty(self) -> bool:
        return not (self.nodes or self.wires or self.flow)


_FLOW_TITLES = {
    "name": text("名称", "Name"),
    "description": text("说明", "Description"),
    "kind": text("类别", "Kind"),
    "entry": text("入口", "Entry"),
    "languages": text("语言", "Languages"),
    "inputs": text("输入", "Inputs"),
    "outputs": text("输出", "Outputs"),
    "variables": text("变量", "Variables"),
    "handlers": text("处理程序", "Handlers"),
    "shortcuts": text("快捷键", "Shortcut keys"),
}
_NODE_TITLES = {
    "name": text("名称", "Name"),
    "type": text("类型", "Type"),
    "type_version": text("类型版本", "Type version"),
    "policy": text("失败处理", "Failure policy"),
    "config": text("设置", "Settings"),
}
_BY_NAME = ("inputs", "outputs", "variables")


def diff(old: FlowDocument, new: FlowDocument, registry: Registry | None = None) -> FlowDiff:
    """Compare two documents. With a registry fields carry the titles of the nodes' own forms."""
    nodes = [
        change
        for id in sorted(old.nodes.keys() | new.nodes.keys())
        if (change := _node(id, old, new, registry)) is not None
    ]
    return FlowDiff(nodes=nodes, wires=_wires(old, new), flow=_flow(old, new))


def _node(id: str, old: FlowDocument, new: FlowDocument, registry: Registry | None) -> NodeChange | None:
    a, b = old.nodes.get(id), new.nodes.get(id)
    if a is None or b is None:
        one = a or b
        assert one is not None
        return NodeChange(node=id, kind="removed" if b is None else "added", type=one.type, name=one.name)
    titles = _titles(b.type, registry)
    plain = ("type", "type_version", "name")
    own = _values({name: getattr(a, name) for name in plain}, {name: getattr(b, name) for name in plain}, "")
    config = _values(a.config, b.config, "")
    policy = _values(a.policy.model_dump(), b.policy.model_dump(), "policy")
    fields = [_change(path, _NODE_TITLES[path], x, y) for path, x, y in own]
    standing = _standing(b.type, registry)
    fields += [_change(path, titles.get(_head(path), _NODE_TITLES["config"]), x, y, standing) for path, x, y in config]
    fields += [_change(path, _NODE_TITLES["policy"], x, y) for path, x, y in policy]
    if not fields:
        return None
    renamed = [one.field for one in fields] == ["name"]
    return NodeChange(node=id, kind="changed", type=b.type, name=b.name, renamed=renamed, fields=fields)


def _settings(type_name: str, registry: Registry | None) -> dict[str, FieldInfo]:
    """The settings of a node type by name; none of one that nobody knows."""
    try:
        return {} if registry is None else registry.get(type_name).Config.model_fields
    except KeyError:
        return {}


def _titles(type_name: str, registry: Registry | None) -> dict[str, Text]:
    """Field titles by name, out of the form of the node type."""
    found: dict[str, Text] = {}
    for name, field in _settings(type_name, registry).items():
        extra = field.json_schema_extra
        title = extra.get("x-title") if isinstance(extra, dict) else None
        if isinstance(title, dict) and "zh" in title and "en" in title:
            found[name] = text(str(title["zh"]), str(title["en"]))
    return found


def _standing(type_name: str, registry: Registry | None) -> dict[str, Any]:
    """What plain settings are when nobody set them, by name."""
    return {
        name: field.default
        for name, field in _settings(type_name, registry).items()
        if isinstance(field.default, bool | int | float | str) and field.default != ""
    }


def _wires(old: FlowDocument, new: FlowDocument) -> list[WireChange]:
    a = {(edge.source, edge.port): edge.target for edge in old.edges}
    b = {(edge.source, edge.port): edge.target for edge in new.edges}
    return [
        WireChange(node=node, port=port, old=a.get((node, port)), new=b.get((node, port)))
        for node, port in sorted(a.keys() | b.keys())
        if a.get((node, port)) != b.get((node, port))
    ]


def _flow(old: FlowDocument, new: FlowDocument) -> list[FieldChange]:
    a, b = old.model_dump(mode="json", by_alias=True), new.model_dump(mode="json", by_alias=True)
    for side in (a, b):
        for name in _BY_NAME:
            # By name: a variable that moved in the list is the same variable.
            side[name] = {one["name"]: one for one in side[name]}
        side["shortcuts"] = {one["key"]: one for one in side["shortcuts"]}
    return [
        _change(path, title, x, y)
        for name, title in _FLOW_TITLES.items()
        for path, x, y in _values({name: a.get(name)}, {name: b.get(name)}, "")
    ]


_NOTHING = object()


def _change(field: str, title: Text, old: Any, new: Any, standing: Mapping[str, Any] | None = None) -> FieldChange:
    """``standing`` holds what a field is where nothing is written, for a person to see what it was before."""
    kind: Kind = "added" if old is _NOTHING else "removed" if new is _NOTHING else "changed"
    unset = (standing or {}).get(field)
    return FieldChange(
        field=field,
        title=title,
        kind=kind,
        old=unset if old is _NOTHING else old,
        new=unset if new is _NOTHING else new,
    )


def _values(old: Any, new: Any, path: str) -> list[tuple[str, Any, Any]]:
    """The paths at which two JSON values differ, with both values."""
    if old is _NOTHING or new is _NOTHING or type(old) is not type(new):
        return [] if _equal(old, new) else [(path, old, new)]
    if isinstance(old, Mapping):
        return [
            found
            for key in sorted(old.keys() | new.keys())
            for found in _values(old.get(key, _NOTHING), new.get(key, _NOTHING), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(old, list):
        most = max(len(old), len(new))
        return [
            found
            for index in range(most)
            for found in _values(
                old[index] if index < len(old) else _NOTHING,
                new[index] if index < len(new) else _NOTHING,
                f"{path}[{index}]",
            )
        ]
    return [] if old == new else [(path, old, new)]


def _equal(old: Any, new: Any) -> bool:
    """Whole and broken numbers of one value are equal, as they are in JSON; truth values are no numbers."""
    if isinstance(old, bool) or isinstance(new, bool):
        return False
    return isinstance(old, int | float) and isinstance(new, int | float) and old == new


def _head(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]
