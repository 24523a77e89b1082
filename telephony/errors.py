"""What can go wrong on a call. Nodes let :class:`HungUp` pass; the runner turns it into the ``hangup`` port."""


class TelephonyError(Exception):
    """Base of all errors of this room. ``reason`` is a stable code, the message is for people."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class HungUp(TelephonyError):  # noqa: N818 - the end of a call is no error
    """The call is over: the far end left, or the engine ended it.

    ``digits`` are those that a collecting in progress had taken.
    """

    digits: str = ""

    def __init__(self, cause: str = "normal") -> None:
        super().__init__("hangup", f"the call has ended: {cause}")
        self.cause = cause


class SpeechError(TelephonyError):
    """Text cannot become audio, or audio text (``no_voice``, ``no_prompt``, ``tts_failed`` ...)."""


class DriverError(TelephonyError):
    """The telephony engine refused a command or is away (``not_found``, ``refused``, ``lost``, ``timeout``)."""
