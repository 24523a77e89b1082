"""Finds every node type: the built-in families, installed packages and the ``nodes/`` folder of the installation.

A package offers nodes by the entry point group ``callweave.nodes``; each entry point names a list of nodes, or a
module that has one called ``NODES``. A file in the folder is an ordinary Python module: its ``NODES``, or else every
node class that it defines. What cannot be loaded is kept in `Registry.problems` and never stops the rest.
"""

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points, packages_distributions
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from nodes.sdk.config import NodeConfig
from nodes.sdk.node import Node, NodeMeta, Runs

ENTRY_POINTS = "callweave.nodes"
BUILT_IN = ("voice", "logic", "queue", "customer", "messaging", "ticket", "web")
"""The families that ship; found without installed metadata, so that a source checkout works as it is."""

_PRIVATE = "_callweave_nodes_"

AnyNode = Node[Any]


class DuplicateNodeError(ValueError):
    """Two nodes claim the same type and version."""


class BadNodeError(ValueError):
    """A class does not keep the node contract."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that offers nodes and could not be loaded. ``place`` is a file or an entry point."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder or package gave."""

    nodes: Sequence[AnyNode]
    problems: Sequence[Problem]


class Registry:
    """Node types by name and version."""

    def __init__(self, nodes: Iterable[AnyNode], problems: Iterable[Problem] = ()) -> None:
        self._nodes: dict[tuple[str, int], AnyNode] = {}
        self._latest: dict[str, int] = {}
        self.problems: list[Problem] = list(problems)
        for node in nodes:
            self.add(node)

    def add(self, node: AnyNode) -> None:
        """Take one more node. Raises `BadNodeError` or `DuplicateNodeError`."""
        check(node)
        key = (node.meta.type, node.meta.version)
        known = self._nodes.get(key)
        if known is not None:
            raise DuplicateNodeError(
                f"node type {key[0]} version {key[1]} is defined twice: in {place(known)} and in {place(node)};"
                " rename one of them or raise its version"
            )
        self._nodes[key] = node
        self._latest[key[0]] = max(key[1], self._latest.get(key[0], 0))

    def get(self, type: str, version: int | None = None) -> AnyNode:
        """The node of that type, the latest version when none is given. Raises KeyError with a clear text."""
        if type not in self._latest:
            raise KeyError(f"there is no node type {type!r}; is its package installed?")
        wanted = self._latest[type] if version is None else version
        if (type, wanted) not in self._nodes:
            have = ", ".join(str(v) for t, v in sorted(self._nodes) if t == type)
            raise KeyError(f"node type {type!r} has no version {wanted}; installed: {have}")
        return self._nodes[type, wanted]

    def __contains__(self, type: object) -> bool:
        return type in self._latest

    def all(self) -> list[AnyNode]:
        """Every version of every node, by type and version."""
        return [self._nodes[key] for key in sorted(self._nodes)]

    def families(self) -> dict[str, list[AnyNode]]:
        """The latest version of every node, by family."""
        families: dict[str, list[AnyNode]] = {}
        for type, version in sorted(self._latest.items()):
            node = self._nodes[type, version]
            families.setdefault(node.meta.family, []).append(node)
        return families


def place(node: AnyNode) -> str:
    """Where a node is defined, for messages to people."""
    cls = type(node)
    try:
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError):
        file = None
    return f"{file or cls.__module__} ({cls.__qualname__})"


def origin(node: AnyNode) -> str:
    """Who brings a node: empty for what ships, an installed package with its version, or the file in the folder."""
    module = type(node).__module__
    if module.split(".")[0] == "nodes":
        return ""
    if module.startswith(_PRIVATE):
        return inspect.getsourcefile(type(node)) or module
    for name in packages_distributions().get(module.split(".")[0], []):
        return f"{name} {version_of(name)}"
    return module


def check(node: AnyNode) -> None:
    """Raise `BadNodeError` unless the class keeps the contract."""
    if not isinstance(node, Node):
        raise BadNodeError(f"{node!r} is not a node: derive its class from nodes.sdk.node.Node")
    if not isinstance(getattr(node, "meta", None), NodeMeta):
        raise BadNodeError(f"{place(node)} has no `meta = NodeMeta(...)`")
    if not (isinstance(node.Config, type) and issubclass(node.Config, NodeConfig)):
        raise BadNodeError(f"{place(node)}: Config must be a subclass of NodeConfig")
    method = "decide" if node.meta.runs is Runs.IN_WORKFLOW else "run"
    executed_by_machine = node.meta.type in STRUCTURAL
    if not executed_by_machine and getattr(type(node), method) is getattr(Node, method):
        raise BadNodeError(f"{place(node)} runs {node.meta.runs.value} and so must define {method}()")


STRUCTURAL = frozenset({"logic.subflow", "logic.parallel", "logic.join", "logic.end"})
"""Types that the machine itself executes; their classes only declare config and ports."""


def _nodes_in(value: Any, where: str) -> list[AnyNode]:
    offered = value
    if isinstance(value, ModuleType):
        offered = getattr(value, "NODES", None)
        if offered is None:
            offered = [
                cls
                for cls in vars(value).values()
                if inspect.isclass(cls)
                and issubclass(cls, Node)
                and cls.__module__ == value.__name__
                and isinstance(getattr(cls, "meta", None), NodeMeta)
            ]
    if not isinstance(offered, Iterable):
        raise BadNodeError(f"{where} must name a list of nodes or a module with NODES, not {offered!r}")
    nodes: list[AnyNode] = [item() if inspect.isclass(item) else item for item in offered]  # type: ignore[misc]
    for node in nodes:
        check(node)
    return nodes


def load_folder(path: Path) -> Loaded:
    """Nodes of the Python files in a folder. Files whose names begin with ``_`` or ``test_`` are passed over."""
    nodes: list[AnyNode] = []
    problems: list[Problem] = []
    for file in sorted(path.glob("*.py")) if path.is_dir() else []:
        if file.name.startswith(("_", "test_")):
            continue
        loaded = load_file(file)
        nodes.extend(loaded.nodes)
        problems.extend(loaded.problems)
    return Loaded(nodes, problems)


def load_file(file: Path) -> Loaded:
    """Nodes of one Python file."""
    try:
        found = _nodes_in(_import_file(file), str(file))
        if not found:
            raise BadNodeError("the file defines no node")
    except (Exception, SystemExit) as error:
        return Loaded([], [Problem(str(file), _explain(error))])
    return Loaded(found, [])


def _import_file(file: Path) -> ModuleType:
    # A private name keeps such a file from hiding an installed module of the same name.
    digest = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]
    name = f"{_PRIVATE}{digest}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadNodeError("the file cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _explain(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error}"


def load_packages() -> Loaded:
    """Nodes of the built-in families and of installed packages."""
    nodes: list[AnyNode] = []
    problems: list[Problem] = []
    built_in = {f"nodes.{family}" for family in BUILT_IN}
    for name in sorted(built_in):
        nodes.extend(_nodes_in(importlib.import_module(name), name))
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.value):
        if point.module in built_in:
            continue
        where = f"entry point {point.name} = {point.value}{_package(point)}"
        try:
            nodes.extend(_nodes_in(point.load(), where))
        except (Exception, SystemExit) as error:
            problems.append(Problem(where, _explain(error)))
    return Loaded(nodes, problems)


def _package(point: EntryPoint) -> str:
    return f" of {point.dist.name}" if point.dist is not None else ""


def nodes_folder() -> Path:
    """The folder of the installation's own nodes: ``$CALLWEAVE_HOME/nodes``."""
    home = os.environ.get("CALLWEAVE_HOME")
    return (Path(home) if home else Path.home() / ".callweave").expanduser() / "nodes"


def build(folder: Path | None = None) -> Registry:
    """A registry of the packages and of one folder; what clashes with an earlier node becomes a problem."""
    packages = load_packages()
    found = load_folder(folder) if folder is not None else Loaded([], [])
    result = Registry([], [*packages.problems, *found.problems])
    for node in [*packages.nodes, *found.nodes]:
        try:
            result.add(node)
        except ValueError as error:
            result.problems.append(Problem(place(node), str(error)))
    return result


@cache
def registry() -> Registry:
    """The registry of this process, built once."""
    return build(nodes_folder())


def example_config(node: AnyNode) -> NodeConfig | None:
    """The config a node has when it is put on the canvas: its example, or its defaults; None when it has neither."""
    for values in (dict(node.example), {}):
        try:
            return node.Config.model_validate(values)
        except ValidationError:
            continue
    return None


def describe(node: AnyNode) -> dict[str, Any]:
    """Everything the designer needs to offer a node, as plain JSON data."""
    meta = node.meta
    config = example_config(node)
    return {
        "type": meta.type,
        "version": meta.version,
        "family": meta.family,
        "icon": meta.icon,
        "runs": meta.runs.value,
        "effects": meta.effects,
        "terminal": meta.terminal,
        "kinds": list(meta.kinds),
        "title": meta.title.model_dump(),
        "help": meta.help.model_dump(),
        "schema": node.Config.model_json_schema(),
        "example": config.model_dump(mode="json") if config is not None else {},
        "ports": [port.model_dump() for port in node.all_ports(config)] if config is not None else [],
        "outputs": [output.model_dump() for output in node.outputs(config)] if config is not None else [],
    }
