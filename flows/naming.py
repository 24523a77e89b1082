"""What people call the parts of a flow, as its drawing shows them: a node by its name, a way out by its title.

A node without a name of its own, or whose name only repeats the title of its type, is called by that title in the
reader's language. Nodes of one flow that share a name are told apart by their ids.
"""

from collections import Counter

from pydantic import ValidationError

from flows.plan import Plan, PlanFlow, PlanNode
from nodes.sdk.registry import AnyNode, Registry
from nodes.sdk.text import Text, text

SHORTCUT_PREFIX = "@"


def node_name(name: str, title: Text | None, node_id: str) -> Text:
    """The name that a card shows."""
    if title is None:
        return text(name or node_id, name or node_id)
    return text(name, name) if name and name not in (title.zh, title.en) else title


class PlanNames:
    """Names of what a plan consists of. Places are written as in test cases: ``node`` or ``node.port``."""

    def __init__(self, plan: Plan, registry: Registry) -> None:
        self._flows = [plan.flows[plan.root], *(flow for key, flow in plan.flows.items() if key != plan.root)]
        self._registry = registry
        self._shared: dict[str, Counter[str]] = {}

    def node(self, node_id: str, flow_id: str | None = None) -> Text:
        """A node in quotes; what the plan does not hold by its id."""
        return _quoted(self._name(node_id, flow_id))

    def step(self, node_id: str, port: str | None, flow_id: str | None = None) -> Text:
        """A node and the way that was taken out of it, in quotes."""
        name = self._name(node_id, flow_id)
        return _quoted(name if port is None else _joined(name, self._port(node_id, port, flow_id)))

    def port(self, node_id: str, port: str, flow_id: str | None = None) -> Text:
        """A way out of a node, in quotes."""
        return _quoted(self._port(node_id, port, flow_id))

    def place(self, written: str) -> Text:
        """``node`` or ``node.port`` in quotes."""
        node_id, dot, port = written.rpartition(".")
        if dot and self._find(written, None) is None:
            return self.step(node_id, port)
        return self.node(written)

    def output(self, written: str) -> Text:
        """``node.output`` in quotes."""
        node_id, _, name = written.rpartition(".")
        _, node, spec = self._known(node_id, None)
        title = text(name, name)
        if node is not None and spec is not None:
            try:
                outputs = node.outputs(node.Config.model_validate(spec.config))
            except ValidationError:
                outputs = []
            title = next((one.title for one in outputs if one.name == name), title)
        return _quoted(_joined(self._name(node_id, None), title))

    def _find(self, node_id: str, flow_id: str | None) -> tuple[PlanFlow, PlanNode] | None:
        flows = [flow for flow in self._flows if flow.id == flow_id] or self._flows
        return next(((flow, flow.nodes[node_id]) for flow in flows if node_id in flow.nodes), None)

    def _known(self, node_id: str, flow_id: str | None) -> tuple[PlanFlow | None, AnyNode | None, PlanNode | None]:
        found = self._find(node_id, flow_id)
        if found is None:
            return None, None, None
        flow, spec = found
        return flow, self._type(spec), spec

    def _type(self, spec: PlanNode) -> AnyNode | None:
        try:
            return self._registry.get(spec.type, spec.version)
        except KeyError:
            return None

    def _name(self, node_id: str, flow_id: str | None) -> Text:
        flow, node, spec = self._known(node_id, flow_id)
        if flow is None or spec is None:
            return text(node_id, node_id)
        if flow.id not in self._shared:
            self._shared[flow.id] = Counter(one.name for one in flow.nodes.values())
        name = node_name(spec.name, node.meta.title if node is not None else None, node_id)
        if self._shared[flow.id][spec.name] > 1:
            return text(f"{name.zh}（{node_id}）", f"{name.en} ({node_id})")
        return name

    def _port(self, node_id: str, port: str, flow_id: str | None) -> Text:
        if port.startswith(SHORTCUT_PREFIX):
            return text(f"任意时刻按 {port[1:]}", f"key {port[1:]} at any time")
        _, node, spec = self._known(node_id, flow_id)
        if node is None or spec is None:
            return text(port, port)
        try:
            ports = node.all_ports(node.Config.model_validate(spec.config))
        except ValidationError:
            return text(port, port)
        return next((one.title for one in ports if one.name == port), text(port, port))


def _joined(one: Text, other: Text) -> Text:
    return text(f"{one.zh} ▸ {other.zh}", f"{one.en} ▸ {other.en}")


def _quoted(name: Text) -> Text:
    return text(f"“{name.zh}”", f"“{name.en}”")
