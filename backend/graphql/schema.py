"""The whole schema, put together from the domains. ``python -m backend.graphql.schema`` exports it."""

import logging
from datetime import datetime
from pathlib import Path

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaskErrors
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from backend.agents.graphql import AgentsMutation, AgentsQuery, AgentsSubscription
from backend.audit.graphql import AuditQuery
from backend.calendars.graphql import CalendarsMutation, CalendarsQuery
from backend.callbacks.graphql import CallbacksMutation, CallbacksQuery
from backend.callcontrol.graphql import CallControlMutation, CallControlQuery, CallControlSubscription
from backend.calls.graphql import CallsMutation, CallsQuery, CallsSubscription
from backend.chat.graphql import ChatMutation, ChatQuery, ChatSubscription
from backend.customers.graphql import CustomersMutation, CustomersQuery
from backend.datasources.graphql import DataSourcesMutation, DataSourcesQuery
from backend.flows.graphql import FlowsMutation, FlowsQuery, FlowsSubscription
from backend.flows.graphql_drawing import DrawingQuery
from backend.flows.graphql_uses import UsesQuery
from backend.graphql.limits import OperationLimits
from backend.graphql.system import SystemQuery
from backend.identity.graphql import IdentityMutation, IdentityQuery
from backend.lists.graphql import ListsMutation, ListsQuery
from backend.messages.graphql import MessagesQuery
from backend.numbers.graphql import NumbersMutation, NumbersQuery
from backend.numbers.graphql_lines import LinesQuery, LinesSubscription
from backend.phones.graphql import PhonesMutation, PhonesQuery
from backend.prompts.graphql import PromptsMutation, PromptsQuery
from backend.queues.graphql import QueuesMutation, QueuesQuery, QueuesSubscription
from backend.recordings.graphql import RecordingsMutation, RecordingsQuery
from backend.simulation.graphql import SimulationMutation, SimulationQuery, SimulationSubscription
from backend.tasks.graphql import TasksMutation, TasksQuery, TasksSubscription
from backend.voicemails.graphql import VoicemailsMutation, VoicemailsQuery, VoicemailsSubscription
from backend.wrapup.graphql import WrapUpMutation, WrapUpQuery

SCHEMA_FILE = Path(__file__).parent.parent / "schema.graphql"
log = logging.getLogger(__name__)

Query = merge_types(
    "Query",
    (
        IdentityQuery,
        FlowsQuery,
        DrawingQuery,
        UsesQuery,
        CallsQuery,
        NumbersQuery,
        LinesQuery,
        PhonesQuery,
        CallControlQuery,
        CustomersQuery,
        RecordingsQuery,
        VoicemailsQuery,
        TasksQuery,
        WrapUpQuery,
        ChatQuery,
        CallbacksQuery,
        PromptsQuery,
        CalendarsQuery,
        ListsQuery,
        DataSourcesQuery,
        MessagesQuery,
        SimulationQuery,
        AgentsQuery,
        QueuesQuery,
        AuditQuery,
        SystemQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        IdentityMutation,
        FlowsMutation,
        CallsMutation,
        NumbersMutation,
        PhonesMutation,
        CallControlMutation,
        CustomersMutation,
        RecordingsMutation,
        VoicemailsMutation,
        TasksMutation,
        WrapUpMutation,
        ChatMutation,
        CallbacksMutation,
        PromptsMutation,
        CalendarsMutation,
        ListsMutation,
        DataSourcesMutation,
        SimulationMutation,
        AgentsMutation,
        QueuesMutation,
    ),
)
Subscription = merge_types(
    "Subscription",
    (
        CallsSubscription,
        CallControlSubscription,
        FlowsSubscription,
        SimulationSubscription,
        VoicemailsSubscription,
        TasksSubscription,
        ChatSubscription,
        AgentsSubscription,
        QueuesSubscription,
        LinesSubscription,
    ),
)


def _is_ours_to_hide(error: GraphQLError) -> bool:
    """An exception that nobody foresaw: its words may hold data, so they go to the log only."""
    hidden = error.original_error is not None and not isinstance(error.original_error, GraphQLError)
    if hidden:
        log.error("GraphQL field %s failed", error.path, exc_info=error.original_error)
    return hidden


def _aware(value: str) -> datetime:
    """Read a time. One without a zone could mean any hour, so it is refused."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"'{value}' is no time: write it as 2026-11-22T09:30:00Z") from None
    if found.tzinfo is None:
        raise GraphQLError(f"'{value}' has no time zone: write it as 2026-11-22T09:30:00Z")
    if not 1900 <= found.year <= 9000:
        # Nearer to the ends of the calendar another zone or a day more is out of every database's range.
        raise GraphQLError(f"'{value}' is no time that can be meant: use a year from 1900 to 9000")
    return found


DateTime = strawberry.scalar(
    name="DateTime",
    description="A time with its zone, ISO 8601; answers are in UTC.",
    serialize=lambda value: value.isoformat(),
    parse_value=_aware,
)


class _Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Refusals are answers, not incidents; what nobody foresaw is logged by `_is_ours_to_hide`."""


schema = _Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(auto_camel_case=True, scalar_map={datetime: DateTime}),
    extensions=[
        OperationLimits,
        lambda: MaskErrors(should_mask_error=_is_ours_to_hide, error_message="internal error; see the server's log"),
    ],
)


def schema_text() -> str:
    """The schema in GraphQL's own language."""
    return schema.as_str() + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
