"""Whatever GraphQL is asked, the API answers: no failure of the server, nothing of its inside, and it goes on.

Operations are made by schemathesis from the schema; a second test asks with texts that are hardly GraphQL at all.
"""

import asyncio
import json
import logging
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case
from schemathesis.core.result import Ok

from backend.app import create_app
from backend.graphql.schema import SCHEMA_FILE
from backend.settings import Settings
from backend.state import AppState

INSIDE = re.compile(r"Traceback|File \\?\"|\.py\b|sqlalchemy\.|sqlite3\.|asyncpg\.|0x[0-9a-f]{8}|object at ", re.I)
"""What only the inside of the server would say."""

TIMES = st.sampled_from(
    ["2026-11-24T09:30:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-14:00", "2026-11-24", "", "now", "\0"]
)
schemathesis.graphql.scalar("DateTime", TIMES.map(schemathesis.graphql.nodes.String))
schemathesis.graphql.scalar(
    "JSON",
    st.one_of(
        st.just(schemathesis.graphql.nodes.Null),
        st.integers(-(2**40), 2**40).map(schemathesis.graphql.nodes.Int),
        st.text(max_size=10).map(schemathesis.graphql.nodes.String),
        st.just(schemathesis.graphql.nodes.Object(fields=[])),
    ),
)

QUIET = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


class Api:
    """The real application over a fresh installation, asked as its own command line."""

    def __init__(self, runner: asyncio.Runner, state: AppState, caplog: pytest.LogCaptureFixture) -> None:
        self._runner = runner
        self._caplog = caplog
        self._transport = httpx.ASGITransport(app=create_app(state))
        self._headers = {"authorization": f"Bearer {state.token}", "x-callweave": "1"}
        self.failures: dict[str, str] = {}

    def post(self, content: bytes) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://testserver") as client:
                headers = {**self._headers, "content-type": "application/json"}
                async with asyncio.timeout(20):
                    return await client.post("/graphql", content=content, headers=headers)

        return self._runner.run(send())

    def ask(self, what: str, query: str, variables: Any = None) -> None:
        """Ask, and keep what the answer should not be."""
        self._caplog.clear()
        body = json.dumps({"query": query, "variables": variables})
        try:
            reply = self.post(body.encode("utf-8", "surrogatepass"))
        except Exception as error:
            self.failures.setdefault(what, f"raised {error!r} for {query[:500]}")
            return
        problem = ""
        if reply.status_code >= 500:
            problem = f"status {reply.status_code}"
        elif "internal error" in reply.text:
            logged = [record.exc_info[1] for record in self._caplog.records if record.exc_info]
            problem = f"an exception that nobody foresaw: {logged!r}"
        elif found := INSIDE.search(_without_echo(reply.text, query)):
            problem = f"the answer tells of the inside: {found.group()!r} in {reply.text[:300]}"
        if problem:
            self.failures.setdefault(what, f"{problem} for {query[:500]} {json.dumps(variables)[:300]}")


def _without_echo(answer: str, query: str) -> str:
    """The answer without the strings that were sent: they come back in refusals."""
    for sent in re.findall(r'"((?:[^"\\]|\\.)*)"', query):
        if len(sent) > 2:
            answer = answer.replace(sent, "").replace(sent.encode().decode("unicode_escape", "ignore"), "")
    return answer


@pytest.fixture
def api(tmp_path: Path, installation: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Api]:
    home = tmp_path / "home"
    shutil.copytree(installation, home)
    caplog.set_level(logging.ERROR)

    @asynccontextmanager
    async def opened() -> AsyncIterator[AppState]:
        state = AppState.of(Settings(home=home, timezone="Asia/Shanghai"))
        yield state
        await state.close()

    with asyncio.Runner() as runner:
        context = opened()
        state = runner.run(context.__aenter__())
        yield Api(runner, state, caplog)
        runner.run(context.__aexit__(None, None, None))


def operations() -> list[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.graphql.from_path(str(SCHEMA_FILE))
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def ask_everything(api: Api, examples: int) -> None:
    asked = 0
    for operation in operations():

        @given(operation.as_strategy())
        @settings(QUIET, max_examples=examples)
        def ask(case: Case[Any]) -> None:
            nonlocal asked
            asked += 1
            assert isinstance(case.body, str)
            api.ask(case.operation.label, case.body)

        ask()
    assert asked > 90, "the schema has that many fields"
    assert not api.failures, "\n".join(f"{what}: {why}" for what, why in api.failures.items())
    alive = api.post(b'{"query": "{ me { name } }"}').json()
    assert alive["data"] is not None


def test_every_field_answers_whatever_it_is_asked(api: Api) -> None:
    ask_everything(api, 2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_field_answers_many_questions(api: Api) -> None:
    ask_everything(api, 300)


def query(text: str) -> bytes:
    return json.dumps({"query": text}).encode()


NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "a number": b"5",
    "null": b"null",
    "no query": b"{}",
    "query of another type": b'{"query": 5}',
    "variables of another type": b'{"query": "{ me { name } }", "variables": [1]}',
    "variables as text": b'{"query": "{ me { name } }", "variables": "x"}',
    "name of another type": b'{"query": "{ me { name } }", "operationName": {}}',
    "unknown operation": b'{"query": "{ me { name } }", "operationName": "x"}',
    "no text": b'{"query": "\xff\xfe"}',
    "lone surrogate": b'{"query": "{ calls(number: \\"\\ud800\\") { nodes { id } } }"}',
    "surrogate in a variable": b'{"query": "query($n: String) { calls(number: $n) { nodes { id } } }", '
    b'"variables": {"n": "\\ud800"}}',
    "deep JSON": b"[" * 100_000,
    "deep query": query("{ a" * 5_000),
    "deep list": query("{ call(id: " + "[" * 5_000 + ") { id } }"),
    "many aliases": query("{" + " ".join(f"a{n}: me {{ name }}" for n in range(5_000)) + "}"),
    "fragment in itself": query("{ me { ...a } } fragment a on Me { ...a }"),
    "many fragments": query(
        "{ me { ...f0 } }"
        + "".join(f"fragment f{n} on Me {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
        + "fragment f40 on Me { name }"
    ),
    "endless number": query("{ calls(first: " + "9" * 5_000 + ") { nodes { id } } }"),
    "deep introspection": query("{ __schema { types { " + "fields { type { " * 12 + "name" + " } }" * 12 + " } } }"),
    "a batch": b'[{"query": "{ me { name } }"}]',
}


def test_what_is_hardly_graphql_is_refused(api: Api) -> None:
    for what, body in NONSENSE.items():
        began = time.monotonic()
        try:
            reply = api.post(body)
        except Exception as error:
            api.failures[what] = f"raised {error!r}"[:500]
            continue
        if reply.status_code >= 500 or "internal error" in reply.text or INSIDE.search(reply.text):
            api.failures[what] = f"status {reply.status_code}: {reply.text[:300]}"
        elif time.monotonic() - began > 60:
            api.failures[what] = f"took {time.monotonic() - began:.1f} s"
    assert not api.failures, "\n".join(f"{what}: {why}" for what, why in api.failures.items())
    assert api.post(b'{"query": "{ me { name } }"}').json()["data"] is not None
