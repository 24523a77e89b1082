"""Why a call ended, in the port's words, and how Asterisk is told to end one."""

from telephony.driver import HangupCause

Q850: dict[HangupCause, int] = {
    "normal": 16,
    "busy": 17,
    "no_answer": 19,
    "rejected": 0,
    "unknown_number": 1,
    "unavailable": 20,
    "congestion": 34,
    "cancelled": 16,
    "engine_lost": 34,
    "lost": 44,
    "failed": 38,
}
"""Q.850 codes that make Asterisk answer an unanswered caller with the SIP code that the port promises."""

SILENT = 44
"""What Asterisk says when it ends a channel that has sent no sound for too long."""

_ENDS_A_DIALOG = frozenset({408, 481})
"""Answers to a request within a call that end it."""

_BY_SIP: dict[int, HangupCause] = {
    401: "failed",
    403: "rejected",
    404: "unknown_number",
    407: "failed",
    408: "no_answer",
    410: "unknown_number",
    433: "rejected",
    480: "unavailable",
    484: "unknown_number",
    486: "busy",
    487: "no_answer",
    500: "failed",
    502: "congestion",
    503: "congestion",
    504: "congestion",
    600: "busy",
    603: "rejected",
    604: "unknown_number",
    607: "rejected",
    608: "rejected",
}
_BY_Q850: dict[int, HangupCause] = {
    0: "no_answer",
    1: "unknown_number",
    3: "unavailable",
    16: "no_answer",
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    20: "unavailable",
    21: "rejected",
    22: "unknown_number",
    27: "unavailable",
    28: "unknown_number",
    34: "congestion",
    38: "congestion",
    41: "congestion",
    42: "congestion",
}


def end_code(sip_code: int, *, answered: bool) -> int:
    """The SIP code of a channel's end, 0 for none.

    Asterisk remembers the latest refusal. Of a call that was answered it is that of a request within the call, such as
    a change of the sound that the phone did not want: the call went on, and a BYE has no code.
    """
    return sip_code if not answered or sip_code in _ENDS_A_DIALOG else 0


def hangup_cause(
    q850: int, sip_code: int, *, inbound: bool, answered: bool, ordered: HangupCause | None = None
) -> HangupCause:
    """The cause of a channel's end.

    - An answered call ends normally, whoever ends it, unless its sound stopped coming: Asterisk noticed, or we did.
    - What we ordered is the cause of an unanswered incoming call; without an order the caller gave up.
    - An unanswered outgoing call that we end is cancelled; else the far end's SIP code decides, then Q.850.
    """
    if answered:
        return "lost" if (q850 == SILENT if ordered is None else ordered == "lost") else "normal"
    if inbound:
        return ordered or "cancelled"
    if ordered is not None:
        return "cancelled"
    if sip_code >= 300:
        return _BY_SIP.get(sip_code, "failed")
    return _BY_Q850.get(q850, "failed")
