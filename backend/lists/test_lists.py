"""Long lists: paged and searched by the server."""

from dataclasses import replace

import pytest

from backend.database import write
from backend.identity.permissions import Actor, Permission
from backend.lists.models import ListEntry, NumberList
from backend.lists.service import list_entries
from backend.state import AppState
from backend.testing import ApiClient

LONG = 1_000


@pytest.fixture
async def long(state: AppState) -> str:
    """A list of many numbers, some with notes; another one holds one of them too."""
    async with write(state.db) as session:
        for name in ("long", "other"):
            session.add(NumberList(id=name, business_id="main", name=name, kind="black"))
        await session.flush()
        session.add_all(
            ListEntry(
                business_id="main", list_id="long", number=f"+86138{at:08}", note="Rings at night, 100 %" * (at == 77)
            )
            for at in range(LONG)
        )
        session.add(ListEntry(business_id="main", list_id="other", number="+8613800000500", note="RINGS"))
    return "long"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("00000500", ["+8613800000500"]),
        ("138 0000 0500", ["+8613800000500"]),
        ("(+86) 138-0000.0500", ["+8613800000500"]),
        ("  rings AT ", ["+8613800000077"]),
        ("100 %", ["+8613800000077"]),
        ("1_0 %", []),
        ("%", ["+8613800000077"]),
        ("---", []),
        ("+861380000099", [f"+86138000009{at}" for at in range(90, 100)]),
    ],
)
async def test_a_part_of_a_number_or_of_a_note_is_enough(
    state: AppState, actor: Actor, long: str, search: str, found: list[str]
) -> None:
    page = await list_entries(state.db, actor, long, search=search)
    assert ([entry.number for entry in page.items], page.has_next) == (found, False)


async def test_whoever_sees_no_whole_numbers_cannot_try_their_digits(state: AppState, actor: Actor, long: str) -> None:
    veiled = replace(actor, permissions=actor.permissions - {Permission.CUSTOMERS_NUMBERS})
    assert (await list_entries(state.db, veiled, long, search="00000500")).items == []
    (whole,) = (await list_entries(state.db, veiled, long, search="+86 138 0000 0500")).items
    assert whole.number == "+8613800000500"


async def test_pages_of_what_is_found_and_how_many_there_are(client: ApiClient, long: str) -> None:
    sizes = (await client.ask("{ numberLists { id size } }"))["numberLists"]
    assert sizes == [{"id": "long", "size": LONG}, {"id": "other", "size": 1}]
    asked = """query($after: String) { numberList(id: "long") { size
      entries(first: 40, after: $after, search: "+86138000009") { nodes { number } endCursor hasNext } } }"""
    seen: list[str] = []
    after, pages = None, 0
    while pages == 0 or after:
        entries = (await client.ask(asked, after=after))["numberList"]["entries"]
        seen += [one["number"] for one in entries["nodes"]]
        after, pages = entries["endCursor"] if entries["hasNext"] else None, pages + 1
    assert (pages, seen) == (3, [f"+8613800000{at}" for at in range(900, 1_000)])
    assert (await client.refusal('{ numberList(id: "none") { id } }'))["code"] == "not_found"
