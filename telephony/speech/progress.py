"""Who or what is at the other end: tones, speech and silence put together into one verdict.

    progress = CallProgress(SileroVad(), answered=True)
    for frame in frames:                       # 20 ms each
        if (found := progress.feed(frame)) is not None:
            break
    else:
        found = progress.finish()

Before the answer nobody can speak: ring-back tones, music and announcements mean that it still rings, and only busy,
congestion and special information tones end the wait. After the answer a ring-back tone or music means that the call
was answered by something on the way, and the greeting is awaited from anew when it ends.
"""

from collections import deque
from dataclasses import dataclass, field

from telephony.call import Detected, DetectedKind
from telephony.speech.amd import Greeting, GreetingLimits, Guess
from telephony.speech.tones import FRAME_MS, Tone, ToneDetector
from telephony.speech.vad import Vad

_MUSIC_DBM0 = -40.0
_MUSIC_MS = 1400
_MUSIC_TONAL = 0.35
_WINDOW_MS = 2000
_DELAY_FRAMES = 5
_ECHO_MS = 120


@dataclass(frozen=True, slots=True)
class ProgressLimits:
    """Milliseconds.

    ``modem``         how long after an answer tone that fax and modem share the fax's own signal is awaited
    ``beep``          the longest greeting, when the beep of a machine is awaited
    ``beep_silence``  a pause of this length after the greeting: there will be no beep
    """

    greeting: GreetingLimits = field(default_factory=GreetingLimits)
    modem: int = 4500
    beep: int = 40_000
    beep_silence: int = 4000


class CallProgress:
    """Feed frames of 20 ms (320 bytes of 16 bit, 8 kHz) until there is a verdict.

    - ``answered`` may be set while it runs; the greeting counts from then.
    - With `wait_for_beep` a machine is told when its beep is over (``beep``), or when it is clear that none comes.
    - `finish` gives the verdict at the end of patience: still ringing, silence or unsure.
    """

    def __init__(
        self, vad: Vad, *, answered: bool, wait_for_beep: bool = False, limits: ProgressLimits | None = None
    ) -> None:
        self.limits = limits or ProgressLimits()
        self._vad = vad
        self._answered = answered
        self._wait_for_beep = wait_for_beep
        self._tones = ToneDetector()
        self._greeting = Greeting(self.limits.greeting)
        self._verdict: Detected | None = None
        self._ringing = ""
        self._answer_tone: tuple[int, Tone] | None = None
        self._machine: tuple[int, Detected] | None = None
        self._since_speech = 1_000_000
        self._loud: list[bool] = []
        self._flags: deque[bool | None] = deque()
        self._since_tone = 1_000_000

    @property
    def ms(self) -> int:
        """How much was heard, from the first frame."""
        return self._tones.ms

    @property
    def answered(self) -> bool:
        return self._answered

    @answered.setter
    def answered(self, value: bool) -> None:
        if value and not self._answered:
            self._answered = True
            self._start_again("")

    def feed(self, frame: bytes) -> Detected | None:
        """The verdict, from the frame on that decided it."""
        if self._verdict is None:
            self._verdict = self._feed(frame)
        return self._verdict

    def _feed(self, frame: bytes) -> Detected | None:
        tone = self._tones.feed(frame)
        if tone is not None and (found := self._by_tone(tone)) is not None:
            return found
        if self._answer_tone is not None:
            return self._after_answer_tone()
        if not self._answered:
            self._listen_for_music(speech=False)
            return None
        speech = self._hears_speech(frame)
        if speech is None:
            return None
        self._since_speech = 0 if speech else self._since_speech + FRAME_MS
        if self._machine is not None:
            return self._until_beep()
        self._listen_for_music(speech)
        guess = self._greeting.feed(speech)
        return None if guess is None else self._by_guess(guess)

    def _hears_speech(self, frame: bytes) -> bool | None:
        """Whether there was speech a tenth of a second ago; None for what turned out to be a tone.

        A tone is neither speech nor the pause after it, whatever the voice detector makes of its beginning and end.
        """
        if self._tones.in_tone:
            self._flags = deque([None] * len(self._flags))
            self._since_tone = 0
        else:
            self._since_tone += FRAME_MS
        voice = self._vad.feed(frame)
        self._flags.append(voice if self._since_tone > _ECHO_MS else None)
        return self._flags.popleft() if len(self._flags) > _DELAY_FRAMES else None

    def finish(self) -> Detected:
        """The verdict when nobody wants to wait longer."""
        if self._verdict is not None:
            return self._verdict
        if self._machine is not None:
            return self._machine[1]
        if self._answer_tone is not None:
            return self._by_answer_tone(self._answer_tone[1])
        if self._ringing or not self._answered:
            sure = 0.9 if self._ringing else 0.5
            return self._found("ringback", sure, self._ringing or "not answered, nothing heard")
        if not self._greeting.heard_words:
            return self._found("silence", 0.8, f"nothing was said for {self.ms} ms")
        return self._found("unsure", 0.3, "the greeting was not over")

    def _found(self, kind: DetectedKind, confidence: float, cause: str, *, beep: bool = False) -> Detected:
        return Detected(kind, round(confidence, 2), cause, self.ms, beep)

    # ----------------------------------------------------------------- tones

    def _by_tone(self, tone: Tone) -> Detected | None:
        match tone.kind:
            case "busy":
                return self._found("busy", 0.97, tone.cause)
            case "congestion":
                return self._found("sit", 0.9, tone.cause)
            case "sit":
                return self._found("sit", 0.99, tone.cause)
            case "dial":
                return self._found("sit", 0.8, "dial tone: nobody was called")
            case "ringback":
                self._start_again(tone.cause)
            case "v21":
                return self._found("fax", 0.99, tone.cause)
            case "ced" | "cng" if self._answered or tone.kind == "ced":
                # A machine's beep may have the pitch of a fax's call; then somebody has spoken before.
                if tone.kind == "cng" and (self._machine is not None or self._greeting.heard_words):
                    return self._beeped(tone)
                return self._found("fax", 0.9, tone.cause)
            case "modem":
                return self._found("modem", 0.9, tone.cause)
            case "ansam":
                self._answer_tone = self._answer_tone or (self.ms, tone)
            case "beep" if self._answered:
                return self._beeped(tone)
        return None

    def _beeped(self, tone: Tone) -> Detected | None:
        """A beep counts after words; alone it may be anything."""
        if self._machine is not None or self._greeting.heard_words:
            return self._found("machine", 0.97, tone.cause, beep=True)
        return None

    def _after_answer_tone(self) -> Detected | None:
        """The tone of V.8 is that of modems and of fast fax machines; a fax goes on with V.21."""
        assert self._answer_tone is not None
        since, tone = self._answer_tone
        return self._by_answer_tone(tone) if self.ms - since >= self.limits.modem else None

    def _by_answer_tone(self, tone: Tone) -> Detected:
        return self._found("modem", 0.8, tone.cause)

    # ----------------------------------------------------------------- ringing, music, speech

    def _start_again(self, ringing: str) -> None:
        """What was heard until now was no greeting."""
        if self._machine is None:
            self._ringing = ringing
            self._greeting = Greeting(self.limits.greeting)

    def _listen_for_music(self, speech: bool) -> None:
        """Sound that is neither speech nor tone nor quiet, for most of two seconds: ring-back music."""
        look = self._tones.look
        sounds = look.level > _MUSIC_DBM0 and look.tonal > _MUSIC_TONAL
        self._loud.append(sounds and not speech and self._since_speech > 100)
        if len(self._loud) * FRAME_MS > _WINDOW_MS:
            self._loud.pop(0)
        if sum(self._loud) * FRAME_MS >= _MUSIC_MS and not self._greeting.heard_words:
            self._start_again("music or an announcement while it rings" if not self._answered else "ring-back music")

    def _by_guess(self, guess: Guess) -> Detected | None:
        limits = self.limits.greeting
        match guess.kind:
            case "machine":
                found = self._found("machine", 0.85, guess.cause)
                if not self._wait_for_beep:
                    return found
                self._machine = (self.ms, found)
                return None
            case "person" if sum(self._loud[-45:]) > 25:
                # Nobody waits for a reply while music plays; the voice detector took an instrument for a word.
                self._start_again("ring-back music")
                return None
            case "person":
                # The longer the greeting, the likelier a short recording.
                doubt = min(1.0, guess.speech_ms / limits.greeting)
                return self._found("person", 0.95 - 0.35 * doubt**2, guess.cause)
            case "silence":
                if self._ringing or self._since_tone < 3000:
                    # Between two tones or pieces of music it is silent too; patience ends elsewhere.
                    self._greeting = Greeting(limits)
                    return None
                return self._found("silence", 0.9, guess.cause)
            case "unsure":
                return self._found("unsure", 0.4, guess.cause)

    def _until_beep(self) -> Detected | None:
        assert self._machine is not None
        since, found = self._machine
        over = "" if self._since_speech < self.limits.beep_silence else "then no beep"
        if self.ms - since >= self.limits.beep:
            over = "no beep so far"
        if not over:
            return None
        return Detected("machine", found.confidence, f"{found.cause}, {over}", self.ms)
