"""Own fields, levels, regions and the timeline: everything that passed between the house and a customer."""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.calls.facts import CallAnswered, CallEnded, CallStarted, write_facts
from backend.calls.models import Call
from backend.customers import fields, service
from backend.customers.fields import Kind, accepts
from backend.customers.models import Customer, CustomerNote
from backend.customers.timeline import KINDS, add_note, change_note, timeline
from backend.database import utcnow, write
from backend.errors import ConflictError, ForbiddenError, InvalidError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.messages.models import OutboxMessage
from backend.numbers.region import masked, place_of, region_of, written_forms
from backend.recordings.models import Recording
from backend.state import AppState
from backend.tasks.service import NewTask, create_task
from backend.testing import ApiClient
from backend.voicemails.models import Voicemail
from backend.wrapup.models import WrapUp

NUMBER = "+8613510000001"


async def wang(state: AppState, actor: Actor) -> Customer:
    return await service.save_customer(state.db, actor, changes={"name": "王芳", "phones": [NUMBER, "02161234567"]})


async def agent(state: AppState, name: str, role: Role = Role.AGENT) -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name=name, display_name=name.title(), role=role, password_hash="x")
        session.add(user)
    return Actor("main", user.id, name, ROLES[role])


# --------------------------------------------------------------------------- fields and levels


async def test_own_fields_are_typed_and_asked_for(state: AppState, actor: Actor) -> None:
    async def add(key: str, kind: str, **more: Any) -> None:
        await fields.save_field(state.db, actor, key=key, label_zh=key, label_en=key, kind=kind, **more)

    await add("budget", "number")
    await add("city", "choice", choices=[{"value": "sh", "zh": "上海", "en": "Shanghai"}], required=True)
    with pytest.raises(InvalidError) as refused:
        await service.save_customer(state.db, actor, changes={"fields": {"budget": "much"}})
    assert refused.value.field == "fields.budget"
    with pytest.raises(InvalidError) as refused:
        await service.save_customer(state.db, actor, changes={"fields": {"budget": 5}}, complete=True)
    assert refused.value.field == "fields.city" and refused.value.code == "required"
    row = await service.save_customer(
        state.db, actor, complete=True,
        changes={"fields": {"budget": 5, "city": "sh"}, "channels": ["tv", "web"], "gift_consent": True},
    )  # fmt: skip
    assert row.channels == ["tv", "web"] and row.gift_consent is True
    # A flow that knows nothing of the rule may still write, but nothing of the wrong kind.
    assert (await service.update(state.db, "main", row.id, {"last_topic": "bill"})).fields["last_topic"] == "bill"
    with pytest.raises(InvalidError):
        await service.update(state.db, "main", row.id, {"city": "moon"})
    with pytest.raises(InvalidError):
        await service.save_customer(state.db, actor, changes={"channels": ["smoke"]})


async def test_fields_and_levels_are_checked(state: AppState, actor: Actor) -> None:
    for bad in (
        {"key": "Name"},
        {"key": "name"},
        {"kind": "colour"},
        {"kind": "choice"},
        {"label_zh": "", "label_en": ""},
    ):
        given_: dict[str, Any] = {"key": "x", "label_zh": "x", "label_en": "x", "kind": "text"} | bad
        with pytest.raises(InvalidError):
            await fields.save_field(state.db, actor, **given_)
    await fields.save_level(state.db, actor, key="gold", label_zh="金卡", label_en="Gold", priority=20)
    with pytest.raises(ConflictError):
        await fields.save_level(state.db, actor, key="gold", label_zh="金", label_en="G")
    with pytest.raises(InvalidError):
        await fields.save_level(state.db, actor, key="x", label_zh="x", label_en="x", colour="red")
    (row,) = await fields.list_levels(state.db, "main")
    await fields.delete_level(state.db, actor, row.id)
    assert await fields.list_levels(state.db, "main") == []


@settings(deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text())),
)
def test_nothing_of_the_wrong_kind_is_accepted(kind: Kind, value: Any) -> None:
    good = accepts(kind, value, ["a", "b"])
    if value in (None, ""):
        assert good
    elif good:
        kinds: dict[Kind, Any] = {Kind.NUMBER: (int, float), Kind.YES_NO: bool, Kind.CHOICES: list}
        wanted = kinds.get(kind, str)
        assert isinstance(value, wanted)


# --------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("number", "zh", "en", "carrier"),
    [
        ("+8613510000001", "中国 广东省 深圳市", "Shenzhen, Guangdong, China", "China Mobile"),
        ("02161234567", "中国 上海市", "Shanghai, China", ""),
        ("18601234567", "中国 北京市", "Beijing, China", "China Unicom"),
        ("+85291234567", "香港", "Hong Kong", "3"),
    ],
)
def test_regions_of_numbers(number: str, zh: str, en: str, carrier: str) -> None:
    found = region_of(number, "CN")
    assert found is not None
    assert (found.words.zh, found.words.en, found.carrier.en) == (zh, en, carrier)


def test_short_numbers_and_names_have_no_region() -> None:
    assert region_of("8001", "CN") is None and region_of("anonymous", "CN") is None


@settings(deadline=None)
@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True))
def test_a_masked_number_shows_its_end_and_hides_its_middle(number: str) -> None:
    shown = masked(number)
    assert "***" in shown and shown != number
    assert number.endswith(shown.rsplit("*", 1)[1]) and number.startswith(shown.split("*", 1)[0])
    assert sum(sign.isdigit() for sign in shown) == len(number.lstrip("+")) - 4


def test_numbers_are_known_in_every_written_form() -> None:
    forms = written_forms("+862161234567", "CN")
    assert {"+862161234567", "862161234567", "02161234567", "00862161234567"} <= set(forms)


# --------------------------------------------------------------------------- timeline


async def everything(state: AppState, actor: Actor, customer: Customer) -> datetime:
    """One contact of each kind, a minute apart; the oldest is the call."""
    begin = utcnow() - timedelta(hours=1)
    await write_facts(
        state.db,
        [CallStarted("c1", "main", "g", "13510000001", "100", at=begin), CallAnswered("c1"), CallEnded("c1", "normal")],
    )

    def at(minute: int) -> datetime:
        return begin + timedelta(minutes=minute)

    own: dict[str, Any] = {"business_id": "main", "customer_id": customer.id}
    async with write(state.db) as session:
        session.add(Voicemail(**own, key="v", box="service", path="v", created_at=at(1)))
        session.add(
            Recording(
                business_id="main", key="r", path="r", caller=NUMBER, direction="inbound", call_id="c1",
                created_at=at(2),
            )
        )  # fmt: skip
        session.add(
            OutboxMessage(**own, key="m", channel="sms", recipients=[NUMBER], text="Your parcel", created_at=at(3))
        )
        user = User(business_id="main", name="w", role="agent", password_hash="x")
        session.add(user)
        await session.flush()
        session.add(WrapUp(**own, call_id="c1", user_id=user.id, code="sold", note="likes blue", saved_at=at(4)))
        session.add(CustomerNote(**own, text="Prefers mornings", author="Ana", created_at=at(5)))
    await create_task(state.db, actor, NewTask("t", title="Ring again", customer_id=customer.id))
    return begin


async def test_the_timeline_holds_all_kinds_in_order(state: AppState, actor: Actor) -> None:
    customer = await wang(state, actor)
    begin = await everything(state, actor, customer)
    page = await timeline(state.db, "main", customer.id)
    kinds = [one.kind for one in page.items]
    assert kinds == ["task", "note", "result", "message", "recording", "voicemail", "call"] and set(kinds) == set(KINDS)
    seen, after = [], None
    while True:
        part = await timeline(state.db, "main", customer.id, first=2, after=after)
        seen += [one.id for one in part.items]
        after = part.end
        if not part.has_next:
            break
    assert seen == [one.id for one in page.items]
    for search, expected in (("PARCEL", {"message"}), ("blue", {"result"}), ("morn", {"note"}), ("100%", set())):
        found = await timeline(state.db, "main", customer.id, search=search)
        assert {one.kind for one in found.items} == expected
    some = await timeline(state.db, "main", customer.id, kinds=["note", "call"], until=begin + timedelta(minutes=1))
    assert [one.kind for one in some.items] == ["call"]
    with pytest.raises(InvalidError):
        await timeline(state.db, "main", customer.id, kinds=["dream"])


async def test_calls_of_others_with_the_number_are_theirs(state: AppState, actor: Actor) -> None:
    customer = await wang(state, actor)
    await write_facts(
        state.db,
        [CallStarted("mine", "main", "g", NUMBER, "100"), CallStarted("theirs", "main", "g", NUMBER, "100"),
         CallStarted("out", "main", "g", "100", "02161234567", direction="outbound")],
    )  # fmt: skip
    async with write(state.db) as session:
        call = await session.get(Call, "theirs")
        assert call is not None
        call.customer_id = "somebody"
    assert {one.id for one in (await timeline(state.db, "main", customer.id)).items} == {"mine", "out"}


async def test_notes_belong_to_their_authors(state: AppState, actor: Actor) -> None:
    customer = await wang(state, actor)
    ana, bo = await agent(state, "ana"), await agent(state, "bo")
    boss = await agent(state, "boss", Role.SUPERVISOR)
    row = await add_note(state.db, ana, customer.id, " likes tea ")
    assert (row.author, row.text) == ("Ana", "likes tea")
    with pytest.raises(ForbiddenError):
        await change_note(state.db, bo, row.id, "hates tea")
    assert (await change_note(state.db, ana, row.id, "likes green tea")).text == "likes green tea"
    await change_note(state.db, boss, row.id, None)
    assert (await timeline(state.db, "main", customer.id)).items == []
    with pytest.raises(InvalidError):
        await add_note(state.db, ana, customer.id, "  ")


_MANY = """
INSERT INTO calls (id, business_id, direction, gateway, caller, caller_name, called, anonymous, trunk, sip_call_id,
  language, flow_key, state, cause, sip_code, outcome, note, started_at)
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :total)
SELECT 'call-' || n, 'main', 'inbound', 'g', CASE WHEN n % 100 = 0 THEN '13510000001' ELSE '139' || n END, '', '100',
  false, '', '', '', '', 'ended', 'normal', 0, '', '', {started} FROM numbers
"""


@pytest.mark.parametrize(
    "total",
    [
        pytest.param(50_000, marks=pytest.mark.slow),
        pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_a_page_of_a_customer_is_quick_among_many_calls(state: AppState, actor: Actor, total: int) -> None:
    """Every hundredth call is the customer's: a page costs under 100 ms of CPU, whatever else the machine does."""
    customer = await wang(state, actor)
    async with write(state.db) as session:
        connection = await session.connection()
        # A minute apart each, in the database's own words.
        started = (
            "datetime('2024-01-01', '+' || n || ' minutes')"
            if state.db.sqlite
            else "timestamptz '2024-01-01' + n * interval '1 minute'"
        )
        await connection.execute(text(_MANY.format(started=started)).bindparams(total=total))
        await connection.execute(text("ANALYZE"))
    after, times = None, []
    for _ in range(9):
        asked = time.process_time()
        page = await timeline(state.db, "main", customer.id, first=50, after=after)
        times.append(time.process_time() - asked)
        assert len(page.items) == 50
        after = page.end
    assert sorted(times)[len(times) // 2] < 0.1, times


async def test_customers_over_the_api(
    client: ApiClient, state: AppState, actor: Actor, new_client: Callable[[], ApiClient]
) -> None:
    customer = await wang(state, actor)
    await everything(state, actor, customer)
    asked = await client.ask(
        "query($i: String!) { customer(id: $i) { phones numbers { number region { words { en } carrier { zh } } } "
        "timeline(first: 3) { nodes { kind at text number code } hasNext endCursor } } }",
        i=customer.id,
    )
    found = asked["customer"]
    assert found["numbers"][0]["region"]["words"]["en"] == "Shenzhen, Guangdong, China"
    assert found["timeline"]["hasNext"] and [one["kind"] for one in found["timeline"]["nodes"]] == [
        "task",
        "note",
        "result",
    ]
    by_number = await client.ask(
        '{ customerByNumber(number: "135 1000 0001") { name } numberRegion(number: "8001") { words { en } } }'
    )
    assert by_number == {"customerByNumber": {"name": "王芳"}, "numberRegion": None}
    await client.change(
        'mutation { createUser(name: "quinn", password: "orbit-lantern-4712", role: "quality", '
        "mustChangePassword: false) { value { id } errors { code } } }"
    )
    other = new_client()
    await other.sign_in("quinn", "orbit-lantern-4712")
    asked = await other.ask("query($i: String!) { customer(id: $i) { phones } }", i=customer.id)
    assert asked["customer"]["phones"] == ["+86135****0001", "+8621****4567"]
    save = "mutation($i: CustomerFieldInput!) { saveCustomerField(input: $i) { value { key choices { value label { en } } } errors { code } } }"  # noqa: E501
    field = {"key": "city", "labelZh": "城市", "labelEn": "City", "kind": "choice", "choices": [{"value": "sh"}]}
    assert (await client.change(save, i=field))["choices"] == [{"value": "sh", "label": {"en": "sh"}}]
    assert (await other.refusal(save, i=field))["code"] == "forbidden"
    levels = await client.ask(
        "{ customerLevels { key } customerFields { key kind } customerChannels { value label { zh } } }"
    )
    assert len(levels["customerChannels"]) == 15


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        ("+8613510000001", "广东 深圳", "Shenzhen, Guangdong"),
        ("02161234567", "上海", "Shanghai"),
        ("+85291234567", "香港", "Hong Kong"),
        ("+12125550123", "美国", "New York, NY, United States"),
        ("+442079460123", "英国", "London, United Kingdom"),
        ("+886223456789", "台湾地区 台北", "Taipei, Taiwan"),
    ],
)
def test_places_of_numbers_in_a_few_words(number: str, zh: str, en: str) -> None:
    found = place_of(number, "CN")
    assert found is not None and (found.zh, found.en) == (zh, en)
    assert place_of("8001", "CN") is None


def test_a_place_without_a_chinese_name_is_told_by_its_country_at_home_too() -> None:
    found = place_of("2125550123", "US")
    assert found is not None and (found.zh, found.en) == ("美国", "New York, NY")


@settings(deadline=None)
@given(st.from_regex(r"\+(1|44|81|33|49|886|852|61)[0-9]{8,10}", fullmatch=True))
def test_a_place_never_mixes_scripts(number: str) -> None:
    found = place_of(number, "CN")
    if found is not None:
        assert not re.search("[A-Za-z]", found.zh) and not re.search("[\u4e00-\u9fff]", found.en)
