"""Person or answering machine, by the lengths of speech and silence after the answer.

People say a word or two and wait for a reply; machines recite. The rule is that of Asterisk's AMD application, with
limits for speech flags of a real voice detector and for Chinese and Korean greetings as well as English ones.
"""

from dataclasses import dataclass
from typing import Literal

FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class GreetingLimits:
    """Milliseconds, and words.

    ``silence``      nobody has spoken for so long after the answer: silence
    ``greeting``     speech of this length is a recording
    ``after``        a pause of this length after a short greeting: a person waits for a reply
    ``word``         shorter sounds are noise
    ``pause``        a pause of this length ends a word
    ``words``        more words than this are a recording
    ``total``        undecided after so long since the first word: unsure
    """

    silence: int = 4000
    greeting: int = 2200
    after: int = 900
    word: int = 100
    pause: int = 100
    words: int = 6
    total: int = 7000


@dataclass(frozen=True, slots=True)
class Guess:
    """What the greeting sounds like, and by which limit. ``speech_ms`` is how much was said."""

    kind: Literal["person", "machine", "silence", "unsure"]
    cause: str
    speech_ms: int
    words: int


class Greeting:
    """Feed one flag each 20 ms; the first guess is final."""

    def __init__(self, limits: GreetingLimits | None = None) -> None:
        self.limits = limits or GreetingLimits()
        self.guess: Guess | None = None
        self._ms = 0
        self._since_first = 0
        self._speech = 0
        self._silence = 0
        self._word = 0
        self._words = 0

    @property
    def heard_words(self) -> bool:
        """Whether anything was said yet."""
        return self._words > 0

    def feed(self, speech: bool) -> Guess | None:
        if self.guess is None:
            self.guess = self._feed(speech)
        return self.guess

    def _feed(self, speech: bool) -> Guess | None:
        limits = self.limits
        self._ms += FRAME_MS
        if self._words:
            self._since_first += FRAME_MS
        if speech:
            self._silence = 0
            self._word += FRAME_MS
            if self._word == limits.word:
                self._words += 1
                self._speech += self._word
            elif self._word > limits.word:
                self._speech += FRAME_MS
            if self._speech >= limits.greeting:
                return self._guess("machine", f"greeting of {self._speech} ms without a pause for a reply")
            if self._words > limits.words:
                return self._guess("machine", f"{self._words} words without a pause for a reply")
        else:
            self._silence += FRAME_MS
            if self._silence >= limits.pause:
                self._word = 0
            if self._words and self._silence >= limits.after:
                return self._guess("person", f"{self._speech} ms of speech, then a pause")
            if not self._words and self._ms >= limits.silence:
                return self._guess("silence", f"nothing was said for {self._ms} ms")
        if self._since_first >= limits.total:
            return self._guess("unsure", f"undecided {self._since_first} ms after the first word")
        return None

    def _guess(self, kind: Literal["person", "machine", "silence", "unsure"], cause: str) -> Guess:
        return Guess(kind, cause, self._speech, self._words)
