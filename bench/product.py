"""The running product under load: key → next prompt and INVITE → 200, beside bare ARI and Asterisk's dialplan."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.runtime.testing import Product, running_product
from bench.calls import AnswerFigures, KeyFigures, failures, invite_to_answer, key_to_prompt, warm_up, write_prompts
from bench.figures import Spread, middle, spread
from bench.references import bare_ari, dialplan

FLOW = "bench"
NUMBER = "190"
Target = Callable[[Path], contextlib.AbstractAsyncContextManager[str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. Seconds are of load, without the calls' beginning."""

    calls: int = 50
    keys_per_second: float = 10
    key_seconds: float = 20
    rates: tuple[float, ...] = (1, 5, 10, 20)
    rate_seconds: float = 10
    passes: int = 3


def flow() -> dict[str, Any]:
    """Answer, then two menus that lead to each other for ever: the product's counterpart of the references."""

    def menu(prompt: str) -> dict[str, Any]:
        return {
            "type": "voice.menu",
            "name": prompt,
            "config": {
                "prompt": {"parts": [{"kind": "recording", "prompt": prompt}]},
                "choices": [{"key": "1", "label": "next"}],
                "tries": 1,
                "timeout": 30,
            },
        }

    return {
        "spec_version": "1.0.0",
        "id": FLOW,
        "kind": "ivr",
        "name": "Benchmark",
        "languages": ["en"],
        "entry": "answer",
        "nodes": {
            "answer": {"type": "voice.answer", "name": "answer"},
            "a": menu("bench-a"),
            "b": menu("bench-b"),
        },
        "edges": [
            {"from": "answer", "port": "next", "to": "a"},
            {"from": "a", "port": "1", "to": "b"},
            {"from": "b", "port": "1", "to": "a"},
        ],
    }


async def upload(product: Product, prompts: Sequence[Path]) -> None:
    """Put sound files into the prompt library under their names."""
    for path in prompts:
        reply = await product.client.post(
            "/files/prompts",
            data={"name": path.stem, "language": "en"},
            files={"file": (path.name, await asyncio.to_thread(path.read_bytes), "audio/wav")},
        )
        assert reply.status_code == 201, reply.text


async def publish(product: Product, document: dict[str, Any], number: str) -> str:
    """Put a flow live behind a number; returns the SIP URI to call."""
    key = document["id"]
    await _do(product, "importFlow(document: $document, replace: true)", "$document: JSON!", document=document)
    await _do(product, f'publishFlow(key: "{key}")')
    await _do(product, f'savePhoneNumber(number: "{number}", flow: "{key}", language: "en")')
    return f"sip:{number}@127.0.0.1:{product.sip_port}"


async def prepare(product: Product, folder: Path) -> str:
    """The benchmark's flow on the running product; returns the SIP URI to call."""
    await upload(product, write_prompts(folder))
    return await publish(product, flow(), NUMBER)


async def _do(product: Product, mutation: str, declared: str = "", **variables: Any) -> None:
    head = f"mutation({declared})" if declared else "mutation"
    data = await product.graphql(f"{head} {{ {mutation} {{ errors {{ code field message {{ en }} }} }} }}", **variables)
    errors = next(iter(data.values()))["errors"]
    assert not errors, json.dumps(errors)


@contextlib.asynccontextmanager
async def callweave(folder: Path) -> AsyncIterator[str]:
    """The product in a home of its own; yields the SIP URI of the benchmark's flow."""
    async with running_product(folder, {"CALLWEAVE_RECORD_CALLS": "false"}) as product:
        yield await prepare(product, folder)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one target showed. ``answers`` is by rate in calls a second."""

    keys: Spread
    answers: dict[str, Spread]
    failures: list[str]


async def measure(target: Target, folder: Path, plan: Plan) -> Figures:
    """Put one target under the load of `plan`."""
    async with target(folder) as uri:
        await warm_up(uri, 20)
        keys: KeyFigures = await key_to_prompt(
            uri, calls=plan.calls, keys_per_second=plan.keys_per_second, seconds=plan.key_seconds
        )
        answers: dict[str, AnswerFigures] = {}
        for rate in plan.rates:
            answers[f"{rate:g}"] = await invite_to_answer(uri, rate=rate, seconds=plan.rate_seconds)
            await asyncio.sleep(2)
    return Figures(
        keys=spread(keys.seconds),
        answers={rate: spread(figures.seconds) for rate, figures in answers.items()},
        failures=list(failures(keys, *answers.values())),
    )


def together(passes: Sequence[Figures]) -> dict[str, Any]:
    """Several passes as one, as plain data: each figure is the median of its passes."""
    return {
        "keys": asdict(middle([one.keys for one in passes])),
        "answers": {rate: asdict(middle([one.answers[rate] for one in passes])) for rate in passes[0].answers},
        "failures": [failure for one in passes for failure in one.failures],
        "passes": [asdict(one) for one in passes],
    }


async def main(folder: Path, plan: Plan) -> dict[str, Any]:
    """All three targets in turn, as often as the plan says, as plain data."""
    targets: dict[str, Target] = {"callweave": callweave, "bare ARI": bare_ari, "dialplan": dialplan}
    found: dict[str, list[Figures]] = {name: [] for name in targets}
    for number in range(plan.passes):
        for name, target in targets.items():
            found[name].append(await measure(target, folder / f"{number}-{name.replace(' ', '-')}", plan))
    return {name: together(passes) for name, passes in found.items()}
