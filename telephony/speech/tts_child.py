"""The process that speaks: ``python -m telephony.speech.tts_child``. One JSON line in, one JSON line out.

pyttsx3 crashes in threads, hangs after a fork and may return before its file is there, so it lives alone in a
process that is started fresh and may be killed. It ends when its input ends: it never outlives its parent.

In: ``{"text", "voice", "rate", "path", "timeout"}``. Out: first ``{"ready", "engine", "voices"}`` or ``{"fatal"}``,
then ``{"ok", "frames"}`` or ``{"error"}`` for each line.
"""

import json
import os
import sys
import threading
import wave
from importlib.metadata import version
from typing import Any, TextIO


def _engine_version(espeak: Any) -> str:
    import ctypes

    info = espeak.dll.espeak_Info
    info.restype = ctypes.c_char_p
    path = ctypes.c_char_p()
    number = str(info(ctypes.byref(path)).decode()).split(" ")[0]
    return f"pyttsx3-{version('pyttsx3')}/espeak-ng-{number}"


class _Voice:
    """pyttsx3 with what is needed to trust it: every wait is bounded and every result is checked."""

    def __init__(self) -> None:
        import pyttsx3
        from pyttsx3.drivers import _espeak

        self._espeak = _espeak
        self._engine = pyttsx3.init("espeak")
        self._done = threading.Event()
        self._completed = False
        self._errors: list[str] = []
        self._engine.connect("finished-utterance", self._finished)
        self._engine.connect("error", lambda name, exception: self._errors.append(repr(exception)))
        # Until its first utterance pyttsx3 counts as busy and would queue properties instead of setting them.
        self._engine.proxy.setBusy(False)
        self.version = _engine_version(_espeak)
        self.voices = sorted(voice.id for voice in self._engine.getProperty("voices"))

    def _finished(self, name: Any = None, completed: bool = False) -> None:
        self._completed = completed
        self._done.set()

    def say(self, text: str, voice: str, rate: int, path: str, timeout: float) -> int:
        """Write `text` as WAV to `path` and return the number of frames."""
        self._done.clear()
        self._errors.clear()
        # Rate and volume are queued in espeak; left in its queue, they make runAndWait cancel the new utterance.
        self._espeak.Synchronize()
        self._engine.setProperty("voice", voice)
        self._engine.setProperty("rate", rate)
        self._engine.setProperty("volume", 1.0)
        self._espeak.Synchronize()
        if self._errors:
            raise RuntimeError(self._errors[0])
        applied = str(self._engine.getProperty("voice"))
        if voice.lower() != applied.lower():
            raise RuntimeError(f"the voice {voice} was not applied, {applied} is in force")
        self._engine.save_to_file(text, path)
        self._engine.runAndWait()
        if not self._done.wait(timeout):
            raise TimeoutError("the engine never said that it had finished")
        if self._errors:
            raise RuntimeError(self._errors[0])
        if not self._completed:
            raise RuntimeError("the engine cancelled the utterance")
        with wave.open(path, "rb") as file:
            frames, rate_written = file.getnframes(), file.getframerate()
        if frames < rate_written // 50:
            raise RuntimeError(f"the engine wrote {frames} frames only")
        return frames


def main() -> None:
    """Serve until standard input ends."""
    # pyttsx3 prints every file's name; our lines get a descriptor of their own and its words go nowhere.
    out: TextIO = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def reply(**fields: Any) -> None:
        out.write(json.dumps(fields) + "\n")

    try:
        voice = _Voice()
    except BaseException as problem:
        reply(fatal=f"{type(problem).__name__}: {problem}")
        raise SystemExit(1) from problem
    reply(ready=True, engine=voice.version, voices=voice.voices)
    for line in sys.stdin:
        try:
            reply(ok=True, frames=voice.say(**json.loads(line)))
        except Exception as problem:
            reply(error=f"{type(problem).__name__}: {problem}")


if __name__ == "__main__":
    main()
