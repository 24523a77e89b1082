"""The number plan: where calls come in, and what may go out."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.calls.models import Call, Leg
from backend.database import utcnow, write
from backend.errors import ConflictError, InvalidError, ManyFaultsError, NotFoundError
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.permissions import Actor
from backend.lists import service as lists
from backend.numbers import service
from backend.numbers.phone import NumberClass, classify, normalise
from backend.numbers.service import DialError, NoRoute, Route
from backend.state import AppState
from backend.testing import ApiClient


@pytest.mark.parametrize(
    ("written", "form", "kind"),
    [
        ("138 0000 0001", "+8613800000001", NumberClass.MOBILE),
        ("+86 21-6123-4567", "+862161234567", NumberClass.NATIONAL),
        ("021 61234567", "+862161234567", NumberClass.NATIONAL),
        ("8001", "8001", NumberClass.INTERNAL),
        ("110", "110", NumberClass.EMERGENCY),
        ("+1 202-555-0123", "+12025550123", NumberClass.INTERNATIONAL),
        ("800-810-1234", "+868008101234", NumberClass.TOLL_FREE),
    ],
)
def test_numbers_have_one_form_and_a_class(written: str, form: str, kind: NumberClass) -> None:
    assert normalise(written, "CN") == form
    assert classify(form, "CN") is kind


@pytest.mark.parametrize(
    "bad", ["", "abc", "+", "1", "+999999999999999999", "sip:x@y", "8001;ext=1", "13800000001\n;x"]
)
def test_what_is_no_number_is_refused(bad: str) -> None:
    with pytest.raises(InvalidError) as refused:
        normalise(bad, "CN")
    assert refused.value.code == "bad_number"


@given(st.text(max_size=20))
def test_a_normalised_number_is_safe_and_stays(written: str) -> None:
    try:
        form = normalise(written, "CN")
    except InvalidError:
        return
    assert form.removeprefix("+").isascii() and form.removeprefix("+").isdecimal()
    assert normalise(form, "CN") == form
    classify(form, "CN")


async def publish(state: AppState, number: int = 1) -> Flow:
    async with write(state.db) as session:
        flow = Flow(business_id="main", key="hotline", name="热线", kind="ivr", draft={})
        session.add(flow)
        await session.flush()
        for n in range(1, number + 1):
            row = FlowVersion(
                business_id="main",
                flow_id=flow.id,
                number=n,
                document={},
                document_hash="",
                plan=b"",
                plan_hash=f"p{n}",
            )
            session.add(row)
        await session.flush()
        session.add(FlowAlias(business_id="main", flow_id=flow.id, name="live", version_id=row.id))
        return flow


async def test_a_called_number_leads_to_a_pinned_version(state: AppState, actor: Actor) -> None:
    await publish(state, 2)
    await service.save_number(state.db, actor, number="100", flow="hotline", language="en")
    await service.save_number(state.db, actor, number="021 61234567", flow="hotline", version=1)
    found = await service.route_call(state.db, "100", country="CN")
    assert isinstance(found, Route) and (found.version, found.plan_hash, found.alias) == (2, "p2", "live")
    assert (found.flow_key, found.language) == ("hotline", "en")
    for written in ("02161234567", "+862161234567"):
        found = await service.route_call(state.db, written, country="CN")
        assert isinstance(found, Route) and (found.version, found.alias) == (1, "")


async def test_numbers_that_lead_nowhere_say_why(state: AppState, actor: Actor) -> None:
    assert await service.route_call(state.db, "999x", country="CN") == NoRoute(None, "unknown_number")
    await service.save_number(state.db, actor, number="101")
    assert await service.route_call(state.db, "101", country="CN") == NoRoute("main", "no_flow")
    row = await service.save_number(state.db, actor, number="102", enabled=False)
    assert await service.route_call(state.db, "102", country="CN") == NoRoute("main", "disabled")
    with pytest.raises(ConflictError):
        await service.save_number(state.db, actor, number="102")
    await service.delete_number(state.db, actor, row.id)
    assert await service.route_call(state.db, "102", country="CN") == NoRoute(None, "unknown_number")


async def test_extensions_are_made_with_passwords_once(state: AppState, actor: Actor) -> None:
    made = await service.ensure_extensions(state.db, state.secrets, actor, ["8001", "8002"])
    assert [number for number, _ in made] == ["8001", "8002"] and all(len(password) >= 16 for _, password in made)
    assert await service.ensure_extensions(state.db, state.secrets, actor, ["8001", "8002"]) == made
    for bad in ("12", "1234567", "80a1", "110"):
        with pytest.raises(InvalidError):
            await service.save_extension(state.db, state.secrets, actor, number=bad)


async def dial(state: AppState, number: str, *, anonymous: bool = False) -> str:
    return (await service.destination(state.db, "main", number, anonymous=anonymous)).address


async def refusal(state: AppState, number: str, *, anonymous: bool = False) -> str:
    with pytest.raises(DialError) as refused:
        await dial(state, number, anonymous=anonymous)
    return refused.value.code


async def test_what_may_be_dialled(state: AppState, actor: Actor) -> None:
    await service.save_extension(state.db, state.secrets, actor, number="8001")
    assert await dial(state, "8001", anonymous=True) == "extension:8001"
    assert await refusal(state, "8009") == "bad_number"
    assert await refusal(state, "13800000001") == "no_trunk"
    trunk = await service.save_trunk(
        state.db, state.secrets, actor, name="main-line", host="sip.example", caller_id="+862161234567"
    )
    assert await dial(state, "138 0000 0001") == "trunk:main-line:+8613800000001"
    assert await refusal(state, "13800000001", anonymous=True) == "not_allowed"
    assert await refusal(state, "+12025550123") == "not_allowed"
    assert await service.caller_id(state.db, "main") == "+862161234567"
    await service.save_rule(state.db, actor, number_class="international", max_per_hour=2, trunk_id=trunk.id)
    assert [await dial(state, "+12025550123") for _ in range(2)] == ["trunk:main-line:+12025550123"] * 2
    assert await refusal(state, "+12025550123") == "not_allowed"
    with pytest.raises(ConflictError):
        await service.delete_trunk(state.db, actor, trunk.id)


async def test_emergency_numbers_pass_every_cap(state: AppState, actor: Actor) -> None:
    assert await refusal(state, "110") == "no_trunk"
    await service.save_trunk(state.db, state.secrets, actor, name="line", host="sip.example")
    assert await dial(state, "110", anonymous=True) == "trunk:line:110"
    await service.save_extension(state.db, state.secrets, actor, number="8001")
    await service.save_emergency_route(state.db, actor, number="110", destination="8001")
    assert await dial(state, "110", anonymous=True) == "extension:8001"
    await service.delete_emergency_route(state.db, actor, "110")
    assert await dial(state, "110", anonymous=True) == "trunk:line:110"
    with pytest.raises(NotFoundError):
        await service.delete_emergency_route(state.db, actor, "110")


async def test_hours_of_a_rule_are_the_business_zone(state: AppState, actor: Actor) -> None:
    await service.save_trunk(state.db, state.secrets, actor, name="line", host="sip.example")
    hour = (utcnow() + timedelta(hours=8)).hour
    later = (hour + 2) % 24
    start, end = (later, later + 1)
    await service.save_rule(state.db, actor, number_class="mobile", max_per_hour=9, from_hour=start, to_hour=end)
    assert await refusal(state, "13800000001") == "not_allowed"
    await service.save_rule(state.db, actor, number_class="mobile", max_per_hour=9)
    assert await dial(state, "13800000001")


async def test_bad_trunks_are_refused_by_field(state: AppState, actor: Actor) -> None:
    for field, change in (
        ("name", {"name": "Bad Name"}), ("host", {"host": "a b"}), ("transport", {"transport": "pigeon"}),
        ("addresses", {"addresses": ["nowhere"]}), ("codecs", {"codecs": ["mp3"]}), ("max_calls", {"max_calls": 0}),
        ("username", {"username": "a\nb"}), ("password", {"password": "x"}), ("caller_id", {"caller_id": "me"}),
    ):  # fmt: skip
        with pytest.raises(InvalidError) as refused:
            await service.save_trunk(
                state.db,
                state.secrets,
                actor,
                **({"name": "t", "host": "h.example"} | change),
            )
        assert refused.value.field == field


async def test_everything_wrong_with_a_trunk_is_told_at_once_and_nothing_is_kept(
    state: AppState, actor: Actor, client: ApiClient
) -> None:
    await service.save_trunk(state.db, state.secrets, actor, name="line", host="sip.example")
    wrong = {"name": "line", "host": "a b", "port": 0, "callerId": "me", "password": "x", "maxCalls": 0}
    told = await client.ask(
        "mutation($t: TrunkInput!) { saveTrunk(input: $t) { value { id } errors { code field message { zh } } } }",
        t=wrong,
    )
    assert told["saveTrunk"]["value"] is None
    errors = told["saveTrunk"]["errors"]
    assert {one["field"] for one in errors} == {"name", "host", "port", "caller_id", "password", "max_calls"}
    assert next(one["code"] for one in errors if one["field"] == "name") == "conflict"
    assert all(one["message"]["zh"] for one in errors)
    assert len(await service.list_trunks(state.db)) == 1


async def test_the_trail_says_what_was_and_what_is(state: AppState, actor: Actor, client: ApiClient) -> None:
    made = await service.save_trunk(
        state.db, state.secrets, actor, name="line", host="a.example", password="secret-secret-1"
    )
    await service.save_trunk(
        state.db, state.secrets, actor, id=made.id, name="line", host="b.example", addresses=["203.0.113.1"],
        enabled=False,
    )  # fmt: skip
    rows = await client.ask('{ audit(action: "trunk.saved") { nodes { details } } auditCheck { brokenAt } }')
    after, before = (row["details"] for row in rows["audit"]["nodes"])
    assert before == {"name": "line", "host": "a.example", "password_set": True}
    assert after == {
        "host": "b.example", "addresses": ["203.0.113.1"], "enabled": False,
        "was": {"host": "a.example", "addresses": [], "enabled": True},
    }  # fmt: skip
    assert rows["auditCheck"]["brokenAt"] is None


async def test_lists_know_a_number_in_every_form(state: AppState, actor: Actor) -> None:
    row = await lists.save_list(state.db, actor, name="blocked", kind="black")
    entries = [lists.EntryInput("13900000000"), lists.EntryInput("13900000001", until=utcnow() - timedelta(days=1))]
    assert await lists.add_entries(state.db, actor, row.id, entries) == 2
    assert await lists.add_entries(state.db, actor, row.id, [lists.EntryInput("+8613900000000", note="again")]) == 0
    for written in ("+8613900000000", "139 0000 0000"):
        assert await lists.match(state.db, "main", "blocked", written)
    for other in ("13900000001", "13900000002", "anonymous", ""):
        assert not await lists.match(state.db, "main", "blocked", other)
    mixed = [lists.EntryInput(number) for number in ("13900000009", "bad", "worse")]
    with pytest.raises(InvalidError) as refused:
        await lists.add_entries(state.db, actor, row.id, mixed)
    assert isinstance(refused.value, ManyFaultsError)
    assert [one.field for one in refused.value.errors] == ["entries.1.number", "entries.2.number"]
    assert not await lists.match(state.db, "main", "blocked", "13900000009")
    page = await lists.list_entries(state.db, actor, row.id)
    assert (page.items[0].number, page.items[0].note) == ("+8613900000000", "again")
    await lists.delete_list(state.db, actor, row.id)


async def test_a_full_trunk_gives_way_to_the_next_and_its_lines_come_back(state: AppState, actor: Actor) -> None:
    for name, lines, priority in (("first", 2, 1), ("second", 1, 2)):
        await service.save_trunk(
            state.db,
            state.secrets,
            actor,
            name=name,
            host="192.0.2.1",
            max_calls=lines,
            priority=priority,
            caller_id=f"+86216000000{priority}",
        )
    number = "13800138000"

    async def call(trunk: str = "", *, up: bool = True, leg: str = "") -> Call:
        async with write(state.db) as session:
            row = Call(business_id="main", trunk=trunk, state="up" if up else "ended")
            session.add(row)
            await session.flush()
            if leg:
                session.add(Leg(business_id="main", call_id=row.id, destination=leg, state="ringing"))
            return row

    await call("first", up=False)
    came = await call("first")
    assert await dial(state, number) == "trunk:first:+8613800138000"
    await call(leg="trunk:first:+8613900139000")
    assert await dial(state, number) == "trunk:second:+8613800138000"
    assert await service.caller_id(state.db, "main", "trunk:second:+8613800138000") == "+862160000002"
    assert await service.caller_id(state.db, "main", "extension:8001") == "+862160000001"
    assert await service.caller_id(state.db, "main") == "+862160000001"
    await call("second", leg="extension:8001")
    assert await refusal(state, number) == "trunk_full"
    async with write(state.db) as session:
        row = await session.get(Call, came.id)
        assert row is not None
        row.state = "ended"
    assert await dial(state, number) == "trunk:first:+8613800138000"
