"""Helpers for tests of the API."""

from typing import Any

import httpx
from fastapi import FastAPI

ADMIN_PASSWORD = "orbit-lantern-4711"  # noqa: S105 - for tests


class ApiClient(httpx.AsyncClient):
    """An HTTP client of the application in this process, with our header set."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app=app), base_url="http://testserver", headers={"x-callweave": "1"}
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation; an error fails the test."""
        answer = await self.raw(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def change(self, query: str, **variables: Any) -> Any:
        """The value of a mutation's one result; a refusal fails the test."""
        (result,) = (await self.ask(query, **variables)).values()
        assert result["errors"] == [], result["errors"]
        return result.get("value")

    async def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """The code of the refusal: of a top-level error, or of a mutation's first user error."""
        answer = await self.raw(query, **variables)
        if "errors" in answer:
            found: dict[str, Any] = answer["errors"][0].get("extensions", {})
            return found
        (result,) = answer["data"].values()
        assert result["errors"], result
        first: dict[str, Any] = result["errors"][0]
        return first

    async def raw(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        response = await self.post("/graphql", json={"query": query, "variables": variables})
        answer: dict[str, Any] = response.json()
        return answer

    async def sign_in(self, name: str, password: str) -> None:
        """Begin a session; the cookie stays in this client."""
        await self.change(
            "mutation($n: String!, $p: String!) { login(name: $n, password: $p) { value { name } errors { code } } }",
            n=name,
            p=password,
        )
