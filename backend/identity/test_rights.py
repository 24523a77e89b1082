"""What is open already follows every change of its owner's rights: the page connects again, with those of now."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from backend.calls.test_calls import Stream, serving, streaming
from backend.database import write
from backend.identity.permissions import Actor
from backend.identity.rights import rights_changed
from backend.identity.service import actor_of_token
from backend.identity.test_identity import CREATE, STRONG
from backend.identity.test_scope import become, role
from backend.phones.proxy import SIGNED_OUT, _signed_out
from backend.state import AppState
from backend.testing import ApiClient

WALL = "subscription { floor { full agents { userId } } }"
MOVE = """mutation($u: [String!]!, $t: String!) {
  moveAgents(userIds: $u, team: $t) { errors { code message { en } } } }"""
SWITCH = "mutation($i: String!, $a: Boolean!) { updateUser(id: $i, active: $a) { errors { code } } }"


async def agents_of(client: ApiClient, state: AppState) -> dict[str, str]:
    """Ann and Bob in the red team, Cat in the blue one; their ids by name."""
    found = {}
    for at, name in enumerate(("ann", "bob", "cat")):
        found[name] = (await client.change(CREATE, n=name, p=STRONG, r="agent"))["id"]
        await client.change(
            "mutation($n: String!) { saveExtension(number: $n) { errors { code message { en } } } }", n=f"800{at}"
        )
        await client.change(
            "mutation($u: String!, $e: String!) { saveAgent(userId: $u, agent: {extension: $e}) { errors { code } } }",
            u=found[name],
            e=f"800{at}",
        )
    for team, names in (("red", ("ann", "bob")), ("blue", ("cat",))):
        await client.change("mutation($k: String!) { saveTeam(key: $k, name: $k) { errors { code } } }", k=team)
        await client.change(MOVE, u=[found[name] for name in names], t=team)
    return found


def cookie(client: ApiClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def test_a_wall_follows_the_team_of_whoever_looks_at_it(
    state: AppState, app: FastAPI, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    users = await agents_of(client, state)
    await become(client, users["ann"], await role(client, "group"))
    ann, bob = new_client(), new_client()
    await ann.sign_in("ann", STRONG)
    await become(client, users["bob"], "supervisor")
    await bob.sign_in("bob", STRONG)

    async def seen(stream: Stream) -> set[str]:
        names = {id: name for name, id in users.items()}
        return {names[one["userId"]] for one in (await stream.next())["data"]["floor"]["agents"]}

    async with serving(app) as port, streaming(port, WALL, cookie=cookie(bob)) as whole:
        assert await seen(whole) == {"ann", "bob", "cat"}
        async with streaming(port, WALL, cookie=cookie(ann)) as wall:
            assert await seen(wall) == {"ann", "bob"}
            await client.change(MOVE, u=[users["ann"]], t="blue")
            assert await wall.closed() == 1012
        async with streaming(port, WALL, cookie=cookie(ann)) as wall:
            assert await seen(wall) == {"ann", "cat"}
            # Whoever comes into the team is seen as well.
            await client.change(MOVE, u=[users["bob"]], t="blue")
            assert await wall.closed() == 1012
        # Who reaches everybody's data is not disturbed by any of this.
        changed = await seen(whole)
        assert changed <= {"ann", "bob", "cat"}


async def test_whoever_is_switched_off_loses_the_line_at_once_and_nobody_else_does(
    state: AppState, app: FastAPI, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    users = await agents_of(client, state)
    mine = "subscription { myAgentChanges { userId } }"
    ann, elsewhere, bob = new_client(), new_client(), new_client()
    for one, name in ((ann, "ann"), (elsewhere, "ann"), (bob, "bob")):
        await one.sign_in(name, STRONG)
    async with (
        serving(app) as port,
        streaming(port, mine, cookie=cookie(bob)) as other,
        streaming(port, mine, cookie=cookie(ann)) as line,
        streaming(port, mine, cookie=cookie(elsewhere)) as second,
    ):
        for stream in (other, line, second):
            assert (await stream.next())["data"]["myAgentChanges"]
        # The end of one session leaves the other one of the same person alone.
        await elsewhere.change("mutation { logout { errors { code } } }")
        assert await second.closed() == 1012 and line.open
        await client.change(SWITCH, i=users["ann"], a=False)
        assert await line.closed() == 1012
        async with streaming(port, mine, cookie=cookie(ann)) as again:
            assert (await again.next())["errors"][0]["extensions"]["code"] == "unauthenticated"
        assert other.open


async def test_a_phone_in_a_browser_ends_with_the_session(
    state: AppState, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    users = await agents_of(client, state)
    ann = new_client()
    await ann.sign_in("ann", STRONG)
    (token,) = ann.cookies.values()

    async def who() -> Actor | None:
        return await actor_of_token(state.db, token, hours=1)

    actor = await who()
    assert actor is not None
    ended = asyncio.create_task(_signed_out(state, actor, who))
    async with write(state.db) as session:
        rights_changed(session, "main", users["ann"])
    await asyncio.sleep(0.2)
    assert not ended.done(), "nothing has changed for her"
    await client.change(SWITCH, i=users["ann"], a=False)
    assert await asyncio.wait_for(ended, 5) == SIGNED_OUT
