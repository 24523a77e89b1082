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
    assert talk_now({"mode": mode, "parties": parties}, {"agent"}) == expected
