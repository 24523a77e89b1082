"""Sign-in, lock-out, roles, password rules."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from backend.audit.service import check_chain
from backend.database import locked, read, utcnow, write
from backend.errors import ConflictError, InvalidError, UnauthenticatedError
from backend.identity import service
from backend.identity.models import User, UserSession
from backend.identity.passwords import check_password, make_password
from backend.identity.permissions import ROLES, Actor, Permission, Role
from backend.state import AppState
from backend.testing import ADMIN_PASSWORD, ApiClient

CREATE = """mutation($n: String!, $p: String!, $r: String!) {
  createUser(name: $n, password: $p, role: $r, mustChangePassword: false) {
    value { id role } errors { code field } } }"""
STRONG = "meadow-river-2093"


async def test_the_first_administrator_is_made_once(state: AppState) -> None:
    again = await service.ensure_first_admin(state.db, state.settings)
    assert not again.created and again.password is None
    assert await service.count_users(state.db) == 1


@pytest.mark.parametrize(
    "weak",
    ["short-1", "onlylettershere", "1234567890123", "aaaa1111aaaa", "carla-2026-xx", "alrac-2026-yy", "Password2026!",
     "P@ssw0rd12345", "qwertyuiop12", "abcdefgh1234"],
)  # fmt: skip
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_password(weak, "carla")
    assert refused.value.code == "weak_password" and refused.value.remedy.zh


def test_made_passwords_are_strong() -> None:
    for _ in range(50):
        check_password(make_password(), "admin")


async def test_five_wrong_passwords_lock_the_account(state: AppState, actor: Actor) -> None:
    async def attempt(password: str) -> None:
        await service.sign_in(state.db, name="admin", password=password, hours=1)

    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            await attempt("wrong-wrong-1")
    with pytest.raises(service.LockedError):
        await attempt(ADMIN_PASSWORD)
    async with write(state.db) as session:
        user = (await session.exec(select(User))).one()
        user.locked_until = utcnow() - timedelta(seconds=1)
    await attempt(ADMIN_PASSWORD)


async def test_guesses_at_once_do_not_outrun_the_lock(state: AppState) -> None:
    guesses = [service.sign_in(state.db, name="admin", password=f"guess-{n}", hours=1) for n in range(12)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    judged = [r for r in results if isinstance(r, UnauthenticatedError)]
    assert len(judged) == 5 and all(isinstance(r, service.LockedError | UnauthenticatedError) for r in results)


async def test_a_session_ends_by_sign_out_time_and_switch_off(state: AppState, actor: Actor) -> None:
    async def begin() -> str:
        return (await service.sign_in(state.db, name="bob.b", password=STRONG, hours=1)).token

    user = await service.create_user(state.db, actor, name="bob.b", password=STRONG, role="agent")
    token = await begin()
    found = await service.actor_of_token(state.db, token, hours=1)
    assert found is not None and found.must_change_password
    assert found.may(Permission.SIGNED_IN) and not found.may(Permission.CALLS_READ)
    await service.sign_out(state.db, found)
    assert await service.actor_of_token(state.db, token, hours=1) is None

    token = await begin()
    async with write(state.db) as session:
        begun = (await session.exec(select(UserSession).where(UserSession.user_id == user.id))).one()
        begun.expires_at = utcnow() - timedelta(seconds=1)
    assert await service.actor_of_token(state.db, token, hours=1) is None

    token = await begin()
    await service.update_user(state.db, actor, user.id, active=False)
    assert await service.actor_of_token(state.db, token, hours=1) is None


async def test_use_keeps_a_session_alive(state: AppState) -> None:
    signed = await service.sign_in(state.db, name="admin", password=ADMIN_PASSWORD, hours=1)
    assert signed.actor.session_id is not None
    async with write(state.db) as session:
        begun = await locked(session, UserSession, signed.actor.session_id)
        assert begun is not None
        begun.seen_at, begun.expires_at = utcnow() - timedelta(minutes=59), utcnow() + timedelta(minutes=1)
    assert await service.actor_of_token(state.db, signed.token, hours=1) is not None
    async with read(state.db) as session:
        begun = await session.get(UserSession, signed.actor.session_id)
        assert begun is not None and begun.expires_at > utcnow() + timedelta(minutes=58)


async def test_one_administrator_stays(state: AppState, actor: Actor) -> None:
    admin = await service.find_user(state.db, "admin")
    assert admin is not None
    with pytest.raises(ConflictError):
        await service.update_user(state.db, actor, admin.id, role="agent")
    with pytest.raises(ConflictError):
        await service.update_user(state.db, actor, admin.id, active=False)


def test_only_administrators_hold_the_maintenance_rights() -> None:
    for role in (Role.SUPERVISOR, Role.QUALITY, Role.AGENT):
        assert not ROLES[role] & {Permission.USERS, Permission.SYSTEM, Permission.AUDIT, Permission.SOURCES}
    assert ROLES[Role.ADMIN] == frozenset(Permission)


async def test_an_agent_may_not_do_what_an_administrator_may(
    client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    await client.change(CREATE, n="anna", p=STRONG, r="agent")
    anna = new_client()
    await anna.sign_in("anna", STRONG)
    assert (await anna.refusal(CREATE, n="eve1", p=STRONG, r="admin"))["code"] == "forbidden"
    assert (await anna.refusal("{ audit { nodes { seq } } }"))["code"] == "forbidden"
    assert (await anna.ask("{ calls { nodes { id } } }"))["calls"]["nodes"] == []
    assert (await client.refusal(CREATE, n="Bad Name", p=STRONG, r="agent"))["field"] == "name"
    assert (await client.refusal(CREATE, n="carl", p=STRONG, r="king"))["field"] == "role"
    assert (await client.refusal(CREATE, n="anna", p=STRONG, r="agent"))["code"] == "conflict"


async def test_a_person_changes_the_own_password(client: ApiClient, new_client: Callable[[], ApiClient]) -> None:
    other = new_client()
    await other.sign_in("admin", ADMIN_PASSWORD)
    change = "mutation($o: String!, $n: String!) { changePassword(old: $o, new: $n) { errors { code field } } }"
    assert (await client.refusal(change, o="wrong", n=STRONG))["field"] == "old"
    assert (await client.refusal(change, o=ADMIN_PASSWORD, n="admin-admin-1"))["code"] == "weak_password"
    await client.change(change, o=ADMIN_PASSWORD, n=STRONG)
    assert (await client.ask("{ me { name } }"))["me"] == {"name": "admin"}
    assert (await other.ask("{ me { name } }"))["me"] is None
    await new_client().sign_in("admin", STRONG)


async def test_every_deed_is_in_an_unbroken_chain(state: AppState, client: ApiClient) -> None:
    await client.change(CREATE, n="anna", p=STRONG, r="agent")
    found = await client.ask("{ audit { nodes { seq actor action subject } } auditCheck { rows brokenAt } }")
    assert found["auditCheck"]["brokenAt"] is None
    assert found["audit"]["nodes"][0] == {
        "seq": found["auditCheck"]["rows"], "actor": "admin", "action": "user.created", "subject": "anna",
    }  # fmt: skip
    from backend.audit.models import AuditEntry

    async with write(state.db) as session:
        row = (await session.exec(select(AuditEntry).where(AuditEntry.seq == 2))).one()
        row.actor = "nobody"
    assert (await check_chain(state.db, "main")).broken_at == 2


async def test_cutting_off_the_end_of_the_chain_is_seen(state: AppState, client: ApiClient) -> None:
    from backend.audit.models import AuditEntry

    async with write(state.db) as session:
        rows = list(await session.exec(select(AuditEntry)))
        await session.delete(max(rows, key=lambda row: row.seq))
    assert (await check_chain(state.db, "main")).broken_at == len(rows)


SAVE_ROLE = """mutation($t: String!, $p: [String!]!, $n: String) { saveRole(title: $t, permissions: $p, name: $n) {
  value { name title { zh } permissions own users } errors { code field message { en } } } }"""


async def test_a_role_of_ones_own_gives_what_it_lists_and_no_more(
    client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    made = await client.change(SAVE_ROLE, t="录音员", p=["recordings.listen", "calls.read"])
    assert made["own"] and made["permissions"] == ["calls.read", "recordings.listen", "signed_in"]
    await client.change(CREATE, n="dora", p=STRONG, r=made["name"])
    dora = new_client()
    await dora.sign_in("dora", STRONG)
    assert (await dora.ask("{ me { permissions } }"))["me"]["permissions"] == made["permissions"]
    assert "errors" in await dora.raw("{ users { name } }")

    # Used, it stays; changed, its holders sign in again.
    remove = "mutation($n: String!) { deleteRole(name: $n) { value { ok } errors { code } } }"
    assert (await client.ask(remove, n=made["name"]))["deleteRole"]["errors"] == [{"code": "conflict"}]
    assert (await client.change(SAVE_ROLE, t="录音员", p=["calls.read"], n=made["name"]))["users"] == 1
    assert (await dora.ask("{ me { name } }"))["me"] is None
    users = (await client.ask("{ users { id name } }"))["users"]
    id = next(one["id"] for one in users if one["name"] == "dora")
    await client.change(
        'mutation($i: String!) { updateUser(id: $i, role: "agent") { value { id } errors { code } } }', i=id
    )
    await client.change(remove, n=made["name"])
    assert all(not role["own"] for role in (await client.ask("{ roles { own } }"))["roles"])


@pytest.mark.parametrize(
    ("title", "permissions", "field"),
    [
        ("坐席", ["calls.read"], "title"),
        ("", ["calls.read"], "title"),
        ("Typo", ["calls.raed"], "permissions"),
        ("Both", ["users.manage", "recordings.listen"], "permissions"),
    ],
)
async def test_a_role_that_cannot_be_is_refused(
    client: ApiClient, title: str, permissions: list[str], field: str
) -> None:
    told = (await client.ask(SAVE_ROLE, t=title, p=permissions))["saveRole"]
    assert told["value"] is None and [one["field"] for one in told["errors"]] == [field]


async def test_nobody_gives_or_takes_rights_that_they_do_not_have(
    client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    keeper = await client.change(SAVE_ROLE, t="Keeper of users", p=["users.manage"])
    await client.change(CREATE, n="keeper", p=STRONG, r=keeper["name"])
    mine = new_client()
    await mine.sign_in("keeper", STRONG)
    refused = [{"code": "forbidden", "field": "role"}]
    assert (await mine.ask(CREATE, n="friend", p=STRONG, r="admin"))["createUser"]["errors"] == refused
    told = (await mine.ask(SAVE_ROLE, t="More", p=["system.manage"]))["saveRole"]
    assert [(one["code"], one["field"]) for one in told["errors"]] == [("forbidden", "permissions")]
    admin = next(one["id"] for one in (await mine.ask("{ users { id role } }"))["users"] if one["role"] == "admin")
    asked = """mutation($i: String!, $p: String!) { setPassword(id: $i, password: $p) { errors { code } }
      updateUser(id: $i, active: false) { errors { code } } }"""
    told = await mine.ask(asked, i=admin, p="another-pass-2093")
    assert told == {name: {"errors": [{"code": "forbidden"}]} for name in ("setPassword", "updateUser")}
    assert (await mine.ask(CREATE, n="second", p=STRONG, r=keeper["name"]))["createUser"]["errors"] == []
