"""Conversations as the database and the API tell them."""

from datetime import datetime, timedelta
from typing import Any

from telephony.conversation import View


def as_state(view: View, now: float, at: datetime) -> dict[str, Any]:
    """A conversation as plain data. `now` is the loop's time at the wall clock's `at`."""

    def when(moment: float) -> str:
        return (at - timedelta(seconds=max(0.0, now - moment))).isoformat()

    return {
        "mode": view.mode,
        "since": when(view.since),
        "began": when(view.began),
        "recording": view.recording,
        "third_result": view.third_result,
        "parties": [
            {
                "channel": party.channel,
                "role": party.role,
                "destination": party.destination,
                "up": party.up,
                "hears": party.hears,
                "muted": party.muted,
                "watching": party.watching,
                "away": party.away,
            }
            for party in view.parties
        ],
    }
