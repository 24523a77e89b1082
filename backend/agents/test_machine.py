"""The states of an agent: what may follow what, for any order of events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.agents import machine as m
from backend.agents.machine import Desk, State, step

AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def walk(*events: m.Event, desk: Desk | None = None) -> Desk:
    """One event a minute."""
    found = desk or Desk(since=AT)
    for number, event in enumerate(events, 1):
        found = step(found, event, AT + timedelta(minutes=number))
    return found


READY = (m.SignIn(ready=True),)
TALKING = (*READY, m.Offered(), m.Answered())


def test_a_call_from_ready_to_ready() -> None:
    desk = walk(*TALKING, m.TalkEnded(30), m.WrapUpDone())
    assert desk.state is State.READY and desk.calls == 1
    assert desk.busy_seconds == 120 and desk.idle_since == desk.since == AT + timedelta(minutes=5)


def test_wrap_up_by_timer_by_hand_and_none() -> None:
    assert walk(*TALKING, m.TalkEnded(30)).until == AT + timedelta(minutes=4, seconds=30)
    by_hand = walk(*TALKING, m.TalkEnded(None))
    assert by_hand.state is State.WRAP_UP and by_hand.until is None
    assert walk(*TALKING, m.TalkEnded(0)).state is State.READY
    assert walk(*TALKING, m.TalkEnded(30), m.GoReady()).state is State.READY


@pytest.mark.parametrize("wish", [m.GoNotReady("lunch"), m.SignOut(), m.GoReady()])
def test_what_is_wished_in_a_call_comes_after_it(wish: m.Event) -> None:
    talking = walk(*TALKING, wish)
    assert talking.state is State.TALKING and talking.wish is not None
    after = walk(m.TalkEnded(10), m.WrapUpDone(), desk=talking)
    assert (after.state, after.reason, after.wish) == (talking.wish.state, talking.wish.reason, None)


def test_too_many_misses_in_a_row_and_only_those() -> None:
    miss = (m.Offered(), m.Missed(2))
    assert walk(*READY, *miss).state is State.READY
    out = walk(*READY, *miss, *miss)
    assert (out.state, out.reason, out.misses) == (State.NOT_READY, m.MISSED, 0)
    assert walk(*READY, *miss, m.Offered(), m.Answered(), m.TalkEnded(0), *miss).state is State.READY
    assert walk(*READY, *((m.Offered(), m.Missed(0)) * 9)).state is State.READY


def test_a_withdrawn_offer_costs_no_place_among_the_idle() -> None:
    desk = walk(*READY, m.Offered(), m.Withdrawn())
    assert desk.state is State.READY and desk.idle_since == AT + timedelta(minutes=1) and desk.misses == 0


def test_own_calls_lead_back_to_where_one_was() -> None:
    away = walk(m.SignIn(reason="lunch"), m.CallBegan())
    assert away.state is State.BUSY
    back = walk(m.CallEnded(), desk=away)
    assert (back.state, back.reason) == (State.NOT_READY, "lunch")
    assert walk(*READY, m.CallBegan(), m.CallEnded()).state is State.READY


def test_a_colleagues_call_rings_talks_and_is_wrapped_up_as_a_queues() -> None:
    away = walk(m.SignIn(reason="lunch"), m.HandedOn())
    assert away.state is State.OFFERED
    assert (walk(m.Withdrawn(), desk=away).state, walk(m.Withdrawn(), desk=away).reason) == (State.NOT_READY, "lunch")
    given = walk(m.TookOver(), m.TalkEnded(30), desk=away)
    assert given.state is State.WRAP_UP and given.calls == 1
    after = walk(m.WrapUpDone(), desk=given)
    assert (after.state, after.reason) == (State.NOT_READY, "lunch")
    # Asked first, then it is theirs; or it never is.
    asked = walk(*READY, m.HandedOn(), m.Asked())
    assert asked.state is State.BUSY and walk(m.CallEnded(), desk=asked).state is State.READY
    assert walk(m.TookOver(), m.TalkEnded(0), desk=asked).state is State.READY
    assert walk(*READY, m.HandedOn(), m.Withdrawn()).idle_since == AT + timedelta(minutes=1)


def test_signing_in_again_changes_nothing() -> None:
    desk = walk(*TALKING)
    assert walk(m.SignIn(), desk=desk) == desk


EVENTS = st.lists(
    st.sampled_from(
        [
            m.SignIn(), m.SignIn(ready=True), m.SignOut(), m.GoReady(), m.GoNotReady("x"), m.Offered(), m.Withdrawn(),
            m.Missed(2), m.Answered(), m.TalkEnded(0), m.TalkEnded(5), m.TalkEnded(None), m.WrapUpDone(), m.CallBegan(),
            m.CallEnded(), m.HandedOn(), m.Asked(), m.TookOver(),
        ]
    ),
    max_size=40,
)  # fmt: skip


@given(EVENTS)
@settings(max_examples=500, deadline=None)
def test_any_order_of_events_keeps_the_desk_whole(events: list[m.Event]) -> None:
    desk = Desk(since=AT)
    for number, event in enumerate(events, 1):
        before = desk
        at = AT + timedelta(seconds=number)
        try:
            desk = step(desk, event, at)
        except m.WrongStateError:
            assert desk == before
            continue
        assert (desk.idle_since is not None) >= (desk.state is State.READY)
        assert desk.until is None or desk.state is State.WRAP_UP
        assert desk.wish is None or desk.state in (*m.ON_A_CALL, State.WRAP_UP)
        assert (desk.signed_in_at is not None) == (desk.state is not State.SIGNED_OUT)
        assert (desk.since <= at and desk.busy_seconds >= 0 and desk.calls >= before.calls) or isinstance(
            event, m.SignIn | m.PhoneLost
        )
        # Only an offer leads to ringing, or the same one again; only an answer to talking.
        if desk.state is State.OFFERED and before.state is not State.OFFERED:
            rings = [(m.Offered, State.READY), (m.PhoneLost, State.TALKING), *((m.HandedOn, one) for one in m.FREE)]
            assert (type(event), before.state) in rings
        if desk.state is State.TALKING and before.state is not State.TALKING:
            assert isinstance(event, m.Answered | m.TookOver)
