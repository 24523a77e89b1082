"""What an editor asks while a flow is drawn."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.flows import drawing
from backend.flows.graphql import FlowProblem
from backend.graphql.base import Info, Words, query
from backend.identity.permissions import Permission
from flows.document import Variable
from flows.expression_help import FILTER_HELP, TEST_HELP, Help
from nodes.sdk.node import ERROR_PORT, HANGUP_PORT, Output, Port


@strawberry.input(description="A node as it stands in the editor; id comes back with its shape.")
class NodeShapeInput:
    type: str
    config: JSON
    id: str = ""
    version: int | None = None


@strawberry.type(name="NodePort", description="A way out; role is own, error or hangup.")
class NodePortType:
    name: str
    title: Words
    required: bool
    role: str

    @classmethod
    def of(cls, port: Port) -> "NodePortType":
        role = {ERROR_PORT.name: "error", HANGUP_PORT.name: "hangup"}.get(port.name, "own")
        return cls(name=port.name, title=Words.of(port.title), required=port.required, role=role)


@strawberry.type(name="NodeOutput", description="A value that a node leaves behind.")
class NodeOutputType:
    name: str
    type: str
    title: Words
    secret: bool

    @classmethod
    def of(cls, output: Output) -> "NodeOutputType":
        return cls(name=output.name, type=output.type, title=Words.of(output.title), secret=output.secret)


@strawberry.type(name="FlowVariable", description="A typed input, output or variable of a flow.")
class FlowVariableType:
    name: str
    type: str
    title: str
    required: bool
    secret: bool
    default: JSON | None

    @classmethod
    def of(cls, variable: Variable) -> "FlowVariableType":
        default: Any = variable.default
        return cls(
            name=variable.name,
            type=variable.type,
            title=variable.title,
            required=variable.required,
            secret=variable.secret,
            default=JSON(default) if default is not None else None,
        )


@strawberry.type(name="NodeShape", description="What a node looks like with its config, sound or not.")
class NodeShapeType:
    id: str
    type: str
    known: bool = strawberry.field(description="False when the node type is not installed.")
    sound: bool = strawberry.field(description="Whether the config validates.")
    ports: list[NodePortType]
    outputs: list[NodeOutputType]
    summary: Words = strawberry.field(description="One line of what it does.")
    problems: list[FlowProblem]
    inputs: list[FlowVariableType] | None = strawberry.field(description="Of a subflow node: what its flow takes.")
    runs: str | None = strawberry.field(description="Of a subflow node: key@version that it runs now.")

    @classmethod
    def of(cls, drawn: drawing.Drawn) -> "NodeShapeType":
        shape = drawn.shape
        return cls(
            id=drawn.id,
            type=drawn.type,
            known=shape is not None,
            sound=shape is not None and shape.sound,
            ports=[NodePortType.of(port) for port in (shape.ports if shape is not None else ())],
            outputs=[NodeOutputType.of(output) for output in (shape.outputs if shape is not None else ())],
            summary=Words.of(shape.summary) if shape is not None else Words(zh="", en=""),
            problems=[FlowProblem.of(found) for found in (shape.problems if shape is not None else ())],
            inputs=[FlowVariableType.of(one) for one in drawn.inputs] if drawn.inputs is not None else None,
            runs=drawn.runs,
        )


@strawberry.type(name="ExpressionName", description="A name that an expression may use.")
class ExpressionNameType:
    path: str
    kind: str = strawberry.field(description="variable, input, output, call, customer, node or time.")
    type: str
    title: Words
    node: str | None
    secret: bool


@strawberry.type(name="ExpressionHelp", description="A filter or test with an example and what that gives.")
class ExpressionHelpType:
    name: str
    title: Words
    example: str
    gives: str

    @classmethod
    def of(cls, help: Help) -> "ExpressionHelpType":
        return cls(name=help.name, title=Words.of(help.title), example=help.example, gives=help.gives)


@strawberry.type(name="ExpressionScope", description="What an expression at a node may use.")
class ExpressionScopeType:
    names: list[ExpressionNameType]
    filters: list[ExpressionHelpType]
    tests: list[ExpressionHelpType]


@strawberry.type(name="ExpressionProblem", description="Something wrong, from character start up to end.")
class ExpressionProblemType:
    code: str
    message: Words
    start: int
    end: int


@strawberry.type(name="ExpressionPreview", description="What an expression came to with the values of a run.")
class ExpressionPreviewType:
    run_id: str
    call_id: str | None
    at: datetime
    value: JSON | None
    text: str
    problem: Words | None


@strawberry.type
class DrawingQuery:
    @query(Permission.FLOWS_READ, "Ports, outputs and a line for many nodes; also for configs that are half-written.")
    async def node_shapes(self, info: Info, nodes: list[NodeShapeInput]) -> list[NodeShapeType]:
        asked = [
            drawing.Asked(one.id, one.type, one.version, one.config if isinstance(one.config, dict) else {})
            for one in nodes
        ]
        found = await drawing.shapes(info.context.state.db, info.context.actor.business_id, asked)
        return [NodeShapeType.of(drawn) for drawn in found]

    @query(Permission.FLOWS_READ, "What an expression at a node may use; of a document, or of the draft of a key.")
    async def expression_scope(
        self, info: Info, document: JSON | None = None, key: str | None = None, node: str | None = None
    ) -> ExpressionScopeType:
        db, business = info.context.state.db, info.context.actor.business_id
        found = await drawing.expression_scope(
            db, business, await drawing.document_of(db, business, document, key), node
        )
        return ExpressionScopeType(
            names=[
                ExpressionNameType(
                    path=one.path,
                    kind=one.kind,
                    type=one.type,
                    title=Words.of(one.title),
                    node=one.node,
                    secret=one.secret,
                )
                for one in found
            ],
            filters=[ExpressionHelpType.of(one) for one in FILTER_HELP],
            tests=[ExpressionHelpType.of(one) for one in TEST_HELP],
        )

    @query(Permission.FLOWS_READ, "What is wrong with an expression (or a template) that is being typed, and where.")
    async def check_expression(
        self, info: Info, text: str, template: bool = False, document: JSON | None = None, key: str | None = None
    ) -> list[ExpressionProblemType]:
        db, business = info.context.state.db, info.context.actor.business_id
        found = await drawing.check_expression(
            db, business, await drawing.document_of(db, business, document, key), text, template=template
        )
        return [
            ExpressionProblemType(
                code=one.problem.code, message=Words.of(one.problem.message), start=one.start, end=one.end
            )
            for one in found
        ]

    @query(
        Permission.CALLS_READ, "What an expression came to in the last run of the node, or in one run; null if none."
    )
    async def preview_expression(
        self, info: Info, key: str, node: str, text: str, template: bool = False, run_id: str | None = None
    ) -> ExpressionPreviewType | None:
        found = await drawing.preview(
            info.context.state.db,
            info.context.actor.business_id,
            key,
            node,
            text,
            template=template,
            run_id=run_id,
        )
        if found is None:
            return None
        return ExpressionPreviewType(
            run_id=found.run_id,
            call_id=found.call_id,
            at=found.at,
            value=JSON(found.value) if found.value is not None else None,
            text=found.text,
            problem=Words.of(found.problem) if found.problem is not None else None,
        )
