"""Recordings: rules, shapes, searches, rights, keeping, and second copies in a folder and in a real S3 store."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from minio import Minio
from moto.server import ThreadedMotoServer
from sqlmodel import select

from backend.audit.models import AuditEntry
from backend.calls.facts import CallAnswered, CallEnded, CallStarted, LegAnswered, LegBegan, write_facts
from backend.database import read, utcnow, write
from backend.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.numbers.models import Extension
from backend.recordings import copies, rules, service
from backend.recordings.models import FileCopy, Recording, RecordingRule, RetentionRule
from backend.recordings.peaks import beside, coarser, peaks, peaks_of
from backend.recordings.rules import CallMarks, days_kept, decide
from backend.recordings.service import RecordingFilter
from backend.state import AppState
from backend.testing import ApiClient
from backend.voicemails.models import Voicemail

RATE = 8000


def sound(path: Path, seconds: float = 2.0) -> Path:
    """Both sides: silence, then a tone in the second half."""
    count = int(RATE * seconds)
    tone = np.sin(np.arange(count) * 0.3) * 0.5
    tone[: count // 2] = 0
    soundfile.write(path, np.stack([tone, tone * 0.5], axis=1), RATE, subtype="PCM_16")
    return path


async def person(state: AppState, name: str, role: Role, extension: str = "") -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name=name, display_name=name.title(), role=role, password_hash="x")
        session.add(user)
        await session.flush()
        if extension:
            session.add(Extension(business_id="main", number=extension, password="x", user_id=user.id))
    return Actor("main", user.id, name, ROLES[role])


async def recorded(
    state: AppState, tmp_path: Path, id: str, *, caller: str = "+8613800000001", seconds: float = 2.0,
    at: datetime | None = None, extension: str = "8001", cause: str = "normal",
) -> Recording:  # fmt: skip
    """A call that was answered at an extension, with its recording."""
    facts: list[Any] = [CallStarted(id, "main", "g", caller, "100"), CallAnswered(id)]
    if extension:
        facts += [LegBegan(f"{id}-l", id, extension, f"extension:{extension}"), LegAnswered(f"{id}-l")]
    await write_facts(state.db, [*facts, CallEnded(id, cause)])
    return await service.save_recording(
        state.db, state.settings.recordings, business_id="main", key=f"call-{id}", call_id=id,
        source=sound(tmp_path / f"{id}.wav", min(seconds, 3.0)), seconds=seconds, at=at,
    )  # fmt: skip


def found(page: Any) -> set[str | None]:
    return {row.call_id for row in page.items}


# --------------------------------------------------------------------------- rules


def rule(scope: str = "all", value: str = "", **more: Any) -> RecordingRule:
    return RecordingRule(id=f"{scope}{value}", business_id="main", scope=scope, value=value, **more)


def test_the_first_rule_that_fits_decides() -> None:
    call = CallMarks("c", "inbound", "+8613800000001", "4001", queue="sales", agent_id="u1")
    quiet = rule("number", "400", share=0)
    told = rule("queue", "sales", announce=True, announcement_zh="录音", announcement_en="recorded")
    assert decide([told, quiet], call, default=False).announcement is not None
    assert decide([quiet, told], call, default=True) == rules.Decision(False, quiet.id)
    assert decide([rule("agent", "u2"), rule("all", direction="outbound")], call, default=True).rule_id is None
    assert decide([rule("all", enabled=False)], call, default=False).record is False


@settings(deadline=None, max_examples=40)
@given(share=st.integers(0, 100))
def test_a_share_records_about_that_many_and_always_the_same(share: int) -> None:
    chosen = [decide([rule(share=share)], CallMarks(f"c{n}", "inbound"), default=False).record for n in range(400)]
    again = [decide([rule(share=share)], CallMarks(f"c{n}", "inbound"), default=False).record for n in range(400)]
    assert chosen == again
    assert abs(sum(chosen) - 4 * share) <= 60
    assert share not in (0, 100) or set(chosen) == {share == 100}


KEEPING = st.builds(
    RetentionRule,
    business_id=st.just("main"),
    what=st.just("recording"),
    scope=st.sampled_from(["all", "queue", "agent", "number"]),
    value=st.sampled_from(["a", "b"]),
    days=st.integers(1, 100),
    enabled=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(KEEPING, max_size=6))
def test_the_most_particular_rule_of_keeping_decides(found: list[RetentionRule]) -> None:
    days = days_kept(found, what="recording", queue="a", agent="a", number="a1")
    fitting = [r for r in found if r.enabled and (r.scope == "all" or r.value == "a")]
    assert (days is None) == (not fitting)
    for scope in ("agent", "number", "queue", "all"):
        of = [r.days for r in fitting if r.scope == scope]
        if of:
            assert days == min(of)
            break


async def test_rules_are_kept_and_checked(state: AppState, actor: Actor) -> None:
    saved = await rules.save_rule(state.db, actor, scope="queue", value="sales", share=30)
    assert [row.id for row in await rules.list_rules(state.db, "main")] == [saved.id]
    for name, bad in (
        ("scope", {"scope": "moon"}), ("value", {"scope": "queue"}), ("share", {"share": 101}),
        ("announcementZh", {"announce": True}), ("direction", {"direction": "up"}),
    ):  # fmt: skip
        with pytest.raises(InvalidError) as refused:
            await rules.save_rule(state.db, actor, **bad)
        assert refused.value.field == name
    with pytest.raises(InvalidError):
        await rules.save_retention(state.db, actor, days=0)
    with pytest.raises(InvalidError):
        await rules.save_retention(state.db, actor, what="voicemail", scope="queue", value="x", days=5)
    await rules.delete_one(state.db, actor, RecordingRule, saved.id)
    assert await rules.list_rules(state.db, "main") == []


# --------------------------------------------------------------------------- searching and hearing


async def test_recordings_are_found_by_what_their_calls_were(state: AppState, tmp_path: Path) -> None:
    ana = await person(state, "ana", Role.AGENT, "8001")
    await recorded(state, tmp_path, "a", seconds=5)
    await recorded(state, tmp_path, "b", caller="+8613900000002", seconds=90, extension="8002")
    await service.describe_call(state.db, "b", queue="sales", agent_id="someone", result="sold")
    for wanted, expected in (
        (RecordingFilter(number="+86139"), {"b"}), (RecordingFilter(number="100"), {"a", "b"}),
        (RecordingFilter(agent_id=ana.user_id), {"a"}), (RecordingFilter(queue="sales"), {"b"}),
        (RecordingFilter(result="normal"), {"a"}), (RecordingFilter(result="sold"), {"b"}),
        (RecordingFilter(min_seconds=60), {"b"}), (RecordingFilter(max_seconds=60), {"a"}),
        (RecordingFilter(since=utcnow() + timedelta(hours=1)), set()), (RecordingFilter(direction="outbound"), set()),
    ):  # fmt: skip
        assert found(await service.list_recordings(state.db, "main", wanted)) == expected, wanted
    assert found(await service.list_recordings(state.db, "other")) == set()


async def test_agents_hear_their_own_talks_and_download_only_by_right(state: AppState, tmp_path: Path) -> None:
    ana, bo = await person(state, "ana", Role.AGENT, "8001"), await person(state, "bo", Role.AGENT)
    quality, boss = await person(state, "q", Role.QUALITY), await person(state, "boss", Role.SUPERVISOR)
    row = await recorded(state, tmp_path, "a")
    for who in (ana, quality, boss):
        assert (await service.hear(state.db, who, row.id)).id == row.id
    assert (await service.hear(state.db, boss, row.id, download=True)).id == row.id
    for who, download in ((bo, False), (ana, True), (quality, True)):
        with pytest.raises(ForbiddenError):
            await service.hear(state.db, who, row.id, download=download)


def test_peaks_are_the_loudest_of_each_part(tmp_path: Path) -> None:
    loud = peaks_of(sound(tmp_path / "a.wav"), 10)
    assert loud[:5] == [0.0] * 5 and all(0.45 < value <= 0.5 for value in loud[5:])
    assert len(peaks_of(sound(tmp_path / "b.wav", 0.001), 800)) == 8


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.integers(1, 400))
def test_coarser_peaks_keep_the_loudest(fine: list[float], count: int) -> None:
    fewer = coarser(fine, count)
    assert len(fewer) == min(count, len(fine))
    assert max(fewer) == pytest.approx(max(fine), abs=0.001)


async def test_peaks_are_counted_once(tmp_path: Path) -> None:
    file = sound(tmp_path / "a.wav")
    assert len(await peaks(file, 50)) == 50
    kept = beside(file)
    known = json.loads(kept.read_text())
    kept.write_text(json.dumps(known | {"peaks": [0.25] * 100}))
    assert await peaks(file, 10) == [0.25] * 10
    sound(file, 1.0)
    assert max(await peaks(file, 10)) > 0.4
    with pytest.raises(FileNotFoundError):
        await peaks(tmp_path / "none.wav", 10)


async def test_over_the_api_and_rest(client: ApiClient, state: AppState, tmp_path: Path) -> None:
    row = await recorded(state, tmp_path, "a")
    asked = await client.ask(
        '{ recordings(filter: {number: "+86138"}) { nodes { id caller url peaksUrl agentName result kept } } }'
    )
    (one,) = asked["recordings"]["nodes"]
    assert one["caller"] == "+8613800000001" and one["result"] == "normal"
    shape = (await client.get(one["peaksUrl"] + "?count=20")).json()
    assert shape["seconds"] == 2.0 and len(shape["peaks"]) == 20
    assert (await client.get(one["url"])).headers["content-disposition"].startswith("inline")
    assert (await client.get(one["url"] + "?download=true")).headers["content-disposition"].startswith("attachment")
    async with read(state.db) as session:
        noted = [entry.action for entry in await session.exec(select(AuditEntry).where(AuditEntry.subject == row.id))]
    assert noted == ["recording.played", "recording.downloaded"]
    await client.change("mutation($i: String!) { deleteRecording(id: $i) { value { ok } errors { code } } }", i=row.id)
    assert (await client.get(one["url"])).status_code == 404
    assert not list((state.settings.recordings).rglob("*.json")) and not list(state.settings.recordings.rglob("*.wav"))


async def test_numbers_are_masked_for_who_may_not_see_them(
    state: AppState, tmp_path: Path, new_client: Callable[[], ApiClient], client: ApiClient
) -> None:
    await recorded(state, tmp_path, "a")
    await client.change(
        'mutation { createUser(name: "quinn", password: "orbit-lantern-4712", role: "quality", '
        "mustChangePassword: false) { value { id } errors { code message { en } } } }"
    )
    other = new_client()
    await other.sign_in("quinn", "orbit-lantern-4712")
    asked = await other.ask("{ recordings { nodes { caller called } } }")
    assert asked["recordings"]["nodes"] == [{"caller": "+86138****0001", "called": "100"}]
    refused = await other.refusal('mutation { deleteRecording(id: "x") { value { ok } errors { code } } }')
    assert refused["code"] == "forbidden"


# --------------------------------------------------------------------------- keeping


async def test_rules_of_keeping_delete_with_a_note(state: AppState, actor: Actor, tmp_path: Path) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    old = await recorded(state, tmp_path, "old", at=now - timedelta(days=40))
    kept = await recorded(state, tmp_path, "kept", at=now - timedelta(days=400))
    sales = await recorded(state, tmp_path, "sales", at=now - timedelta(days=40))
    young = await recorded(state, tmp_path, "young", at=now - timedelta(days=10))
    await service.describe_call(state.db, "sales", queue="sales")
    await service.keep_recording(state.db, actor, kept.id, True)
    await peaks(state.settings.recordings / old.path, 10)
    await rules.save_retention(state.db, actor, days=30)
    await rules.save_retention(state.db, actor, scope="queue", value="sales", days=365)
    async with write(state.db) as session:
        for id, box, days in (("v1", "a", 40), ("v2", "b", 40)):
            session.add(
                Voicemail(id=id, business_id="main", key=id, box=box, path=f"{id}.wav",
                          created_at=now - timedelta(days=days))
            )  # fmt: skip
    await rules.save_retention(state.db, actor, what="voicemail", scope="box", value="a", days=30)
    assert await service.tidy(state.db, state.settings.recordings, state.secrets, now) == 2
    assert found(await service.list_recordings(state.db, "main")) == {"kept", "sales", "young"}
    assert not (state.settings.recordings / old.path).exists()
    assert not beside(state.settings.recordings / old.path).exists()
    assert all((state.settings.recordings / row.path).exists() for row in (kept, sales, young))
    async with read(state.db) as session:
        deleted = await session.exec(select(AuditEntry).where(AuditEntry.action == "recording.deleted"))
        assert [entry.subject for entry in deleted] == [old.id]
        assert [row.id for row in await session.exec(select(Voicemail))] == ["v2"]
    assert await service.tidy(state.db, state.settings.recordings, state.secrets, now) == 0


# --------------------------------------------------------------------------- second copies


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A real S3 server on loopback with one bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    client = Minio(f"127.0.0.1:{port}", access_key="key", secret_key="secret", secure=False, region="us-east-1")
    client.make_bucket("calls")
    yield f"127.0.0.1:{port}"
    server.stop()


def bucket(store: str) -> Minio:
    return Minio(store, access_key="key", secret_key="secret", secure=False, region="us-east-1")


async def s3(state: AppState, actor: Actor, store: str, **more: Any) -> str:
    given: dict[str, Any] = {
        "name": "s3", "kind": "s3", "endpoint": store, "secure": False, "region": "us-east-1", "bucket": "calls",
        "prefix": "house", "access_key": "key", "secret_key": "secret",
    }  # fmt: skip
    return (await copies.save_target(state.db, state.secrets, actor, **(given | more))).id


async def copy(state: AppState, now: datetime | None = None) -> tuple[int, int]:
    return await copies.copy_waiting(state.db, state.settings.recordings, state.secrets, now)


async def test_recordings_are_copied_to_a_store_and_a_folder(
    state: AppState, actor: Actor, tmp_path: Path, store: str
) -> None:
    before = await recorded(state, tmp_path, "before")
    target = await s3(state, actor, store)
    await copies.save_target(state.db, state.secrets, actor, name="disk", kind="folder", folder=str(tmp_path / "disk"))
    await copies.probe_target(state.db, state.secrets, actor, target)
    after = await recorded(state, tmp_path, "after")
    assert await copy(state) == (4, 0)
    assert await copy(state) == (0, 0)
    for row in (before, after):
        original = (state.settings.recordings / row.path).read_bytes()
        assert (tmp_path / "disk" / row.path).read_bytes() == original
        held = bucket(store).get_object("calls", f"house/{row.path}")
        assert held.read() == original
        held.close()
    assert (await copies.counts(state.db, "main"))[(target, "done")] == 2
    # Saving a target again copies nothing twice, and deleting a recording deletes its copies.
    await s3(state, actor, store, id=target, secret_key=None)
    assert await copy(state) == (0, 0)
    await service.delete_recording(state.db, state.settings.recordings, actor, before.id, box=state.secrets)
    assert not (tmp_path / "disk" / before.path).exists()
    names = [one.object_name for one in bucket(store).list_objects("calls", prefix="house/", recursive=True)]
    assert names == [f"house/{after.path}"]


async def test_a_store_that_is_away_is_tried_again_later(
    state: AppState, actor: Actor, tmp_path: Path, store: str
) -> None:
    target = await s3(state, actor, "127.0.0.1:9")
    await recorded(state, tmp_path, "a")
    assert await copy(state) == (0, 1)
    assert await copy(state) == (0, 0)
    async with read(state.db) as session:
        (waiting,) = await session.exec(select(FileCopy))
    assert (waiting.state, waiting.tries) == ("waiting", 1) and waiting.error
    with pytest.raises(ConflictError):
        await copies.probe_target(state.db, state.secrets, actor, target)
    await s3(state, actor, store, id=target, prefix="late")
    assert await copy(state, utcnow() + timedelta(minutes=5)) == (1, 0)
    (known,) = await copies.list_targets(state.db, "main")
    assert known.error == "" and known.copied_at is not None


async def test_targets_are_checked_and_their_keys_sealed(state: AppState, actor: Actor, store: str) -> None:
    target = await s3(state, actor, store)
    (row,) = await copies.list_targets(state.db, "main")
    assert "secret" not in row.secret_key and state.secrets.reveal(row.secret_key) == "secret"
    for name, bad in (("bucket", {"bucket": "A!"}), ("endpoint", {"endpoint": "http://x"}), ("kind", {"kind": "tape"})):
        with pytest.raises(InvalidError) as refused:
            await s3(state, actor, store, **{"name": "other", **bad})
        assert refused.value.field == name
    with pytest.raises(ConflictError):
        await s3(state, actor, store)
    await copies.delete_target(state.db, actor, target)
    with pytest.raises(NotFoundError):
        await copies.probe_target(state.db, state.secrets, actor, target)
