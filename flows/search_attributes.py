"""The search attributes of runs: ops filter by them in Temporal's own UI. Optional: a setting switches them on."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from flows.task import FlowStart

FLOW = SearchAttributeKey.for_keyword("CallweaveFlow")
VERSION = SearchAttributeKey.for_int("CallweaveVersion")
KIND = SearchAttributeKey.for_keyword("CallweaveKind")
BUSINESS = SearchAttributeKey.for_keyword("CallweaveBusiness")
CALL = SearchAttributeKey.for_keyword("CallweaveCall")
CAMPAIGN = SearchAttributeKey.for_keyword("CallweaveCampaign")
OUTCOME = SearchAttributeKey.for_keyword("CallweaveOutcome")

SERVER_FLAGS: tuple[str, ...] = tuple(
    f"{key.name}={'Int' if key is VERSION else 'Keyword'}"
    for key in (FLOW, VERSION, KIND, BUSINESS, CALL, CAMPAIGN, OUTCOME)
)
"""Values of ``--search-attribute`` for a development server."""


def of_start(start: FlowStart) -> TypedSearchAttributes:
    """The attributes a run begins with."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[int]] = [
        SearchAttributePair(FLOW, start.flow_id),
        SearchAttributePair(VERSION, start.version),
        SearchAttributePair(KIND, start.kind),
        SearchAttributePair(BUSINESS, start.business_id),
    ]
    if start.call is not None:
        pairs.append(SearchAttributePair(CALL, start.call.id))
    if start.campaign:
        pairs.append(SearchAttributePair(CAMPAIGN, start.campaign))
    return TypedSearchAttributes(pairs)
