"""The phone of the web app in a real Chromium: what the person at it does, sees and hears.

async with browsers() as chromium:
    async with BrowserPhone(chromium, product.http_url, "ann", "password", folder) as phone:
        await phone.start()
        call = await phone.call("100")
        await phone.active()
        heard = await phone.heard()
"""

import asyncio
import base64
import contextlib
import functools
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
import soundfile
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from telephony.speech.audio import RATE

CHROMIUM = "/usr/bin/chromium"
DESIGNER = Path(__file__).parents[2] / "designer"
PAGE = "/healthz"
"""Any page of the product: the phone is put into it. One made up by the test would be of no machine, and browsers let
such pages reach none of this one."""

_SCRIPT = """
const ask = async (query, variables) => {
  const headers = {'content-type': 'application/json', 'x-callweave': '1'};
  const answer = await fetch('/graphql', {method: 'POST', headers, body: JSON.stringify({query, variables})});
  const told = await answer.json();
  if (told.errors) throw new Error(JSON.stringify(told.errors));
  return told.data;
};
const credentials = async () => {
  const {webPhone} = await ask('mutation { webPhone { value { uri user password wsPath number displayName expiresAt ' +
    'iceServers { urls username credential } } errors { code message { en } } } }');
  if (!webPhone.value) throw new callweavePhone.PhoneError('credentials_refused', webPhone.errors[0].code);
  return webPhone.value;
};
window.askApi = ask;
window.heard = [];
window.errors = [];
window.phone = new callweavePhone.Phone({credentials, autoAnswer: () => window.autoAnswer === true});
phone.subscribe(() => {
  const {error} = phone.snapshot();
  if (error && errors.at(-1) !== error.code) errors.push(error.code);
  const stream = phone.audio.srcObject;
  if (stream && stream !== window.listening) {
    window.listening = stream;
    // A context without a sink would stand still; it hears at the rate of telephones.
    const context = new AudioContext({sampleRate: 8000});
    const source = context.createMediaStreamSource(stream);
    const keeper = context.createScriptProcessor(1024, 1, 1);
    keeper.onaudioprocess = (event) => heard.push(event.inputBuffer.getChannelData(0).slice());
    source.connect(keeper);
    keeper.connect(context.destination);
  }
});
window.takeHeard = () => {
  const length = heard.reduce((sum, one) => sum + one.length, 0);
  const all = new Int16Array(length);
  let at = 0;
  for (const one of heard) for (const sample of one) all[at++] = Math.max(-1, Math.min(1, sample)) * 32767;
  let text = '';
  const bytes = new Uint8Array(all.buffer);
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
};
// A microphone that says one tone, when the test wants one of its own.
window.toneMicrophone = (hertz) => {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const level = context.createGain();
    level.gain.value = 0.3;
    tone.frequency.value = hertz;
    const out = context.createMediaStreamDestination();
    tone.connect(level).connect(out);
    tone.start();
    return out.stream;
  };
};
"""


@functools.cache
def bundle() -> str:
    """The phone module of the web app as one script."""
    out = subprocess.run(
        [DESIGNER / "node_modules/.bin/rolldown", "src/phone/index.ts", "--format", "iife", "--name", "callweavePhone",
         "--platform", "browser"],
        cwd=DESIGNER, check=True, capture_output=True, text=True,
    )  # fmt: skip
    # With no output file rolldown prints the bundle, after a line that names it.
    begin = out.stdout.index("var callweavePhone")
    return out.stdout[begin:]


@asynccontextmanager
async def browsers(*arguments: str, microphone: Path | None = None) -> AsyncIterator[Browser]:
    """A Chromium; with `microphone` every page's microphone says that WAV file."""
    extra = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                "--autoplay-policy=no-user-gesture-required",
                "--allow-loopback-in-peer-connection",
                *extra,
                *arguments,
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()


def processes(argument: str) -> list[psutil.Process]:
    """All processes of the Chromium that was started with this argument."""

    def has(process: psutil.Process) -> bool:
        try:
            return argument in process.cmdline()
        except psutil.Error:
            return False

    main = next(one for one in psutil.Process().children(recursive=True) if has(one))
    return [main, *main.children(recursive=True)]


@contextmanager
def frozen(argument: str) -> Iterator[None]:
    """A Chromium that stands still for a while: it sends nothing and says no goodbye, as with its cable pulled."""
    stopped = processes(argument)
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in stopped:
            one.send_signal(signal.SIGCONT)


def kill(argument: str) -> None:
    """End a Chromium as a crash does."""
    for one in processes(argument):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


class BrowserPhone:
    """One person at one page."""

    def __init__(self, browser: Browser, url: str, name: str, password: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._name = name
        self._password = password
        self._folder = folder
        self._context: BrowserContext | None = None
        self.page: Page
        self.console: list[str] = []

    async def __aenter__(self) -> Self:
        context = self._context = await self._browser.new_context(bypass_csp=True)
        self.page = await context.new_page()
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda problem: self.console.append(str(problem)))
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._context is not None:
            with contextlib.suppress(Exception):
                await self._context.close()

    async def open(self) -> None:
        """Open the page, or open it anew, and sign in."""
        await self.page.goto(self._url + PAGE)
        for script in (await asyncio.to_thread(bundle), _SCRIPT):
            await self.page.add_script_tag(content=script)
        answer = await self.ask(
            "mutation($n: String!, $p: String!) { login(name: $n, password: $p) { errors { code } } }",
            n=self._name,
            p=self._password,
        )
        assert answer["login"]["errors"] == [], answer

    async def ask(self, query: str, **variables: Any) -> Any:
        """Ask the API as this person."""
        return await self.page.evaluate("([q, v]) => askApi(q, v)", [query, variables])

    async def start(self, *, tone: float | None = None, auto_answer: bool = False) -> None:
        """Become a phone. `tone` is what its microphone says."""
        if tone is not None:
            await self.page.evaluate("(hertz) => toneMicrophone(hertz)", tone)
        await self.page.evaluate("(on) => { window.autoAnswer = on }", auto_answer)
        await self.page.evaluate("() => phone.start()")

    async def call(self, number: str) -> None:
        await self.page.evaluate("(number) => phone.call(number).then(() => null)", number)

    async def do(self, method: str, *arguments: Any) -> None:
        """Use the phone: ``answer``, ``reject``, ``hangUp``, ``mute``, ``sendKeys``, ``stop``."""
        await self.page.evaluate("([m, a]) => Promise.resolve(phone[m](...a)).then(() => null)", [method, arguments])

    async def snapshot(self) -> Mapping[str, Any]:
        """What the page shows of the phone."""
        told = await self.page.evaluate(
            "() => JSON.stringify({...phone.snapshot(), error: phone.snapshot().error?.code ?? null, errors,"
            " calls: phone.snapshot().calls.map((c) => ({...c, error: c.error?.code ?? null}))})"
        )
        found: dict[str, Any] = json.loads(told)
        return found

    async def until(
        self, what: Callable[[Mapping[str, Any]], bool], name: str, timeout: float = 15.0
    ) -> Mapping[str, Any]:
        """Wait until the phone shows something."""
        end = time.monotonic() + timeout
        while True:
            seen = await self.snapshot()
            if what(seen):
                return seen
            if time.monotonic() > end:
                raise AssertionError(f"{name}: not within {timeout:g} s: {seen}; console: {self.console[-10:]}")
            await asyncio.sleep(0.1)

    async def state(self, wanted: str, timeout: float = 15.0) -> Mapping[str, Any]:
        """Wait for a state of the newest call."""
        seen = await self.until(lambda one: bool(one["calls"]) and one["calls"][-1]["state"] == wanted, wanted, timeout)
        found: Mapping[str, Any] = seen["calls"][-1]
        return found

    async def quality(self) -> Mapping[str, Any]:
        """The connection's own counts of what was received."""
        found: Mapping[str, Any] = await self.page.evaluate("() => phone.quality()")
        return found

    async def heard(self) -> Path:
        """A WAV of all that the page has heard since it was opened."""
        sound = np.frombuffer(base64.b64decode(await self.page.evaluate("() => takeHeard()")), dtype="<i2")
        path = self._folder / f"{self._name}-{time.time_ns()}.wav"
        await asyncio.to_thread(soundfile.write, path, sound, RATE)
        return path
