"""Limits on what one operation may ask: depth, and cost by the rows it can bring."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    VariableNode,
    get_named_type,
)
from strawberry.extensions import SchemaExtension

MAX_DEPTH = 10
MAX_COST = 50_000
MAX_FIELDS = 1_000
PLAIN_LIST = 10
DEFAULT_PAGE = 50


def limit_rule(variables: Mapping[str, Any]) -> type[ValidationRule]:
    """A validation rule for one operation's variables."""

    class Limits(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._fields = 0

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            schema = self.context.schema
            root = {
                OperationType.QUERY: schema.query_type,
                OperationType.MUTATION: schema.mutation_type,
                OperationType.SUBSCRIPTION: schema.subscription_type,
            }[node.operation]
            try:
                cost = self._cost(node.selection_set, root, 1, ())
            except _TooMuchError as error:
                self.report_error(GraphQLError(str(error), node, extensions={"code": "too_complex"}))
                return
            if cost > MAX_COST:
                self.report_error(
                    GraphQLError(
                        f"the operation costs {cost}, the limit is {MAX_COST}: ask for smaller pages or fewer lists",
                        node,
                        extensions={"code": "too_complex"},
                    )
                )

        def _cost(self, chosen: SelectionSetNode, parent: Any, depth: int, spread: tuple[str, ...]) -> int:
            if depth > MAX_DEPTH:
                raise _TooMuchError(f"the operation is nested deeper than {MAX_DEPTH} levels")
            total = 0
            for selection in chosen.selections:
                if isinstance(selection, FieldNode):
                    total += self._field_cost(selection, parent, depth, spread)
                elif isinstance(selection, InlineFragmentNode):
                    name = selection.type_condition.name.value if selection.type_condition else None
                    kind = self.context.schema.get_type(name) if name else parent
                    total += self._cost(selection.selection_set, kind, depth, spread)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
                    # A fragment inside itself is another rule's finding.
                    if fragment is not None and name not in spread:
                        kind = self.context.schema.get_type(fragment.type_condition.name.value)
                        total += self._cost(fragment.selection_set, kind, depth, (*spread, name))
            return total

        def _field_cost(self, node: FieldNode, parent: Any, depth: int, spread: tuple[str, ...]) -> int:
            name = node.name.value
            if name.startswith("__"):
                return 0
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise _TooMuchError(f"the operation names more than {MAX_FIELDS} fields")
            field = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
            if field is None or node.selection_set is None:
                return 1
            inner = self._cost(node.selection_set, get_named_type(field.type), depth + 1, spread)
            return 1 + _rows(node, field, variables) * inner

    return Limits


class _TooMuchError(Exception):
    pass


def _rows(node: FieldNode, field: GraphQLField, variables: Mapping[str, Any]) -> int:
    if "first" in field.args:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                if isinstance(value, IntValueNode):
                    return max(1, int(value.value))
                if isinstance(value, VariableNode):
                    given = variables.get(value.name.value, DEFAULT_PAGE)
                    return max(1, given) if isinstance(given, int) else DEFAULT_PAGE
        return DEFAULT_PAGE
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    # The rows of a page are counted where the page is asked for.
    return PLAIN_LIST if isinstance(kind, GraphQLList) and node.name.value != "nodes" else 1


class OperationLimits(SchemaExtension):
    """Refuses operations that are too deep or too costly, before anything runs."""

    def on_operation(self) -> Iterator[None]:
        variables = self.execution_context.variables or {}
        self.execution_context.validation_rules = (
            *self.execution_context.validation_rules,
            limit_rule(variables),
        )
        yield
