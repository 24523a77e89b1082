"""What the wall tells of a talk."""

from typing import Any

import pytest

from backend.agents.talks import NO_TALK, TalkNow, talk_now


def party(role: str, *, hears: str = "talk", up: bool = True, away: bool = False) -> dict[str, Any]:
    return {"channel": role, "role": role, "up": up, "hears": hears, "away": away}


CUSTOMER, AGENT, THIRD = party("customer"), party("agent"), party("third")


@pytest.mark.parametrize(
    ("mode", "parties", "expected"),
    [
        ("talking", [CUSTOMER, AGENT], TalkNow("talking")),
        ("held", [party("customer", hears="music"), AGENT], TalkNow("held")),
        ("consulting", [CUSTOMER, AGENT, THIRD], TalkNow("consulting")),
        ("conference", [CUSTOMER, AGENT, THIRD], TalkNow("conference")),
        # A supervisor makes a conference of a talk and of one on hold, but nobody else is in it.
        ("conference", [CUSTOMER, AGENT, party("supervisor")], TalkNow("talking")),
        ("conference", [party("customer", hears="music"), AGENT, party("supervisor")], TalkNow("held")),
        ("talking", [party("customer", away=True), AGENT], TalkNow("talking", "other")),
        ("talking", [CUSTOMER, party("agent", away=True)], TalkNow("talking", "own")),
        ("talking", [party("customer", away=True), party("agent", away=True)], TalkNow("talking", "own")),
        # Whoever is only called, or only listens, can be missed by nobody.
        ("consulting", [CUSTOMER, AGENT, party("third", up=False, away=True)], TalkNow("consulting")),
        ("talking", [CUSTOMER, AGENT, party("supervisor", away=True)], TalkNow("talking")),
        ("talking", [CUSTOMER, THIRD], NO_TALK),
    ],
)
def test_a_talk_as_it_stands_for_its_agent(mode: str, parties: list[dict[str, Any]], expected: TalkNow) -> None:
    assert talk_now({"mode": mode, "parties": parties}, {"agent"}, {}) == expected


@pytest.mark.parametrize("watching", ["listen", "whisper", "barge"])
def test_a_supervisor_is_a_guest_in_somebodys_call(watching: str) -> None:
    boss = party("supervisor") | {"watching": watching}
    state = {"mode": "conference", "parties": [CUSTOMER, AGENT | {"destination": "extension:8001"}, boss]}
    assert talk_now(state, {"supervisor"}, {"agent": "Ann"}) == TalkNow(guest=watching, host="Ann")
    assert talk_now(state, {"supervisor"}, {}) == TalkNow(guest=watching, host="8001"), "the phone of nobody"
    assert talk_now(state, {"agent"}, {"agent": "Ann"}) == TalkNow("talking")
    rings = {**state, "parties": [CUSTOMER, AGENT, {**boss, "up": False}]}
    assert talk_now(rings, {"supervisor"}, {"agent": "Ann"}) == NO_TALK


def test_who_is_asked_is_a_guest_until_the_call_is_theirs() -> None:
    asked = {"mode": "consulting", "parties": [CUSTOMER, AGENT, THIRD]}
    assert talk_now(asked, {"third"}, {"agent": "Ann"}) == TalkNow("consulting", guest="third", host="Ann")
    theirs = {"mode": "talking", "parties": [CUSTOMER, THIRD | {"role": "agent"}]}
    assert talk_now(theirs, {"third"}, {"third": "Bob"}) == TalkNow("talking")
