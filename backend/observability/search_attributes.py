"""The search attributes of runs are known to Temporal before the first run starts.

A private server learns them from its command line. A cluster, or a server from an earlier version, is told here.
"""

import asyncio
import logging
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from flows.search_attributes import SERVER_FLAGS

log = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
}
WANTED: dict[str, str] = dict(flag.split("=") for flag in SERVER_FLAGS)
"""Type by name."""


async def missing(client: Client) -> dict[str, str]:
    """The attributes that the namespace lacks, with their types. Raises RPCError."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=timedelta(seconds=5)
    )
    return {name: kind for name, kind in WANTED.items() if name not in known.custom_attributes}


async def register(client: Client) -> bool:
    """Make what is missing; whether all are there now. What cannot be made is told with the remedy."""
    try:
        lacking = await missing(client)
        if not lacking:
            return True
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: _TYPES[kind] for name, kind in lacking.items()},
            ),
            timeout=timedelta(seconds=10),
        )
        async with asyncio.timeout(WAIT_SECONDS):
            while await missing(client):  # noqa: ASYNC110  Temporal tells nobody when it is ready
                await asyncio.sleep(0.2)
    except (RPCError, RuntimeError, TimeoutError) as problem:
        remedy = "; ".join(
            f"temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {kind}"
            for name, kind in WANTED.items()
        )
        log.error(
            "Temporal's search attributes cannot be checked or made (%s): without them no flow starts. "
            "Make those that are missing by hand: %s",
            str(problem) or type(problem).__name__,
            remedy,
        )
        return False
    log.info("Temporal knows the search attributes %s now", ", ".join(lacking))
    return True
