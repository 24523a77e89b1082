"""The running product, asked over its own API with the token of the home folder."""

from typing import Any

import httpx

from backend.runtime.errors import ProductError
from backend.security import api_token
from backend.settings import Settings


class Remote:
    """GraphQL as the installation's own command line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        host = settings.http_host
        local = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  only compared with
        scheme = "http" if settings.https == "off" else "https"
        self._url = f"{scheme}://{local}:{settings.http_port}/graphql"

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer. Raises `ProductError` with the first error's words."""
        headers = {"authorization": f"Bearer {api_token(self._settings.home)}"}
        try:
            # The connection stays on this machine; the certificate may be the installation's own.
            async with httpx.AsyncClient(verify=False, trust_env=False, timeout=30) as client:  # noqa: S501
                reply = await client.post(self._url, json={"query": query, "variables": variables}, headers=headers)
                answer = reply.json()
        except (httpx.HTTPError, ValueError) as problem:
            raise ProductError(
                f"Callweave does not answer at {self._url}", "Start it with 'callweave up', or see 'callweave status'"
            ) from problem
        errors = answer.get("errors") or []
        if errors:
            raise ProductError(str(errors[0].get("message", "the request failed")))
        return answer.get("data")

    async def place_call(self, number: str, flow: str, alias: str, caller: str) -> str:
        """Dial a number for a flow (``number:<digits>`` for another number); the call's id."""
        data = await self.ask(
            """mutation ($number: String!, $flow: String!, $alias: String!, $caller: String!) {
              placeCall(number: $number, flow: $flow, alias: $alias, caller: $caller) {
                value errors { message { en } remedy { en } }
              }
            }""",
            number=number,
            flow=flow,
            alias=alias,
            caller=caller,
        )
        result = data["placeCall"]
        for problem in result["errors"]:
            raise ProductError(problem["message"]["en"], problem["remedy"]["en"])
        return str(result["value"])
