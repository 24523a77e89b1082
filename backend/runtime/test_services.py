"""The doors between nodes and the product: codes of errors, the rule for anonymous callers, messages sent once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.database import Database
from backend.identity.permissions import system_actor
from backend.migrations import upgrade
from backend.numbers.service import save_extension, save_trunk
from backend.runtime.first_start import first_start
from backend.runtime.services import ServiceBook, anonymous_caller
from backend.security import SecretBox
from backend.settings import Settings
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Services


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[tuple[Settings, Database, SecretBox]]:
    settings = Settings(home=tmp_path)
    async with Database(settings.database) as db:
        await upgrade(db)
        yield settings, db, SecretBox.at(tmp_path)


@pytest.fixture
async def services(home: tuple[Settings, Database, SecretBox]) -> AsyncIterator[Services]:
    settings, db, box = home
    await first_start(settings, db, box)
    book = ServiceBook(settings, db, box)
    yield book("main")
    await book.close()


async def reason(work: object) -> str:
    with pytest.raises(NodeError) as problem:
        await work  # type: ignore[misc]
    return problem.value.failure.reason


async def test_the_first_start_gives_the_hotline_its_data(
    services: Services, home: tuple[Settings, Database, SecretBox]
) -> None:
    settings, db, box = home
    known = await services.customers.find(by="card", value="62220001")
    assert known is not None and known.name == "王芳"
    checked = await services.customers.check_pin(card="62220001", pin="2468", tries=3, key="k1")
    assert checked.result == "ok"
    rows = await services.queries.run("balance-by-card", {"card": "62220001"}, limit=1)
    assert rows[0]["balance"] == 1234.5
    assert await services.lists.match("blocked", "13900000000")
    sheet = settings.home / "first-sign-in.txt"
    assert sheet.stat().st_mode & 0o777 == 0o600
    assert "8001" in sheet.read_text() and "Password" in sheet.read_text()
    before = sheet.read_text()
    await first_start(settings, db, box)
    assert sheet.read_text() == before, "a second start makes nothing new"


async def test_errors_have_the_codes_of_the_contract(services: Services) -> None:
    from datetime import UTC, datetime

    assert await reason(services.calendars.state("nope", datetime.now(UTC))) == "unknown_calendar"
    assert await reason(services.lists.match("nope", "100")) == "unknown_list"
    assert await reason(services.queries.run("nope", {}, limit=1)) == "unknown_query"
    assert await reason(services.customers.update("nope", {"name": "x"})) == "not_found"
    assert await reason(services.telephones.destination("not a number")) == "bad_number"


async def test_numbers_lead_to_phones_and_trunks(
    services: Services, home: tuple[Settings, Database, SecretBox]
) -> None:
    _, db, box = home
    phones = services.telephones
    assert await phones.destination("8001") == "extension:8001"
    assert await reason(phones.destination("+8613800000000")) == "no_trunk"
    actor = system_actor("main")
    await save_trunk(db, box, actor, name="office", host="192.0.2.1", caller_id="+862160000000")
    await save_extension(db, box, actor, number="80021")
    assert await phones.destination("13800000000") == "trunk:office:+8613800000000"
    assert await phones.caller_id() == "+862160000000"
    token = anonymous_caller.set(True)
    try:
        assert await phones.destination("8001") == "extension:8001"
        assert await reason(phones.destination("13800000000")) == "not_allowed"
    finally:
        anonymous_caller.reset(token)


async def test_a_message_without_a_sender_stays_in_the_outbox_once(services: Services) -> None:
    first = await services.messages.send_sms(to="13800000000", text="hello", key="r1-1-1")
    assert await services.messages.send_sms(to="13800000000", text="hello", key="r1-1-1") == first
    assert await reason(services.messages.send_sms(to="no number", text="hello", key="r1-2-1")) in {
        "bad_recipient",
        "bad_number",
    }
