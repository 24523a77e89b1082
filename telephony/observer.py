"""What telephony and speech tell whoever measures them.

Set by the product once a process (`observe_with`); until then nobody listens and a word costs less than a
microsecond. Code that has something to tell writes ``observer.current.rendered("en", 0.02)``: it never waits and
never fails for it. Ids of calls are not told: numbers are counted, logs and traces name calls.
"""

from typing import Literal, Protocol

Direction = Literal["inbound", "outbound"]
Recognised = Literal["match", "no_match", "silence", "error"]


class Observer(Protocol):
    """Listens. Every method returns at once and raises nothing. Times are seconds."""

    def call_offered(self, direction: Direction) -> None:
        """A call came in, or somebody is being called on behalf of a flow."""
        ...

    def call_answered(self, direction: Direction, seconds: float) -> None:
        """A call is up, that long after it began."""
        ...

    def call_ended(self, direction: Direction, cause: str, seconds: float) -> None:
        """A call is over; `cause` is a `telephony.driver.HangupCause`."""
        ...

    def key_answered(self, seconds: float) -> None:
        """From the event of the key that decided an entry to the command that plays the next prompt."""
        ...

    def prompt_found(self, cached: bool) -> None:
        """A prompt was wanted; it was in the cache or has to be made."""
        ...

    def rendered(self, language: str, seconds: float, failure: str = "") -> None:
        """An utterance was synthesised in so many seconds; `failure` is the reason of a `SpeechError`."""
        ...

    def speech_process(self, event: Literal["started", "failed"]) -> None:
        """A TTS child process began, or failed at an utterance."""
        ...

    def recognised(self, language: str, result: Recognised, heard: float, worked: float) -> None:
        """A recognition ended: seconds of audio `heard`, seconds of work. Their quotient is the real-time factor."""
        ...

    def event_refused(self, kind: str) -> None:
        """The telephony engine sent something that makes no sense; it was left aside."""
        ...


class Nobody:
    """Listens to nothing."""

    def call_offered(self, direction: Direction) -> None:
        pass

    def call_answered(self, direction: Direction, seconds: float) -> None:
        pass

    def call_ended(self, direction: Direction, cause: str, seconds: float) -> None:
        pass

    def key_answered(self, seconds: float) -> None:
        pass

    def prompt_found(self, cached: bool) -> None:
        pass

    def rendered(self, language: str, seconds: float, failure: str = "") -> None:
        pass

    def speech_process(self, event: Literal["started", "failed"]) -> None:
        pass

    def recognised(self, language: str, result: Recognised, heard: float, worked: float) -> None:
        pass

    def event_refused(self, kind: str) -> None:
        pass


current: Observer = Nobody()


def observe_with(listener: Observer) -> None:
    """From now on `listener` is told; `Nobody()` ends it."""
    global current
    current = listener
