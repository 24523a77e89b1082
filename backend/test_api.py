"""The web server: guards, limits, schema, files, health, pages."""

import json
import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.calls import service as calls
from backend.calls.facts import CallStarted, write_facts
from backend.database import read
from backend.graphql.base import PUBLIC, permission_of
from backend.graphql.schema import SCHEMA_FILE, schema, schema_text
from backend.health import ComponentHealth
from backend.identity import service as identity
from backend.identity.permissions import Actor, Permission
from backend.recordings import service as recordings
from backend.state import AppState
from backend.testing import ADMIN_PASSWORD, ApiClient
from backend.voicemails import service as voicemails


def sound(path: Path, seconds: float = 1.0, rate: int = 8000) -> Path:
    """A WAV file with a tone."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        tone = (int(8000 * math.sin(n / 5)) for n in range(int(seconds * rate)))
        out.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return path


# --------------------------------------------------------------------------- schema


def test_the_exported_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m backend.graphql.schema"


def _fields(kind: str) -> list[Any]:
    found = schema.get_type_by_name(kind)
    return list(found.fields)  # type: ignore[union-attr]


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_every_root_field_declares_its_permission(root: str) -> None:
    fields = _fields(root)
    assert len(fields) > 2
    missing = [field.name for field in fields if permission_of(field) is None]
    assert missing == []
    public = {field.python_name for field in fields if permission_of(field) == PUBLIC}
    assert public <= {"me", "login"}


def test_fields_of_types_that_look_further_are_guarded_too() -> None:
    resolved = 0
    for kind in schema._schema.type_map:
        if kind in ("Query", "Mutation", "Subscription") or kind.startswith("__"):
            continue
        found = schema.get_type_by_name(kind)
        for field in getattr(found, "fields", []):
            if getattr(field, "base_resolver", None) is not None:
                resolved += 1
                assert isinstance(permission_of(field), Permission), f"{kind}.{field.name}"
    assert resolved > 5


def test_no_type_shows_a_secret() -> None:
    shown = {
        f"{name}.{field}"
        for name, kind in schema._schema.type_map.items()
        for field in getattr(kind, "fields", {})
        if any(word in field.lower() for word in ("password", "hash", "pin", "sealed", "token"))
        and not name.endswith("Input")
    }
    assert shown == {
        "AuditEntry.hash",
        "Customer.pinLockedUntil",
        "Customer.wrongPins",
        "FlowVersion.documentHash",
        "FlowVersion.planHash",
        "Me.mustChangePassword",
        "Mutation.changePassword",
        "Mutation.setCustomerPin",
        "Mutation.setPassword",
        "SavedExtension.password",
        "User.mustChangePassword",
        "WebPhone.password",
    }


# --------------------------------------------------------------------------- guards


async def test_nobody_sees_nothing(new_client: Callable[[], ApiClient]) -> None:
    stranger = new_client()
    assert (await stranger.ask("{ me { name } }"))["me"] is None
    for query in ("{ calls { nodes { id } } }", "{ flows { key } }", "{ users { name } }", "{ settings { name } }"):
        assert (await stranger.refusal(query))["code"] == "unauthenticated"
    assert (await stranger.refusal('mutation { deleteCustomer(id: "x") { errors { code } } }'))[
        "code"
    ] == "unauthenticated"


async def test_without_our_header_nothing_is_posted(client: ApiClient) -> None:
    del client.headers["x-callweave"]
    answer = await client.post("/graphql", json={"query": "{ me { name } }"})
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "csrf"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(new_client: Callable[[], ApiClient]) -> None:
    client = new_client()
    query = (
        'mutation($p: String!) { login(name: "admin", password: $p) { value { name permissions } errors { code } } }'
    )
    answer = await client.post("/graphql", json={"query": query, "variables": {"p": ADMIN_PASSWORD}})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert "users.manage" in answer.json()["data"]["login"]["value"]["permissions"]


async def test_sign_out_ends_the_session(client: ApiClient) -> None:
    kept = dict(client.cookies)
    await client.change("mutation { logout { value { ok } errors { code } } }")
    client.cookies.update(kept)
    assert (await client.ask("{ me { name } }"))["me"] is None


async def test_the_token_file_acts_as_administrator(state: AppState, new_client: Callable[[], ApiClient]) -> None:
    token = (state.settings.home / "api.token").read_text()
    assert (state.settings.home / "api.token").stat().st_mode & 0o777 == 0o600
    cli = new_client()
    del cli.headers["x-callweave"]
    cli.headers["authorization"] = f"Bearer {token}"
    assert (await cli.ask("{ me { name } users { name } }")) == {"me": {"name": "cli"}, "users": [{"name": "admin"}]}
    cli.headers["authorization"] = f"Bearer {token}x"
    assert (await cli.ask("{ me { name } }"))["me"] is None


async def test_sign_ins_from_one_address_are_limited(new_client: Callable[[], ApiClient]) -> None:
    client = new_client()
    query = 'mutation { login(name: "nobody", password: "x") { errors { code message { zh en } remedy { zh } } } }'
    codes = [(await client.refusal(query))["code"] for _ in range(31)]
    assert codes[0] == "unauthenticated" and codes[-1] == "rate_limited"


async def test_deep_and_costly_operations_are_refused(client: ApiClient) -> None:
    introspection = "query { __schema { types { fields { type { ofType { ofType { name } } } } } } }"
    assert "errors" not in await client.raw(introspection)
    rich = "calls(first: 200) { nodes { trail { said outputs port nodeId nodeName nodeType error seq runId } } }"
    assert "errors" not in await client.raw("{" + rich + "}")
    assert (await client.refusal(f"{{ a: {rich} b: {rich} c: {rich} }}"))["code"] == "too_complex"
    fragment = f"{{ ...many }} fragment many on Query {{ a: {rich} b: {rich} c: {rich} }}"
    assert (await client.refusal(fragment))["code"] == "too_complex"
    many = "{" + " ".join(f"a{n}: me {{ name }}" for n in range(600)) + "}"
    assert (await client.refusal(many))["code"] == "too_complex"
    assert (await client.refusal("query($n: Int!) { calls(first: $n) { nodes { id } } }", n=100_000))[
        "code"
    ] == "too_complex"


async def test_a_time_without_zone_is_refused(client: ApiClient) -> None:
    answer = await client.raw('{ calls(filter: {since: "2026-11-22T10:00:00"}) { nodes { id } } }')
    assert "time zone" in answer["errors"][0]["message"]


async def test_unforeseen_errors_tell_nothing(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(calls, "open_calls", broken)
    answer = await client.raw("{ liveCalls { id } }")
    assert "internal error" in answer["errors"][0]["message"] and "secret detail" not in json.dumps(answer)


async def test_without_a_gateway_live_commands_say_so(client: ApiClient) -> None:
    asked = await client.refusal('mutation { placeCall(number: "100", flow: "x") { errors { code remedy { en } } } }')
    assert asked["code"] == "unavailable" and "callweave" in asked["remedy"]["en"]


async def test_settings_are_listed_without_secrets(client: ApiClient) -> None:
    found = (await client.ask("{ settings { name value description } }"))["settings"]
    assert all(setting["description"] for setting in found)
    assert ADMIN_PASSWORD not in json.dumps(found)
    assert any(setting["name"] == "CALLWEAVE_SIP_PORT" for setting in found)


async def test_node_types_are_described(client: ApiClient) -> None:
    found = (await client.ask("{ nodeTypes { type family definition } }"))["nodeTypes"]
    assert found and all("schema" in node["definition"] for node in found)


# --------------------------------------------------------------------------- files


async def test_recordings_are_played_in_ranges_by_those_who_may(
    state: AppState, actor: Actor, client: ApiClient, new_client: Callable[[], ApiClient], tmp_path: Path
) -> None:
    await write_facts(state.db, [CallStarted("c1", "main", "main", "+8613800000001", "100")])
    source = sound(tmp_path / "take.wav")
    content = source.read_bytes()
    save: dict[str, Any] = {"business_id": "main", "key": "k1", "call_id": "c1", "source": source, "seconds": 1.0}
    row = await recordings.save_recording(state.db, state.settings.recordings, **save)
    again = await recordings.save_recording(state.db, state.settings.recordings, **save)
    assert again.id == row.id and not source.exists() and not Path(row.path).is_absolute()

    whole = await client.get(f"/files/recordings/{row.id}")
    assert whole.content == content and whole.headers["content-type"].startswith("audio/")
    part = await client.get(f"/files/recordings/{row.id}", headers={"range": "bytes=44-143"})
    assert part.status_code == 206 and part.content == content[44:144]
    assert (await new_client().get(f"/files/recordings/{row.id}")).status_code == 401
    assert (await client.get("/files/recordings/none")).status_code == 404

    await identity.create_user(
        state.db, actor, name="anna", password="meadow-river-2093", role="agent", must_change_password=False
    )
    anna = new_client()
    await anna.sign_in("anna", "meadow-river-2093")
    assert (await anna.get(f"/files/recordings/{row.id}")).status_code == 403

    call = (await client.ask('{ call(id: "c1") { recording { url seconds } } }'))["call"]
    assert call["recording"] == {"url": f"/files/recordings/{row.id}", "seconds": 1.0}
    await client.change("mutation($i: String!) { deleteRecording(id: $i) { errors { code } } }", i=row.id)
    assert not (state.settings.recordings / row.path).exists()
    assert (await client.ask('{ call(id: "c1") { recordingId } }'))["call"]["recordingId"] is None


async def test_a_voicemail_is_updated_by_the_same_execution(state: AppState, client: ApiClient, tmp_path: Path) -> None:
    for seconds in (1.0, 2.0):
        row = await voicemails.save_voicemail(
            state.db, state.settings.recordings, business_id="main", key="run-3-1", box="service", call_id=None,
            caller="+8613800000001", source=sound(tmp_path / "vm.wav", seconds), seconds=seconds,
            callback_number=None, complete=seconds > 1,
        )  # fmt: skip
    found = (await client.ask("{ voicemails { nodes { id seconds complete state url } } }"))["voicemails"]["nodes"]
    assert [(v["id"], v["seconds"], v["complete"]) for v in found] == [(row.id, 2.0, True)]
    assert len((await client.get(found[0]["url"])).content) == row.bytes > 32_000
    state_change = (
        'mutation($i: String!) { setVoicemailState(id: $i, state: "heard") { value { state } errors { code } } }'
    )
    assert (await client.change(state_change, i=row.id))["state"] == "heard"


async def test_prompts_go_up_as_any_sound_and_come_down_as_calls_play_them(client: ApiClient, tmp_path: Path) -> None:
    upload = sound(tmp_path / "up.wav", 1.0, rate=44100)
    form = {"name": "welcome", "language": "zh", "transcript": "欢迎"}
    made = await client.post("/files/prompts", data=form, files={"file": ("up.wav", upload.read_bytes(), "audio/wav")})
    assert made.status_code == 201 and abs(made.json()["seconds"] - 1.0) < 0.01
    got = await client.get(f"/files/prompts/{made.json()['id']}")
    (tmp_path / "down.wav").write_bytes(got.content)
    with wave.open(str(tmp_path / "down.wav")) as down:
        assert (down.getframerate(), down.getnchannels(), down.getsampwidth()) == (8000, 1, 2)
    listed = (await client.ask("{ prompts { name language text url } }"))["prompts"]
    assert listed[0]["text"] == "欢迎" and listed[0]["url"]

    for content, kind, status in ((b"MZ not sound", "audio/wav", 400), (b"<html>", "text/html", 415)):
        refused = await client.post("/files/prompts", data=form, files={"file": ("x", content, kind)})
        assert refused.status_code == status
    big = await client.post("/files/prompts", data=form, files={"file": ("x", b"0" * (21 * 2**20), "audio/wav")})
    assert big.status_code == 413
    bad_name = form | {"name": "../../etc/passwd"}
    refused = await client.post(
        "/files/prompts", data=bad_name, files={"file": ("x", upload.read_bytes(), "audio/wav")}
    )
    assert refused.status_code == 400 and refused.json()["error"]["field"] == "name"


# --------------------------------------------------------------------------- health and pages


async def test_health_tells_each_component(state: AppState, new_client: Callable[[], ApiClient]) -> None:
    client = new_client()
    answer = await client.get("/healthz")
    parts = answer.json()["components"]
    assert answer.status_code == 200 and parts["database"]["state"] == "ok" and parts["asterisk"]["state"] == "off"

    async def broken() -> ComponentHealth:
        raise ConnectionError("gone")

    state.health.register("asterisk", broken)
    answer = await client.get("/healthz")
    assert answer.status_code == 503 and answer.json()["components"]["asterisk"]["state"] == "down"


async def test_graphiql_is_only_for_people_who_are_in(client: ApiClient, new_client: Callable[[], ApiClient]) -> None:
    html = {"accept": "text/html"}
    assert (await new_client().get("/graphql", headers=html)).status_code == 303
    assert (await client.get("/graphql", headers=html)).status_code == 200


async def test_another_business_sees_nothing_of_ours(state: AppState, actor: Actor) -> None:
    from backend.database import write
    from backend.errors import NotFoundError
    from backend.identity.models import Business
    from backend.identity.permissions import system_actor

    async with write(state.db) as session:
        session.add(Business(id="other", name="Other"))
    await write_facts(state.db, [CallStarted("c1", "main", "g", "1", "100")])
    assert (await calls.list_calls(state.db, "other")).items == []
    with pytest.raises(NotFoundError):
        await calls.get_call(state.db, "other", "c1")
    with pytest.raises(NotFoundError):
        await calls.update_call(state.db, "c1", calls.CallChanges(note="x"), business_id="other")
    admin = await identity.find_user(state.db, "admin")
    assert admin is not None
    with pytest.raises(NotFoundError):
        await identity.update_user(state.db, system_actor("other"), admin.id, active=False)
    async with read(state.db) as session:
        assert await session.get(Business, "other") is not None
