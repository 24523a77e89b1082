"""How long a caller will probably wait."""

import math

USUAL_HANDLE = 180.0
"""Seconds that a call takes as long as nobody knows better."""


def expected_wait(place: int, agents: int, handle_seconds: float, free: int = 0) -> float | None:
    """Seconds until the caller at `place` (1 is the first) is served by `agents`, None when there are none.

    With everybody busy, one of n agents becomes free every handle time / n. The callers ahead go first.
    """
    if agents <= 0:
        return None
    ahead = max(0, place - free)
    return ahead * handle_seconds / agents


def spoken_minutes(seconds: float | None) -> int | None:
    """Whole minutes as they are told to callers: rather more than less."""
    return None if seconds is None else max(1, math.ceil(seconds / 60))
