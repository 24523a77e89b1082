"""How well the far end of a call is told apart: many generated and spoken samples, each with what it should be.

`python -m bench.progress` prints the table of kinds against verdicts. The samples are the same on every run: tones
of several countries bent in pitch, tempo and level, greetings of people and machines in Chinese, English and Korean
by the product's own TTS at several pitches, with noise, over A-law and µ-law.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.sip_caller import SipCaller
from telephony.asterisk.testing import running_asterisk
from telephony.call import Detected, DetectedKind
from telephony.calls import CallBook
from telephony.driver import Incoming
from telephony.errors import HungUp
from telephony.live_call import LiveCall
from telephony.prompts import Speak
from telephony.simulated import SimulatedRenderer
from telephony.sounds import Sounds
from telephony.speech import audio, signals
from telephony.speech.asr import LanguagePacks
from telephony.speech.audio import Samples
from telephony.speech.cache import PromptCache
from telephony.speech.ears import SpeechEars
from telephony.speech.progress import CallProgress
from telephony.speech.renderer import NoLibrary, SpeechRenderer
from telephony.speech.tts import EspeakEngine
from telephony.speech.vad import SileroVad, Vad, WebrtcVad

KINDS: tuple[DetectedKind, ...] = (
    "person", "machine", "fax", "modem", "busy", "ringback", "sit", "silence", "unsure",
)  # fmt: skip

PEOPLE = {
    "zh": ("喂", "喂，你好", "你好", "喂，您好，哪位", "您好，请讲", "喂？喂？", "你好，我是王芳", "哎，你说"),
    "en": ("Hello?", "Yes?", "Hello, John speaking", "Good morning", "Hi, this is Anna", "Yeah, hello?"),
    "ko": ("여보세요", "네", "네, 여보세요", "네, 김민수입니다"),
}
MACHINES = {
    "zh": (
        "您好，您拨打的电话暂时无人接听，请在嘀声后留言。",
        "这里是李先生家，我们现在不方便接听电话，请留下您的姓名和电话号码，我们会尽快与您联系。",
        "您好，感谢您的来电。现在是非工作时间，请在提示音后留言。",
        "您所拨打的用户已启用语音信箱，请留言。",
    ),
    "en": (
        "Hello, you have reached the voicemail of John Smith. Please leave a message after the tone.",
        "Hi, this is Anna. I can't come to the phone right now. Please leave your name and number.",
        "The person you are calling is not available. At the tone, please record your message.",
        "Thank you for calling. Our office is closed. Please leave a message after the beep.",
    ),
    "ko": (
        "지금은 전화를 받을 수 없습니다. 삐 소리가 나면 메시지를 남겨 주세요.",
        "연결이 되지 않아 소리샘으로 연결됩니다. 삐 소리 이후 메시지를 남겨 주시기 바랍니다.",
    ),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A call's audio from the answer on, and what it is. ``beep`` is when a machine's beep is over, in ms."""

    kind: DetectedKind
    name: str
    pcm: bytes
    beep: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    sample: Sample
    found: Detected
    cpu: float
    seconds: float


class Corpus:
    """The samples of one seed."""

    def __init__(self, seed: int = 20, rounds: int = 12) -> None:
        self._own = np.random.default_rng(seed)
        self._rounds = rounds

    def _pitch(self) -> float:
        return float(self._own.uniform(0.985, 1.015))

    def _tempo(self) -> float:
        return float(self._own.uniform(0.93, 1.07))

    def _lay(
        self, kind: DetectedKind, name: str, sound: Samples, level: float, *, before: float, after: float
    ) -> Sample:
        snr = self._own.choice([0.0, 30.0, 20.0, 15.0])
        whole = np.concatenate([audio.silence(before), sound, audio.silence(after)])
        law = str(self._own.choice(["alaw", "ulaw"]))
        noise = level - snr if snr else None
        pcm = signals.over_line(whole, law, noise=noise, seed=int(self._own.integers(1 << 30)))
        return Sample(kind, f"{name}, {level:.0f} dBm0, SNR {snr or 'none'}, {law}", pcm)

    def tones(self) -> Iterator[Sample]:
        """Network, fax and modem tones from -35 to 0 dBm0, bent by 1.5 % in pitch and 7 % in time; silence."""
        made: list[tuple[DetectedKind, str, Callable[[float], Samples]]] = []
        for name in signals.NETWORK:
            what = name.split()[0]
            kind: DetectedKind = "sit" if what == "congestion" else "busy" if what == "busy" else "ringback"
            made.append((kind, name, lambda level, name=name: signals.network(  # type: ignore[misc]
                name, 11.0, level, pitch=self._pitch(), tempo=self._tempo())))  # fmt: skip
        made += [
            ("sit", "SIT", lambda level: signals.special_information(level, pitch=self._pitch(), tempo=self._tempo())),
            ("fax", "CED", lambda level: signals.fax_answering(level, pitch=self._pitch())),
            ("fax", "V.21", lambda level: signals.fax_answering(level, tone=False)),
            ("fax", "CNG", lambda level: signals.fax_calling(8.0, level, pitch=self._pitch())),
            ("fax", "ANSam, V.21", lambda level: np.concatenate(
                [signals.answer_tone(3.5, level, pitch=self._pitch()), signals.v21_flags(2.0, level)])),
            ("modem", "ANSam", lambda level: signals.modem_answering(level, pitch=self._pitch())),
            ("modem", "V.22", lambda level: audio.tone([2250.0 * self._pitch()], 4.0, level + signals.DBFS)),
        ]  # fmt: skip
        for kind, name, make in made:
            for _ in range(self._rounds):
                level = float(self._own.uniform(-35, 0))
                yield self._lay(kind, name, make(level), level, before=self._own.uniform(0.1, 1.0), after=1.0)
        for _ in range(self._rounds):
            yield self._lay("silence", "silence", audio.silence(6.0), -60.0, before=0, after=0)

    def music(self) -> Iterator[Sample]:
        """Ring-back music without words."""
        loop = audio.comfort_music()
        for _ in range(self._rounds):
            begin = int(self._own.integers(0, len(loop) - 12 * audio.RATE))
            piece = audio.resample(loop[begin : begin + 12 * audio.RATE], audio.RATE, int(8000 / self._pitch()))
            level = float(self._own.uniform(-28, -8))
            yield self._lay("ringback", "music", signals.speech_at(piece, level), level, before=0.3, after=0)

    async def greetings(self, folder: Path) -> list[Sample]:
        """People and machines, spoken at several pitches and levels; machines end with a beep."""
        found: list[Sample] = []
        async with EspeakEngine(workers=1) as engine:
            renderer = SpeechRenderer(engine, PromptCache(folder), NoLibrary())
            for language in PEOPLE:
                for text in PEOPLE[language]:
                    spoken = await self._spoken(renderer, text, language)
                    times = max(1, self._rounds // 4)
                    found += [self._person(f"{language} {text}", spoken) for _ in range(times)]
                for text in MACHINES[language]:
                    spoken = await self._spoken(renderer, text, language)
                    times = max(1, self._rounds // 2)
                    found += [self._machine(f"{language} {text[:12]}", spoken) for _ in range(times)]
        return found

    async def _spoken(self, renderer: SpeechRenderer, text: str, language: str) -> Samples:
        [media] = await renderer.render([Speak(text)], language)
        return audio.read_audio(media.path)

    def _voice(self, spoken: Samples, level: float) -> Samples:
        """Another voice: higher and faster, or lower and slower."""
        bent = audio.resample(spoken, audio.RATE, int(audio.RATE * float(self._own.uniform(0.85, 1.15))))
        return signals.speech_at(bent, level)

    def _person(self, name: str, spoken: Samples) -> Sample:
        level = float(self._own.uniform(-28, -8))
        return self._lay("person", name, self._voice(spoken, level), level,
                         before=self._own.uniform(0.1, 1.5), after=3.0)  # fmt: skip

    def _machine(self, name: str, spoken: Samples) -> Sample:
        level = float(self._own.uniform(-28, -8))
        before = float(self._own.uniform(0.1, 1.5))
        hertz, length = float(self._own.choice([440, 800, 1000, 1100, 1400])), float(self._own.uniform(0.2, 0.9))
        beep = audio.tone([hertz], length, level + signals.DBFS)
        whole = np.concatenate([self._voice(spoken, level), audio.silence(self._own.uniform(0.3, 1.2)), beep])
        sample = self._lay("machine", f"{name}, beep {hertz:.0f} Hz", whole, level, before=before, after=3.0)
        return Sample(sample.kind, sample.name, sample.pcm, int((before + len(whole) / audio.RATE) * 1000))


def judge(sample: Sample, vad: Vad, *, wait_for_beep: bool = False) -> Result:
    """Feed a sample as a call's audio."""
    progress = CallProgress(vad, answered=True, wait_for_beep=wait_for_beep)
    began = time.process_time()
    for frame in signals.frames(sample.pcm):
        if progress.feed(frame) is not None:
            break
    found = progress.finish()
    return Result(sample, found, time.process_time() - began, progress.ms / 1000)


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Kinds against verdicts, as plain data."""
    counts: dict[str, dict[str, int]] = {}
    for kind in dict.fromkeys(result.sample.kind for result in results):
        own = [result for result in results if result.sample.kind == kind]
        counts[kind] = dict(Counter(result.found.kind for result in own))
    right = sum(result.found.kind == result.sample.kind for result in results)
    decided = {
        kind: int(np.median([r.found.milliseconds for r in results if r.sample.kind == kind])) for kind in counts
    }
    return {
        "samples": len(results),
        "right": right,
        "verdicts": counts,
        "median_ms": decided,
        "cpu_ms_per_second": round(1000 * sum(r.cpu for r in results) / sum(r.seconds for r in results), 1),
        "misses": [
            f"{r.sample.name}: {r.found.kind} ({r.found.cause})" for r in results if r.found.kind != r.sample.kind
        ],
    }


def beeps(results: Sequence[Result]) -> dict[str, Any]:
    """How many beeps were awaited, and how late the verdict came after their end."""
    late = [r.found.milliseconds - r.sample.beep for r in results if r.found.beep]
    early = sum(one < -100 for one in late)
    return {
        "machines": len(results),
        "beep_heard": len(late) - early,
        "too_early": early,
        "median_late_ms": int(np.median(late)) if late else None,
        "misses": [f"{r.sample.name}: {r.found.cause}" for r in results if not r.found.beep],
    }


async def over_rtp(samples: Sequence[Sample], folder: Path, at_once: int = 8) -> list[Result]:
    """The same as real calls: each sample is spoken as RTP into an Asterisk, and the call is listened to."""
    found: dict[str, asyncio.Future[Detected]] = {}
    ears = SpeechEars(LanguagePacks({}, folder))
    turns = asyncio.Semaphore(at_once)

    async with running_asterisk(folder / "asterisk") as (config, driver), SipCaller() as phones:

        async def incoming(call: LiveCall, event: Incoming) -> None:
            try:
                await call.answer()
                verdict = await call.detect(max_seconds=20)
            except HungUp:
                verdict = Detected("unsure", 0.0, "the sample was over", 0)
            found[event.caller].set_result(verdict)
            await call.hang_up()

        async def call_with(sample: Sample, number: str) -> Result:
            async with turns:
                found[number] = asyncio.get_running_loop().create_future()
                began = time.monotonic()
                call = await phones.call(f"sip:100@{config.sip_host}:{config.sip_port}", caller=number, timeout=10)
                call.speak(audio.alaw_encode(np.frombuffer(sample.pcm, dtype="<i2")))
                verdict = await asyncio.wait_for(found[number], 40)
                return Result(sample, verdict, 0.0, time.monotonic() - began)

        book = CallBook(driver, SimulatedRenderer(), sounds=Sounds(None), on_incoming=incoming, ears=ears)
        book.start()
        try:
            work = [call_with(sample, str(5_500_000 + index)) for index, sample in enumerate(samples)]
            return list(await asyncio.gather(*work))
        finally:
            await book.stop()
            ears.close()


async def main(folder: Path, rounds: int = 12, *, calls: bool = False) -> dict[str, Any]:
    """All samples through the detector as it ships, and with WebRTC's voice detector instead."""
    corpus = Corpus(rounds=rounds)
    samples = [*corpus.tones(), *corpus.music(), *await corpus.greetings(folder)]
    if calls:
        return {"calls": summary(await over_rtp(samples, folder))}
    machines = [one for one in samples if one.kind == "machine"]
    return {
        "silero": summary([judge(one, SileroVad()) for one in samples]),
        "webrtc": summary([judge(one, WebrtcVad()) for one in samples]),
        "beep": beeps([judge(one, SileroVad(), wait_for_beep=True) for one in machines]),
    }


def table(figures: dict[str, Any], name: str) -> Table:
    """Kinds against verdicts."""
    one = figures[name]
    made = Table(title=f"Call progress, {name}: {one['right']} of {one['samples']} right", title_justify="left")
    made.add_column("is \\ found")
    for kind in KINDS:
        made.add_column(kind, justify="right")
    made.add_column("median ms", justify="right")
    for kind, found in one["verdicts"].items():
        made.add_row(kind, *(str(found.get(k, "")) for k in KINDS), str(one["median_ms"][kind]))
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.progress", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="samples of each tone")
    parser.add_argument("--calls", action="store_true", help="as real calls, with SIP and RTP through Asterisk")
    parser.add_argument("--json", action="store_true", help="print plain data instead of tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as made_in:
        found_figures = asyncio.run(main(Path(made_in), arguments.rounds, calls=arguments.calls))
    if arguments.json:
        print(json.dumps(found_figures, ensure_ascii=False, indent=2))
    else:
        console = Console()
        for vad_name in ("calls",) if arguments.calls else ("silero", "webrtc"):
            console.print(table(found_figures, vad_name))
            for miss in found_figures[vad_name]["misses"]:
                console.print(f"  missed: {miss}", highlight=False)
            if not arguments.calls:
                console.print(f"  CPU: {found_figures[vad_name]['cpu_ms_per_second']} ms for each second of audio")
        if not arguments.calls:
            console.print("beep:", found_figures["beep"])
