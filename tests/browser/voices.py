"""People at real pages who say one tone each, and what each of them hears.

All sit in one Chromium, whose fake microphone is one for the whole process. So each page's ``getUserMedia`` is
replaced by a source of the same kind, a live audio track, that says a tone of its own (an oscillator of WebAudio).
From there on all is the product's: its phone puts the track into a real WebRTC connection, Chromium encodes it and
sends it as DTLS-SRTP to Asterisk. What a person hears is taken from the ``<audio>`` element that the product plays,
after Chromium has decoded what came over the network. The customer is a SIP telephone of another make.
"""

import asyncio
import base64
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, expect

from backend.runtime.testing import Product
from telephony.speech.audio import RATE
from tests.browser.pages import People
from tests.journeys.floor import HERTZ, LOUD, QUIET_DB, strength
from tests.journeys.people import PASSWORD, make_user
from tests.journeys.scenes import tone
from tests.phones.audio import load, longest_silence
from tests.phones.phone import Phone, PhoneCall

WINDOW = 4096
"""Samples in which is looked for tones: half a second."""
STEADY = 0.7
"""So many seconds everybody has to hear the same before it counts: more than a window."""

_SCRIPT = """
(() => {
  const HERTZ = %(hertz)s, WINDOW = %(window)d;
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext(), tone = context.createOscillator(), level = context.createGain();
    const out = context.createMediaStreamDestination();
    tone.frequency.value = HERTZ;
    level.gain.value = 0.3;
    tone.connect(level).connect(out);
    tone.start();
    await context.resume();
    (window.microphones ??= []).push(context);
    return out.stream;
  };
  let context, source, ear, element;
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this.srcObject) {
      element = this;
      context ??= new AudioContext({sampleRate: %(rate)d});
      ear ??= new AnalyserNode(context, {fftSize: WINDOW});
      source?.disconnect();
      source = context.createMediaStreamSource(this.srcObject);
      source.connect(ear);
      void context.resume();
    }
    return play.call(this);
  };
  // The latest half second of what the page plays; null while it plays nothing.
  window.heardNow = () => {
    if (!element || element.paused || element.muted || context.state !== 'running') return null;
    const heard = new Float32Array(WINDOW);
    ear.getFloatTimeDomainData(heard);
    const bytes = new Uint8Array(Int16Array.from(heard, (one) => Math.max(-1, Math.min(1, one)) * 32767).buffer);
    return btoa(String.fromCharCode(...bytes));
  };
})();
"""


def whom(samples: NDArray[np.floating[Any]], listener: str) -> set[str]:
    """Whose tones are in a sound; ``music`` when it is something else, nothing in silence."""
    heard = {
        name for name, hertz in HERTZ.items() if name != listener and strength(samples.astype(np.float32), hertz) > LOUD
    }
    if heard:
        return heard
    level = 20 * np.log10(float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) + 1e-9)
    return {"music"} if level > QUIET_DB else set()


@dataclass
class Voice:
    """Somebody at a page. ``name`` tells their tone."""

    name: str
    extension: str
    user_id: str
    page: Page

    async def heard(self) -> set[str]:
        told = await self.page.evaluate("() => window.heardNow?.() ?? null")
        if told is None:
            return {"plays nothing"}
        samples = np.frombuffer(base64.b64decode(told), dtype="<i2").astype(np.float32) / 32768
        return whom(samples, self.name)

    async def answers(self) -> None:
        """Take the call that rings."""
        await self.page.locator(".cw-ring .cw-answer").click()

    async def presses(self, words: str) -> None:
        """Press a button of the call bar by the words that it begins with."""
        await self.page.locator(".cw-callbar").get_by_role("button", name=re.compile(f"^{words}")).click()

    async def chooses(self, button: str, target: str, confirm: str, kind: str = "Colleague") -> None:
        """Open a dialog of the call bar, choose whom, confirm."""
        await self.presses(button)
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_text(kind, exact=True).first.click()
        whom = dialog.get_by_role("textbox" if kind == "Number" else "combobox", name=kind)
        if kind == "Number":
            await whom.fill(target)
        else:
            await whom.click()
            await self.page.locator(".ant-select-item-option").filter(has_text=target).first.click()
        await dialog.get_by_role("button", name=confirm, exact=True).click()
        await expect(dialog).to_be_hidden()


@dataclass
class Customer:
    """Somebody outside, at a telephone."""

    phone: Phone
    folder: Path
    call: PhoneCall | None = None

    async def calls(self, product: Product, number: str) -> PhoneCall:
        call = self.call = await self.phone.call(f"sip:{number}@127.0.0.1:{product.sip_port}")
        await call.confirmed()
        await call.play(tone(self.folder / "customer.wav", HERTZ["customer"], 300.0), loop=True)
        return call

    def now(self) -> float:
        """Where this moment lies in what is recorded."""
        assert self.call is not None
        return time.time() - self.call.listening_since

    async def longest_silence(self, since: float) -> float:
        """The longest silence that was heard since a moment."""
        assert self.call is not None
        return await asyncio.to_thread(longest_silence, self.call.heard, after=since)

    async def heard(self) -> set[str]:
        assert self.call is not None
        last = (await asyncio.to_thread(load, self.call.heard))[-WINDOW:]
        return whom(last, "customer") if len(last) == WINDOW else {"nothing yet"}


@dataclass
class Voices:
    """Everybody of one journey."""

    product: Product
    people: People
    customer: Customer
    voices: dict[str, Voice] = field(default_factory=dict)

    async def sits(self, name: str, extension: str, *, role: str = "agent", path: str = "/console") -> Voice:
        """Somebody signs in as an agent with a browser phone and says the tone of that name."""
        user = f"voice-{name}"
        user_id = await make_user(self.product, user, role, extension)
        made = await self.product.graphql(
            "mutation($u: String!, $a: AgentInput!) { saveAgent(userId: $u, agent: $a) { errors { code } } }",
            u=user_id,
            a={"extension": extension, "phoneKind": "browser", "wrapUpSeconds": 0},
        )
        assert made["saveAgent"]["errors"] == [], made
        script = _SCRIPT % {"hertz": HERTZ[name], "window": WINDOW, "rate": RATE}
        page = await self.people.page("/console", name=user, password=PASSWORD, script=script)
        voice = self.voices[name] = Voice(name, extension, user_id, page)
        await begins(page)
        # An earlier test may have left them otherwise.
        forced = await self.product.graphql(
            'mutation($u: String!) { forceAgentState(userId: $u, state: "ready") { errors { code } } }', u=user_id
        )
        assert forced["forceAgentState"]["errors"] == [], forced
        await expect(page.locator(".cw-state-button")).to_contain_text("Ready")
        if path != "/console":
            await page.goto(path)
        return voice

    async def hear(self, timeout: float = 15.0, /, **expected: str) -> None:
        """Wait until everybody hears exactly whom they should, steadily: ``customer="agent third"``, ``"music"``, or
        ``""`` for silence."""
        wanted = {name: set(them.split()) for name, them in expected.items()}
        end, since = time.monotonic() + timeout, 0.0
        while True:
            found = {name: await self._of(name).heard() for name in wanted}
            now = time.monotonic()
            if found != wanted:
                since = 0.0
                assert now < end, f"heard: {found}; wanted: {wanted}"
            elif since == 0.0:
                since = now
            elif now - since > STEADY:
                return
            await asyncio.sleep(0.15)

    async def state(self, name: str) -> str:
        """What the product says an agent does."""
        told = await self.product.graphql("{ agentsLive { userId state } }")
        return next(str(one["state"]) for one in told["agentsLive"] if one["userId"] == self.voices[name].user_id)

    def _of(self, name: str) -> Voice | Customer:
        return self.customer if name == "customer" else self.voices[name]


async def begins(page: Page) -> None:
    """Sign in for work where that is still to be done, and wait for the browser phone."""
    begin = page.get_by_role("button", name="Begin work")
    await expect(begin.or_(page.locator(".cw-state-button"))).to_be_visible()
    if await begin.is_visible():
        await begin.click()
    await expect(page.get_by_text("Browser phone is connected")).to_be_visible()
