"""Data scopes of own roles (AD1): everybody sees just the data of those within their reach, in every room."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.agents.models import Agent, AgentStateLog
from backend.calls.models import Call, Leg, Run
from backend.customers.models import Customer, CustomerPhone
from backend.database import utcnow, write
from backend.identity.scope import Scope, people_of, sees
from backend.identity.test_identity import CREATE, STRONG
from backend.recordings.models import Recording
from backend.state import AppState
from backend.tasks.models import Task
from backend.testing import ApiClient
from backend.voicemails.models import Voicemail, VoicemailBox

TEAMS = {"ann": "red", "bob": "red", "cat": "blue"}
REACH = {"own": {"ann"}, "group": {"ann", "bob"}, "all": {"ann", "bob", "cat"}}
RIGHTS = [
    *("calls.read", "calls.note", "recordings.own", "recordings.listen", "recordings.delete", "voicemails.handle"),
    *("voicemails.all", "tasks.handle", "tasks.all", "customers.read", "customers.edit", "customers.numbers"),
    *("floor.watch", "floor.act", "calls.supervise", "flows.read"),
]
SAVE = """mutation($t: String!, $p: [String!]!, $s: String, $n: String) {
  saveRole(title: $t, permissions: $p, scope: $s, name: $n) {
    value { name scope } errors { code field message { en } } } }"""
LISTS = """{
  calls(first: 9) { nodes { id } } liveCalls { id } runs(first: 9) { nodes { id } }
  recordings(first: 9) { nodes { id } } voicemails(first: 9) { nodes { id } }
  tasks(first: 9, filter: {mine: false}) { nodes { id } } customers(first: 9) { nodes { id } }
  agents { userId } agentsLive { userId } agentStateLog(first: 9) { nodes { userId } } }"""


@pytest.mark.parametrize(("scope", "people"), [("own", {"ann"}), ("group", {"ann", "bob"}), ("all", None)])
def test_a_scope_comes_to_people(scope: str, people: set[str] | None) -> None:
    assert people_of(Scope(scope), "ann", ["ann", "bob"]) == people
    assert people_of(Scope.OWN, None) == frozenset(), "who is nobody sees nothing"


def test_a_row_is_seen_by_those_it_belongs_to() -> None:
    ann = people_of(Scope.OWN, "ann")
    assert sees(ann, "bob", "ann") and not sees(ann, "bob", None) and not sees(ann)
    assert sees(None) and sees(None, "bob")


@pytest.fixture
async def users(state: AppState, client: ApiClient) -> dict[str, str]:
    """Ann and Bob of one team, Cat of another; each with one of everything. Their ids by name."""
    found = {name: (await client.change(CREATE, n=name, p=STRONG, r="agent"))["id"] for name in TEAMS}
    now = utcnow()
    async with write(state.db) as session:
        for at, (name, id) in enumerate(found.items()):
            own: dict[str, Any] = {"business_id": "main"}
            number = f"+861380000000{at}"
            session.add(Agent(user_id=id, team=TEAMS[name], **own))
            session.add(AgentStateLog(user_id=id, state="ready", began_at=now, **own))
            session.add(VoicemailBox(name=f"box-{name}", members=[id], **own))
            session.add(Customer(id=f"customer-{name}", name=name, **own))
            await session.flush()
            session.add(CustomerPhone(customer_id=f"customer-{name}", number=number, **own))
            # The call is not tied to the customer yet: the number tells.
            session.add(Call(id=f"call-{name}", caller=number, state="up", **own))
            await session.flush()
            session.add(Leg(call_id=f"call-{name}", user_id=id, state="up", **own))
            session.add(Run(id=f"run-{name}", flow_key="f", flow_version=1, call_id=f"call-{name}", **own))
            session.add(Recording(id=f"recording-{name}", key=name, path=f"{name}.wav", agent_id=id, **own))
            for who, given in (("given", {"assigned_to": id}), ("free", {})):
                box = f"box-{name}"
                session.add(Voicemail(id=f"{who}-{name}", key=f"{who}{name}", box=box, path="x.wav", **given, **own))
            session.add(Task(id=f"task-{name}", key=name, assignee=id, **own))
    return found


async def role(client: ApiClient, scope: str) -> str:
    return str((await client.change(SAVE, t=f"Reads {scope}", p=RIGHTS, s=scope))["name"])


async def become(client: ApiClient, user: str, role: str) -> None:
    asked = "mutation($i: String!, $r: String!) { updateUser(id: $i, role: $r) { errors { code message { en } } } }"
    await client.change(asked, i=user, r=role)


@pytest.mark.parametrize("scope", ["own", "group", "all"])
async def test_each_room_shows_what_is_within_reach(
    client: ApiClient, new_client: Callable[[], ApiClient], users: dict[str, str], scope: str
) -> None:
    await become(client, users["ann"], await role(client, scope))
    ann = new_client()
    await ann.sign_in("ann", STRONG)
    names = {id: name for name, id in users.items()}
    told = await ann.ask(LISTS)
    for room, found in told.items():
        rows = found["nodes"] if isinstance(found, dict) else found
        seen = {names.get(row.get("userId", ""), row.get("id", "").rpartition("-")[2]) for row in rows}
        assert seen == REACH[scope], room
    # Nor is anything reached by its name, or changed.
    note = 'mutation($i: String!) { noteCall(id: $i, note: "x") { errors { code } } }'
    keep = "mutation($i: String!) { keepRecording(id: $i, kept: true) { errors { code } } }"
    hear = 'mutation($i: String!) { setVoicemailState(id: $i, state: "heard") { errors { code } } }'
    put = 'mutation($i: String!) { saveCustomer(id: $i, input: {note: "x"}) { errors { code } } }'
    force = 'mutation($i: String!) { forceAgentState(userId: $i, state: "ready") { errors { code } } }'
    for name, id in users.items():
        mine = name in REACH[scope]
        for kind in ("call", "run", "task", "customer", "voicemail"):
            row = f"given-{name}" if kind == "voicemail" else f"{kind}-{name}"
            answer = await ann.raw(f"query($i: String!) {{ {kind}(id: $i) {{ id }} }}", i=row)
            assert ("errors" not in answer) == mine, (kind, name)
        # The file itself is not there: what counts is whether it would be given.
        assert ((await ann.get(f"/files/recordings/recording-{name}")).status_code == 404) == mine
        deeds = ((note, f"call-{name}"), (keep, f"recording-{name}"), (put, f"customer-{name}"), (force, id))
        for deed, row in (*deeds, (hear, f"free-{name}")):
            (result,) = (await ann.ask(deed, i=row)).values()
            assert [one["code"] for one in result["errors"]] == ([] if mine else ["not_found"]), (deed, name)


async def test_whoever_changes_the_team_sees_the_new_one(
    state: AppState, client: ApiClient, new_client: Callable[[], ApiClient], users: dict[str, str]
) -> None:
    await become(client, users["ann"], await role(client, "group"))
    ann = new_client()
    await ann.sign_in("ann", STRONG)
    async with write(state.db) as session:
        row = await session.get(Agent, users["ann"])
        assert row is not None
        row.team = "blue"
    told = await ann.ask("{ calls { nodes { id } } }")
    assert {one["id"] for one in told["calls"]["nodes"]} == {"call-ann", "call-cat"}
    async with write(state.db) as session:
        row = await session.get(Agent, users["ann"])
        assert row is not None
        row.team = ""
    told = await ann.ask("{ calls { nodes { id } } }")
    assert {one["id"] for one in told["calls"]["nodes"]} == {"call-ann"}, "no team is not a team of all without one"


async def test_a_role_keeps_its_scope_and_gives_none_wider_than_ones_own(
    client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    assert (await client.change(SAVE, t="Wide", p=["calls.read"]))["scope"] == "all"
    mine = await client.change(SAVE, t="Keeper", p=["users.manage"], s="own")
    assert (await client.change(SAVE, t="Keeper", p=["users.manage"], n=mine["name"]))["scope"] == "own"
    assert (await client.refusal(SAVE, t="Odd", p=["calls.read"], s="most"))["field"] == "scope"
    await client.change(CREATE, n="keeper", p=STRONG, r=mine["name"])
    keeper = new_client()
    await keeper.sign_in("keeper", STRONG)
    refused = await keeper.refusal(SAVE, t="More", p=["users.manage"], s="group")
    assert (refused["code"], refused["field"]) == ("forbidden", "scope")
    assert (await keeper.change(SAVE, t="As much", p=["users.manage"], s="own"))["scope"] == "own"
