"""Checking documents: leniently while they are drawn, strictly before they are published."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from flows.configs import check_config
from flows.document import Edge, FlowDocument, Shortcut, Variable
from flows.expressions import ANY, check
from flows.hints import hints_of, strings_at
from flows.migrations import DocumentVersionError, migrate
from flows.plan import END, JOIN, PARALLEL, SUBFLOW, ResolvedFlow, Resolver, subflow_reference
from flows.problems import Problem, Severity, problem
from flows.scope import names_of
from flows.values import ValueTypeError, coerce
from nodes.sdk.node import Node, Output, Runs
from nodes.sdk.outcome import ERROR, HANGUP
from nodes.sdk.prompt import TextPart
from nodes.sdk.registry import Registry

_ID = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
_STRUCTURE = frozenset({"nodes", "edges", "shortcuts", "inputs", "outputs", "variables", "handlers", "ui"})


# --- drafts -----------------------------------------------------------------------------------------------------------


def parse_draft(data: Any) -> tuple[FlowDocument, list[Problem]]:
    """Read any JSON value as a document. Never raises: what cannot be kept is left out and told.

    A document of an older format is migrated; one of a newer format is not guessed at.
    """
    found: list[Problem] = []
    if not isinstance(data, dict):
        found.append(
            problem("not_an_object", "流程应是一个 JSON 对象", "a flow is a JSON object: this is something else")
        )
        return _blank({}), found
    try:
        data = migrate(data)
    except DocumentVersionError as error:
        found.append(problem("spec_version", error.text.zh, error.text.en, field="spec_version"))
        return _blank(data), found
    try:
        return FlowDocument.model_validate(data), found
    except ValidationError:
        pass
    kept = _salvage(data, found)
    return FlowDocument.model_validate(kept), found


def _blank(data: dict[Any, Any]) -> FlowDocument:
    """An empty document that keeps the identity when it is sound."""
    kind = data.get("kind")
    return FlowDocument(
        id=data["id"] if isinstance(data.get("id"), str) else "",
        kind=kind if kind in _KINDS else "ivr",
        name=data["name"] if isinstance(data.get("name"), str) else "",
    )


_KINDS = ("ivr", "campaign", "callback", "ticket", "subflow")


def _salvage(data: dict[Any, Any], found: list[Problem]) -> dict[str, Any]:
    kept = _blank(data).model_dump(by_alias=True)
    found += [
        problem("bad_field", f"“{name}”应是文本，请填写", f"{name} must be a text: fill it in", field=name)
        for name in ("id", "name")
        if not isinstance(data.get(name), str)
    ]
    if data.get("kind") not in _KINDS:
        kinds = ", ".join(_KINDS)
        found.append(
            problem("bad_field", f"“kind”应是其中之一：{kinds}", f"kind must be one of: {kinds}", field="kind")
        )
    found += [
        problem(
            "unknown_field", f"没有“{key}”这一项，已略去", f"{key} is not a field of a flow; left out", field=str(key)
        )
        for key in data
        if key not in FlowDocument.model_fields
    ]
    for name in ("description", "entry", "languages"):
        if name in data:
            _keep(kept, name, data[name], found)
    for name in ("inputs", "outputs", "variables"):
        kept[name] = list(_sound_list(Variable, data.get(name, []), name, found))
    kept["edges"] = list(_sound_list(Edge, data.get("edges", []), "edges", found))
    kept["shortcuts"] = list(_sound_list(Shortcut, data.get("shortcuts", []), "shortcuts", found))
    if "handlers" in data:
        _keep(kept, "handlers", data["handlers"], found)
    if isinstance(data.get("ui", {}), dict):
        kept["ui"] = {str(key): value for key, value in data.get("ui", {}).items()}
    else:
        found.append(problem("bad_field", "“ui”应是对象，已略去", "ui must be an object; left out", field="ui"))
    nodes = data.get("nodes", {})
    if not isinstance(nodes, dict):
        found.append(
            problem("bad_field", "“nodes”应是对象，已略去", "nodes must be an object; left out", field="nodes")
        )
        nodes = {}
    for node_id, spec in nodes.items():
        sound = _sound_node(str(node_id), spec, found)
        if sound is not None:
            kept["nodes"][str(node_id)] = sound
    return kept


def _keep(kept: dict[str, Any], name: str, value: Any, found: list[Problem]) -> None:
    try:
        FlowDocument.model_validate({**kept, name: value})
    except ValidationError as invalid:
        found.append(_draft_problem(invalid, name))
    else:
        kept[name] = value


def _sound_list(model: Any, items: Any, name: str, found: list[Problem]) -> Iterator[Any]:
    if not isinstance(items, list):
        found.append(problem("bad_field", f"“{name}”应是列表，已略去", f"{name} must be a list; left out", field=name))
        return
    for index, item in enumerate(items):
        try:
            yield model.model_validate(item).model_dump(by_alias=True)
        except ValidationError as invalid:
            found.append(_draft_problem(invalid, f"{name}.{index}"))


def _sound_node(node_id: str, spec: Any, found: list[Problem]) -> dict[str, Any] | None:
    """The node with its unsound parts left out; None when not even its type is known."""
    if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
        found.append(
            problem("bad_node", "节点缺少类型，已略去", "the node has no type; left out", node=node_id, field="type")
        )
        return None
    probe = {"id": "x", "kind": "ivr", "name": "x"}
    sound: dict[str, Any] = {"type": spec["type"]}
    for key, value in spec.items():
        if key == "type":
            continue
        try:
            FlowDocument.model_validate({**probe, "nodes": {node_id: {"type": "x", key: value}}})
        except ValidationError as invalid:
            told = _draft_problem(invalid, str(key), cut=2)
            found.append(told.model_copy(update={"node": node_id}))
        else:
            sound[str(key)] = value
    return sound


def _draft_problem(invalid: ValidationError, place: str, *, cut: int = 0) -> Problem:
    error = invalid.errors(include_input=False, include_url=False)[0]
    inner = [str(part) for part in error["loc"][cut:]]
    path = ".".join(inner) if cut else ".".join([place, *[part for part in inner if part != place]])
    return problem(
        "bad_field",
        f"“{path}”不对，已略去：{error['msg']}",
        f"{path} is wrong and left out: {error['msg']}",
        field=path,
    )


# --- publishing -------------------------------------------------------------------------------------------------------


def validate(
    document: FlowDocument, registry: Registry, *, resolver: Resolver | None = None, strict: bool = True
) -> list[Problem]:
    """Everything that is wrong. Problems of severity ``error`` prevent publishing.

    ``resolver``  finds the subflows; without one their references are not followed
    ``strict``    False while a flow is being drawn: what is merely unfinished (no entry, an open port, a node
                  that nothing leads to) is a warning then
    """
    return _Validation(document, registry, resolver, strict).problems()


class _Validation:
    def __init__(self, document: FlowDocument, registry: Registry, resolver: Resolver | None, strict: bool) -> None:
        self.document = document
        self.registry = registry
        self.resolver = resolver
        self.unfinished: Severity = "error" if strict else "warning"
        self.found: list[Problem] = []
        self.nodes: dict[str, Node[Any]] = {}
        self.configs: dict[str, Any] = {}
        self.subflows: dict[str, ResolvedFlow] = {}
        self.edges: dict[str, dict[str, str]] = {}

    def problems(self) -> list[Problem]:
        self._identity()
        self._nodes()
        self._edges()
        self._targets()
        self._reach()
        self._subflows()
        self._names()
        self._parallel()
        self._languages()
        self._loops()
        return list(dict.fromkeys(self.found))

    def _tell(
        self,
        code: str,
        zh: str,
        en: str,
        *,
        node: str | None = None,
        field: str | None = None,
        severity: Severity = "error",
    ) -> None:
        self.found.append(problem(code, zh, en, node=node, field=field, severity=severity))

    def _identity(self) -> None:
        document = self.document
        if not document.id.strip():
            self._tell("no_id", "流程没有标识，请填写", "the flow has no id: give it one", field="id")
        if not document.name.strip():
            self._tell("no_name", "流程没有名称，请填写", "the flow has no name: give it one", field="name")
        if not document.languages:
            self._tell(
                "no_language",
                "流程没有语言，请至少选一种",
                "the flow has no language: choose one at least",
                field="languages",
            )
        for group in ("inputs", "outputs", "variables"):
            seen: set[str] = set()
            for index, variable in enumerate(getattr(document, group)):
                place = f"{group}.{index}"
                if variable.name in seen:
                    self._tell(
                        "duplicate_variable",
                        f"“{variable.name}”定义了两次，请改名或删除",
                        f"{variable.name} is defined twice: rename or remove one",
                        field=f"{place}.name",
                    )
                seen.add(variable.name)
                try:
                    coerce(variable.default, variable.type)
                except ValueTypeError as error:
                    self._tell(
                        "bad_default",
                        f"“{variable.name}”的默认值与类型不符，请改正",
                        f"the default of {variable.name} does not fit its type, correct it: {error}",
                        field=f"{place}.default",
                    )

    def _nodes(self) -> None:
        document = self.document
        for node_id, spec in document.nodes.items():
            if not _ID.match(node_id):
                self._tell(
                    "bad_node_id",
                    "节点标识只能用字母、数字、下划线和连字符，并以字母开头",
                    "a node id has letters, digits, _ and - only and begins with a letter: rename it",
                    node=node_id,
                )
            try:
                node = self.registry.get(spec.type, spec.type_version)
            except KeyError as missing:
                told = str(missing.args[0]) if missing.args else spec.type
                self._tell(
                    "unknown_node",
                    f"没有节点类型 {spec.type}（版本 {spec.type_version}），请安装其软件包或删除节点",
                    f"{told}: install its package or remove the node",
                    node=node_id,
                    field="type",
                )
                continue
            self.nodes[node_id] = node
            config, found = check_config(node, spec.config, node_id)
            self.found += found
            if config is not None:
                self.configs[node_id] = config
            if document.kind not in node.meta.kinds:
                kinds = ", ".join(node.meta.kinds)
                self._tell(
                    "wrong_kind",
                    f"“{node.meta.title.zh}”不能用于此类流程，只能用于：{kinds}",
                    f"{node.meta.title.en} cannot be used in a {document.kind} flow, only in: {kinds}; remove it",
                    node=node_id,
                    field="type",
                )

    def _ports(self, node_id: str) -> dict[str, bool] | None:
        """Port names and whether they must be wired; None when the config is not sound."""
        node, config = self.nodes.get(node_id), self.configs.get(node_id)
        if node is None or config is None:
            return None
        ports = {port.name: port.required for port in node.all_ports(config)}
        # The machine itself can fire these for nodes that run inside it.
        ports.setdefault(ERROR, False)
        if node.meta.runs is Runs.IN_WORKFLOW or type(node).resume is not Node.resume:
            ports.setdefault(HANGUP, False)
        return ports

    def _edges(self) -> None:
        document = self.document
        for index, edge in enumerate(document.edges):
            place = f"edges.{index}"
            if edge.source not in document.nodes:
                self._tell(
                    "edge_source",
                    f"连线的起点 {edge.source} 不存在，请删除连线",
                    f"the edge begins at {edge.source}, which does not exist: remove the edge",
                    field=f"{place}.from",
                )
                continue
            if edge.target not in document.nodes:
                self._tell(
                    "edge_target",
                    f"端口 {edge.port} 的连线指向不存在的节点 {edge.target}，请改接",
                    f"the edge of port {edge.port} leads to {edge.target}, which does not exist: connect it elsewhere",
                    node=edge.source,
                    field=f"{place}.to",
                )
            ports = self._ports(edge.source)
            if ports is not None and edge.port not in ports:
                have = ", ".join(ports)
                self._tell(
                    "edge_port",
                    f"节点没有端口 {edge.port}，请改用：{have}",
                    f"the node has no port {edge.port}: use one of {have}",
                    node=edge.source,
                    field=f"{place}.port",
                )
            taken = self.edges.setdefault(edge.source, {})
            if edge.port in taken:
                self._tell(
                    "two_edges",
                    f"端口 {edge.port} 有两条连线，请删除一条",
                    f"two edges leave the port {edge.port}: remove one",
                    node=edge.source,
                    field=f"{place}.port",
                )
            else:
                taken[edge.port] = edge.target
        for node_id in document.nodes:
            ports = self._ports(node_id)
            if ports is None:
                continue
            node, wired = self.nodes[node_id], self.edges.get(node_id, {})
            if node.meta.terminal or node.meta.type == END:
                continue
            open_ports = [name for name, required in ports.items() if required and name not in wired]
            if open_ports and not wired:
                self._tell(
                    "dead_end",
                    "节点之后没有任何步骤，请连接下一步或使用“结束”节点",
                    "nothing follows this node: connect a next step, or end the flow with an end node",
                    node=node_id,
                    severity=self.unfinished,
                )
                continue
            titles = {port.name: port.title for port in node.all_ports(self.configs[node_id])}
            for name in open_ports:
                title = titles[name]
                self._tell(
                    "port_unwired",
                    f"出口“{title.zh}”没有连线，请连接下一步",
                    f"the way out “{title.en}” leads nowhere: connect it to a step",
                    node=node_id,
                    field=name,
                    severity=self.unfinished,
                )

    def _targets(self) -> None:
        document = self.document
        if document.entry is None:
            self._tell(
                "no_entry",
                "流程没有起始节点，请选择一个",
                "the flow has no entry node: choose one",
                field="entry",
                severity=self.unfinished,
            )
        places = [("entry", document.entry), ("handlers.hangup", document.handlers.hangup)]
        places += [("handlers.error", document.handlers.error)]
        places += [(f"shortcuts.{index}.to", shortcut.target) for index, shortcut in enumerate(document.shortcuts)]
        for place, target in places:
            if target is not None and target not in document.nodes:
                self._tell(
                    "unknown_target",
                    f"“{place}”指向不存在的节点 {target}，请重新选择",
                    f"{place} names the node {target}, which does not exist: choose another",
                    field=place,
                )
        keys: set[str] = set()
        for index, shortcut in enumerate(document.shortcuts):
            if shortcut.key in keys:
                self._tell(
                    "duplicate_shortcut",
                    f"按键 {shortcut.key} 用了两次，请删除一个",
                    f"the key {shortcut.key} is used twice: remove one",
                    field=f"shortcuts.{index}.key",
                )
            keys.add(shortcut.key)

    def _reach(self) -> None:
        document = self.document
        roots = [document.entry, document.handlers.hangup, document.handlers.error]
        roots += [shortcut.target for shortcut in document.shortcuts]
        reached = self._from([root for root in roots if root is not None])
        if document.entry is None or document.entry not in document.nodes:
            return
        for node_id in document.nodes:
            if node_id not in reached:
                self._tell(
                    "unreachable",
                    "没有任何连线通向此节点，请连接或删除",
                    "nothing leads to this node: connect it or remove it",
                    node=node_id,
                    severity=self.unfinished,
                )

    def _from(self, roots: list[str]) -> set[str]:
        reached: set[str] = set()
        left = list(roots)
        while left:
            node_id = left.pop()
            if node_id in reached or node_id not in self.document.nodes:
                continue
            reached.add(node_id)
            left += self.edges.get(node_id, {}).values()
        return reached

    # subflows

    def _subflows(self) -> None:
        for node_id, spec in self.document.nodes.items():
            if spec.type != SUBFLOW or self.resolver is None:
                continue
            flow, reference = subflow_reference(spec.config)
            if not flow:
                continue
            resolved = self.resolver.resolve(flow, reference)
            if flow == self.document.id or (resolved is not None and self._leads_back(resolved, set())):
                self._tell(
                    "subflow_cycle",
                    f"子流程 {flow} 会再次调用本流程，请改用别的流程或循环",
                    f"the subflow {flow} leads back to this flow: use another flow, or a loop",
                    node=node_id,
                    field="flow",
                )
                continue
            if resolved is None and self.resolver.published(flow):
                self._tell(
                    "missing_alias",
                    f"流程 {flow} 没有别名或版本 {reference}，请重新选择",
                    f"the flow {flow} has no alias or version {reference}: choose another",
                    node=node_id,
                    field="version" if reference.isdecimal() else "alias",
                )
                continue
            if resolved is None:
                self._tell(
                    "unknown_subflow",
                    f"没有已发布的子流程 {flow}（{reference}），请先发布或重新选择",
                    f"there is no published flow {flow} ({reference}): publish it or choose another",
                    node=node_id,
                    field="flow",
                )
                continue
            self.subflows[node_id] = resolved
            self._subflow_inputs(node_id, spec.config, resolved.document)
            if resolved.document.kind not in ("subflow", self.document.kind):
                self._tell(
                    "subflow_kind",
                    f"流程 {flow} 是 {resolved.document.kind} 类型，不能在此使用",
                    f"{flow} is a {resolved.document.kind} flow and cannot run here: choose a subflow",
                    node=node_id,
                    field="flow",
                )

    def _leads_back(self, resolved: ResolvedFlow, seen: set[tuple[str, int]]) -> bool:
        key = (resolved.document.id, resolved.version)
        if key in seen or self.resolver is None:
            return False
        seen.add(key)
        for spec in resolved.document.nodes.values():
            if spec.type != SUBFLOW:
                continue
            flow, reference = subflow_reference(spec.config)
            if flow == self.document.id:
                return True
            below = self.resolver.resolve(flow, reference)
            if below is not None and self._leads_back(below, seen):
                return True
        return False

    def _subflow_inputs(self, node_id: str, config: Mapping[str, Any], below: FlowDocument) -> None:
        given = config.get("inputs") or {}
        if not isinstance(given, Mapping):
            return
        wanted = {variable.name: variable for variable in below.inputs}
        for name, value in given.items():
            if name not in wanted:
                have = ", ".join(wanted) or "-"
                self._tell(
                    "subflow_input",
                    f"子流程没有输入 {name}，可用：{have}",
                    f"the subflow has no input {name}: it has {have}",
                    node=node_id,
                    field=f"inputs.{name}",
                )
                continue
            constant = _constant(value)
            if constant is not _COMPUTED:
                try:
                    coerce(constant, wanted[name].type)
                except ValueTypeError as error:
                    self._tell(
                        "subflow_input",
                        f"输入 {name} 的类型应为 {wanted[name].type}，请改正",
                        f"the input {name} needs a {wanted[name].type}, correct it: {error}",
                        node=node_id,
                        field=f"inputs.{name}",
                    )
        for name, variable in wanted.items():
            if variable.required and name not in given:
                self._tell(
                    "subflow_input",
                    f"子流程需要输入 {name}，请填写",
                    f"the subflow needs the input {name}: fill it in",
                    node=node_id,
                    field=f"inputs.{name}",
                )

    # names

    def _names(self) -> None:
        document = self.document
        names = names_of(document, {node_id: self._outputs_of(node_id) for node_id in document.nodes})
        for node_id, spec in document.nodes.items():
            node = self.nodes.get(node_id)
            if node is None:
                continue
            places = hints_of(node).find(spec.config)
            for paths, template in ((places.expressions, False), (places.templates, True)):
                for path, source in strings_at(spec.config, paths):
                    if not source.strip():
                        continue
                    place = ".".join(str(part) for part in path)
                    for found in check(source, names, template=template):
                        self.found.append(found.model_copy(update={"node": node_id, "field": place}))

    def _outputs_of(self, node_id: str) -> Any:
        node, config = self.nodes.get(node_id), self.configs.get(node_id)
        if node is None or config is None:
            return ANY
        if node.meta.type == SUBFLOW:
            resolved = self.subflows.get(node_id)
            if resolved is None:
                return ANY
            return {variable.name: ANY for variable in resolved.document.outputs} | {ERROR: ANY}
        declared: dict[str, Any] = {output.name: _below(output) for output in node.outputs(config)}
        return declared | {ERROR: ANY}

    # structure

    def _parallel(self) -> None:
        """A call has one position: what is played or dialled in two branches at once would mix."""
        if self.document.kind == "ticket":
            return
        for node_id, spec in self.document.nodes.items():
            if spec.type != PARALLEL:
                continue
            for branch in self._branch_nodes(node_id):
                node = self.nodes.get(branch)
                if node is not None and node.meta.runs.needs_call:
                    self._tell(
                        "call_in_parallel",
                        "通话节点不能放在并行分支里，请移到汇合之后",
                        "a node on the call cannot stand in a parallel branch: move it behind the join",
                        node=branch,
                    )

    def _branch_nodes(self, parallel: str) -> list[str]:
        reached: list[str] = []
        seen: set[str] = set()
        left = list(self.edges.get(parallel, {}).values())
        while left:
            node_id = left.pop(0)
            if node_id in seen or node_id not in self.document.nodes:
                continue
            seen.add(node_id)
            if self.document.nodes[node_id].type == JOIN:
                continue
            reached.append(node_id)
            left += self.edges.get(node_id, {}).values()
        return reached

    def _languages(self) -> None:
        """Every prompt should say something in every language of the flow.

        A prompt whose texts have one language each speaks all of them to everybody, as a bilingual greeting does:
        there the texts together must have the languages.
        """
        for node_id in self.document.nodes:
            config = self.configs.get(node_id)
            if self.nodes.get(node_id) is None or config is None:
                continue
            prompts: dict[str, list[tuple[str, set[str]]]] = {}
            for place, part in _text_parts(config, ()):
                given = {language for language, words in part.text.items() if words.strip()}
                prompts.setdefault(place.rpartition(".")[0], []).append((place, given))
            for texts in prompts.values():
                spoken = set().union(*(given for _, given in texts))
                each_its_own = len(texts) > 1 and all(len(given) == 1 for _, given in texts)
                for place, given in texts:
                    for language in self.document.languages:
                        if language not in (spoken if each_its_own else given):
                            self._tell(
                                "missing_language",
                                f"播报缺少语言 {language} 的文本，请补上",
                                f"the prompt has no text in {language}: add it",
                                node=node_id,
                                field=f"{place}.text.{language}",
                                severity="warning",
                            )

    def _can_end(self) -> set[str]:
        """Nodes from which the flow may end: by an end, a port without an edge, or a caller who hangs up."""
        ending = set[str]()
        for node_id, node in self.nodes.items():
            config = self.configs.get(node_id)
            wired = self.edges.get(node_id, {})
            open_port = config is None or any(port.name not in wired for port in node.ports(config))
            if node.meta.terminal or node.meta.runs.needs_call or open_port:
                ending.add(node_id)
        backwards: dict[str, set[str]] = {}
        for source, ports in self.edges.items():
            for target in ports.values():
                backwards.setdefault(target, set()).add(source)
        waiting = list(ending)
        while waiting:
            for source in backwards.get(waiting.pop(), ()):
                if source not in ending:
                    ending.add(source)
                    waiting.append(source)
        return ending

    def _loops(self) -> None:
        """A loop without a way out never ends; one in which nothing waits runs to the step limit."""
        waiting = {
            node_id
            for node_id, node in self.nodes.items()
            if node.meta.runs is Runs.ON_CALL or node.meta.type == SUBFLOW or type(node).resume is not Node.resume
        }
        ending = self._can_end()
        for component in _cycles(
            {node_id: list(self.edges.get(node_id, {}).values()) for node_id in self.document.nodes}
        ):
            if not component & ending:
                self._tell(
                    "endless_loop",
                    f"循环 {'、'.join(sorted(component))} 没有出路，流程永远不会结束，请添加出口",
                    f"no way leads out of the loop {', '.join(sorted(component))}: the flow never ends; add a way out",
                    node=min(component),
                    severity="warning",
                )
            elif not component & waiting:
                self._tell(
                    "busy_loop",
                    f"循环 {'、'.join(sorted(component))} 中没有等待的步骤，可能一直运行到步数上限",
                    f"nothing waits in the loop {', '.join(sorted(component))}: it may run to the step limit;"
                    " add a waiting step or a way out",
                    node=min(component),
                    severity="warning",
                )


_COMPUTED = object()


def _constant(value: Any) -> Any:
    """The value of an expression that is plainly a constant."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in ("true", "True"):
        return True
    if text in ("false", "False"):
        return False
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,10})?", text):
        return float(text) if "." in text else int(text)
    quoted = re.fullmatch(r"'([^'\\]*)'|\"([^\"\\]*)\"", text)
    if quoted:
        return quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    return _COMPUTED


def _below(output: Output) -> Any:
    """Names below an output are known only to the outside world."""
    return ANY


def _text_parts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, TextPart]]:
    if isinstance(value, TextPart):
        yield ".".join(path), value
        return
    if isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _text_parts(part, (*path, str(index)))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _text_parts(part, (*path, str(key)))
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from _text_parts(getattr(value, name), (*path, name))


def _cycles(graph: dict[str, list[str]]) -> list[set[str]]:
    """Strongly connected parts with a cycle (Tarjan, without recursion: flows may be a thousand nodes deep)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[set[str]] = []
    for root in graph:
        if root in index:
            continue
        work: list[tuple[str, int]] = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                index[node] = low[node] = len(index)
                stack.append(node)
                on_stack.add(node)
            descend = False
            for offset, target in enumerate(graph[node][position:], start=position):
                if target not in graph:
                    continue
                if target not in index:
                    work.append((node, offset + 1))
                    work.append((target, 0))
                    descend = True
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            if descend:
                continue
            if low[node] == index[node]:
                part: set[str] = set()
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    part.add(member)
                    if member == node:
                        break
                if len(part) > 1 or node in graph[node]:
                    found.append(part)
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
    return found
