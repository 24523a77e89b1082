"""The designer's speed in a real Chromium: opening, panning, saving and undoing in a flow of a thousand nodes.

- **open**: from the address to the cards on the screen, without anything kept from before (seconds are of the page)
- **pan**: frames a second while the canvas is dragged, at 100 % and with the whole flow in view
- **save**: from the request of an autosave to its answer
- **undo**: from the key to the frame that shows it
"""

import asyncio
import json
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Request

from backend.runtime.testing import Product, running_product
from bench.figures import Spread, spread
from tests.browser.pages import LOGIN, chromium

FLOW = "bench-tree"
NODES = 1000
WAYS = 3
TARGETS = {"open_ms": 2000, "pan_full_fps": 50, "pan_whole_fps": 25, "save_ms": 300, "undo_ms": 50}


def tree(nodes: int = NODES) -> dict[str, Any]:
    """A tree of menus with three choices each, placed as it would be arranged."""

    def words(number: int) -> dict[str, Any]:
        return {"parts": [{"kind": "text", "text": {"zh": f"第{number}层菜单，请选择。", "en": f"Menu {number}."}}]}

    document: dict[str, Any] = {
        "spec_version": "1.0.0",
        "id": FLOW,
        "kind": "ivr",
        "name": "Thousand nodes",
        "entry": "answer",
        "nodes": {"answer": {"type": "voice.answer", "name": "Answer"}},
        "edges": [{"from": "answer", "port": "next", "to": "n1"}],
    }
    places: dict[str, dict[str, float]] = {"answer": {"x": 0, "y": 0}}
    rows: dict[int, int] = {}
    first_leaf = (nodes - 2) // WAYS + 1
    depth = {1: 1}
    for number in range(1, nodes):
        level = depth[number]
        row = rows[level] = rows.get(level, -1) + 1
        places[f"n{number}"] = {"x": 320 * level, "y": 240 * row}
        children = [number * WAYS - 1 + way for way in range(WAYS)]
        if number <= first_leaf and children[0] < nodes:
            choices = [{"key": str(way + 1), "label": f"way {way + 1}"} for way in range(WAYS)]
            config: dict[str, Any] = {"prompt": words(number), "choices": choices}
            document["nodes"][f"n{number}"] = {"type": "voice.menu", "name": f"Menu {number}", "config": config}
            for way, child in enumerate(children):
                if child < nodes:
                    depth[child] = level + 1
                    document["edges"].append({"from": f"n{number}", "port": str(way + 1), "to": f"n{child}"})
        else:
            config = {"prompt": words(number)}
            document["nodes"][f"n{number}"] = {"type": "voice.say", "name": f"Say {number}", "config": config}
    document["ui"] = {"positions": places}
    return document


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, and frames a second."""

    open: Spread
    pan_full_fps: float
    pan_whole_fps: float
    save: Spread
    undo: Spread
    redo: Spread

    def missed(self) -> list[str]:
        """The targets that were missed, in words."""
        found = {
            "open_ms": self.open.median,
            "save_ms": self.save.median,
            "undo_ms": max(self.undo.median, self.redo.median),
        }
        rates = {"pan_full_fps": self.pan_full_fps, "pan_whole_fps": self.pan_whole_fps}
        return [f"{name} {value:g} > {TARGETS[name]}" for name, value in found.items() if value > TARGETS[name]] + [
            f"{name} {value:g} < {TARGETS[name]}" for name, value in rates.items() if value < TARGETS[name]
        ]


SHOWN = """() => new Promise((done) => {
  const look = () => document.querySelector('.cw-card') && document.querySelector('.react-flow__edge')
    ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})"""
COUNT = """() => {
  window.frames_seen = [];
  const tick = (at) => { window.frames_seen.push(at); window.counting = requestAnimationFrame(tick); };
  window.counting = requestAnimationFrame(tick);
}"""
COUNTED = """() => {
  cancelAnimationFrame(window.counting);
  const seen = window.frames_seen;
  return (seen.length - 1) * 1000 / (seen.at(-1) - seen[0]);
}"""
PRESS = """(shift) => new Promise((done) => {
  const canvas = document.querySelector('.cw-ed-canvas .react-flow');
  const begun = performance.now();
  canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, shiftKey: shift, bubbles: true}));
  requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => done(performance.now() - begun);
    after.port2.postMessage(0);
  });
})"""


async def _opened(page: Page) -> float:
    await page.goto(f"/flows/{FLOW}")
    return float(await page.evaluate(SHOWN)) / 1000


async def _frames(page: Page, seconds: float) -> float:
    """Frames a second while the canvas is dragged about with the middle button."""
    box = await page.locator(".cw-ed-canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down(button="middle")
    await page.evaluate(COUNT)
    steps = int(seconds * 60)
    begun = asyncio.get_running_loop().time()
    for step in range(steps):
        way = step if step < steps / 2 else steps - step
        await page.mouse.move(x - way * 9, y - way * 5)
        await asyncio.sleep(max(0.0, begun + (step + 1) / 60 - asyncio.get_running_loop().time()))
    rate = float(await page.evaluate(COUNTED))
    await page.mouse.up(button="middle")
    return round(rate, 1)


async def _saves(page: Page, count: int) -> list[float]:
    """Seconds of autosaves, each after a node was moved."""
    found: list[float] = []
    await page.locator(".react-flow").focus()
    for _ in range(count):

        def is_save(request: Request) -> bool:
            return request.method == "POST" and "saveDraft" in (request.post_data or "")

        async with page.expect_request_finished(is_save) as saving:
            await page.keyboard.press("ArrowDown")
        request = await saving.value
        found.append(max(0.0, request.timing["responseEnd"] - request.timing["requestStart"]) / 1000)
        await page.wait_for_timeout(1300)
    return found


async def _times(act: Callable[[], Awaitable[Any]], count: int) -> list[float]:
    return [float(await act()) / 1000 for _ in range(count)]


async def measure(browser: Browser, address: str, password: str, *, passes: int = 3, seconds: float = 3) -> Figures:
    """All figures of the flow that is stored already."""
    opened: list[float] = []
    for number in range(passes):
        context = await browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
        signed_in = await context.request.post(
            "/graphql",
            data={"query": LOGIN, "variables": {"name": "admin", "password": password}},
            headers={"x-callweave": "1"},
        )
        assert signed_in.ok, await signed_in.text()
        page = await context.new_page()
        opened.append(await _opened(page))
        if number < passes - 1:
            await context.close()
    await page.wait_for_timeout(2000)
    await page.locator(".react-flow").focus()
    await page.keyboard.press("Shift+Digit0")
    await page.wait_for_timeout(500)
    full = [await _frames(page, seconds) for _ in range(passes)]
    await page.keyboard.press("Shift+Digit1")
    await page.wait_for_timeout(1000)
    whole = [await _frames(page, seconds) for _ in range(passes)]
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Alt+ArrowRight")
    saves = await _saves(page, 2 + passes)
    undone = await _times(lambda: page.evaluate(PRESS, False), 5)
    redone = await _times(lambda: page.evaluate(PRESS, True), 5)
    await context.close()
    return Figures(
        open=spread(opened),
        pan_full_fps=statistics.median(full),
        pan_whole_fps=statistics.median(whole),
        save=spread(saves),
        undo=spread(undone),
        redo=spread(redone),
    )


async def store(product: Product) -> None:
    """Put the flow on the running product."""
    query = (
        "mutation($document: JSON!) { importFlow(document: $document, replace: true) { errors { message { en } } } }"
    )
    told = await product.graphql(query, document=tree())
    assert told["importFlow"]["errors"] == [], json.dumps(told)


async def main(folder: Path, *, passes: int = 3, seconds: float = 3) -> dict[str, Any]:
    """The figures as plain data, with the targets that were missed."""
    async with running_product(folder) as product:
        await store(product)
        password = product.first_sign_in()["admin"]
        async with chromium() as browser:
            figures = await measure(browser, product.http_url, password, passes=passes, seconds=seconds)
    return {**asdict(figures), "nodes": NODES, "missed": figures.missed()}
