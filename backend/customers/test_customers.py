"""Customers and their PINs."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.customers import service
from backend.customers.models import Customer
from backend.database import utcnow, write
from backend.errors import ConflictError, InvalidError, NotFoundError
from backend.identity.permissions import Actor
from backend.state import AppState
from backend.testing import ApiClient
from nodes.sdk.services import PinCheck

WANG = {"name": "王芳", "card": "62220001", "phones": ["13800000001"], "level": "VIP3", "fields": {"channel": "网络"}}


async def wang(state: AppState, actor: Actor) -> Customer:
    return await service.save_customer(state.db, actor, pin="2468", changes=WANG)


async def test_customers_are_found_by_number_card_and_id(state: AppState, actor: Actor) -> None:
    row = await wang(state, actor)
    for by, value in (("phone", "+8613800000001"), ("phone", "138 0000 0001"), ("card", "62220001"), ("id", row.id)):
        found = await service.find(state.db, "main", by=by, value=value)  # type: ignore[arg-type]
        assert found is not None and (found.name, found.phones) == ("王芳", ["+8613800000001"])
        assert await service.find(state.db, "other", by=by, value=value) is None  # type: ignore[arg-type]
    assert await service.find(state.db, "main", by="phone", value="anonymous") is None


async def test_flows_set_fields_of_the_product_and_of_the_business(state: AppState, actor: Actor) -> None:
    row = await wang(state, actor)
    for _ in range(2):
        found = await service.update(
            state.db, "main", row.id, {"level": "gold", "last_topic": "账单", "phones": ["8001"]}
        )
    assert (found.level, found.fields, found.phones) == ("gold", {"channel": "网络", "last_topic": "账单"}, ["8001"])
    bad: list[dict[str, Any]] = [
        {"pin_hash": "x"}, {"business_id": "other"}, {"level": 5}, {"Bad Name": 1}, {"x": object()},
        {"phones": ["not a number"]}, {"x": "y" * 30_000},
    ]  # fmt: skip
    for changes in bad:
        with pytest.raises(InvalidError):
            await service.update(state.db, "main", row.id, changes)
    with pytest.raises(NotFoundError):
        await service.update(state.db, "other", row.id, {"level": "x"})


async def test_a_card_belongs_to_one_customer(state: AppState, actor: Actor) -> None:
    await wang(state, actor)
    with pytest.raises(ConflictError):
        await service.save_customer(state.db, actor, changes={"name": "李强", "card": "62220001"})


async def check(state: AppState, pin: str, key: str, tries: int = 3) -> PinCheck:
    return await service.check_pin(state.db, "main", card="62220001", pin=pin, tries=tries, key=key)


async def test_a_pin_locks_after_wrong_tries_in_a_row(state: AppState, actor: Actor) -> None:
    row = await wang(state, actor)
    assert (await check(state, "1111", "a")).model_dump(exclude={"customer"}) == {"result": "wrong", "left": 2}
    right = await check(state, "2468", "b")
    assert right.result == "ok" and right.customer is not None and right.customer.name == "王芳"
    assert [(await check(state, "0000", key)).result for key in ("c", "d", "e")] == ["wrong", "wrong", "locked"]
    assert (await check(state, "2468", "f")).result == "locked"
    await service.set_pin(state.db, actor, row.id, None)
    assert (await check(state, "2468", "g")).result == "ok"


async def test_a_try_that_runs_again_counts_once(state: AppState, actor: Actor) -> None:
    await wang(state, actor)
    assert [(await check(state, "1111", "same")).left for _ in range(5)] == [2] * 5
    assert (await check(state, "1111", "next")).left == 1


async def test_tries_at_once_do_not_outrun_the_lock(state: AppState, actor: Actor) -> None:
    await wang(state, actor)
    results = await asyncio.gather(*(check(state, f"{n:04d}", f"k{n}") for n in range(10)))
    assert sorted(r.result for r in results) == ["locked"] * 8 + ["wrong"] * 2


async def test_a_lock_ends_by_itself(state: AppState, actor: Actor) -> None:
    await wang(state, actor)
    for key in "abc":
        await check(state, "0000", key)
    async with write(state.db) as session:
        row = (await session.exec(select(Customer))).one()
        assert row.pin_locked_until is not None
        row.pin_locked_until = utcnow() - timedelta(seconds=1)
    assert (await check(state, "2468", "d")).result == "ok"


async def test_an_unknown_card_is_said_to_be_unknown(state: AppState) -> None:
    found = await service.check_pin(state.db, "main", card="none", pin="1234", tries=3, key="k")
    assert found.result == "unknown" and found.customer is None


@pytest.mark.parametrize("pin", ["123", "abcd", "1111", "1234567890123"])
def test_poor_pins_are_refused(pin: str) -> None:
    with pytest.raises(InvalidError):
        service.check_pin_form(pin)


async def test_customers_over_the_api(client: ApiClient) -> None:
    save = "mutation($i: CustomerInput!) { saveCustomer(input: $i) { value { id name phones } errors { code field } } }"
    made = await client.change(save, i=WANG)
    assert made["phones"] == ["+8613800000001"]
    assert (await client.refusal(save, i={"phones": ["12"], "name": "x" * 300}))["field"] == "name"
    for search in ("王", "6222", "138"):
        found = await client.ask("query($s: String!) { customers(search: $s) { nodes { name } } }", s=search)
        assert bool(found["customers"]["nodes"]) == (search != "138")
    found = await client.ask('{ customers(search: "+86138") { nodes { name } } }')
    assert found["customers"]["nodes"] == [{"name": "王芳"}]
