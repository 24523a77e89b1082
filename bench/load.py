"""Many calls held for minutes with sound both ways: do keys still bring their prompt at once, and what does it cost?

Most callers are SIPp's, which talks without pause (RTP stream) and listens to prompts in a loop; twenty are measured
ones that press keys. Reported: key → next prompt, calls that failed or were cut, and the CPU of each process.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import uvloop

from backend.runtime.children import PidFile
from backend.runtime.supervisor import app_pid_file, asterisk_pid_file
from backend.runtime.testing import Product, running_product
from bench import product as calls_flow
from bench.calls import KeyFigures, failures, key_to_prompt, write_prompts
from bench.figures import Spread, spread
from telephony.free_ports import free_ports

MEASURED = 20
KEYS_PER_SECOND = 5.0
RESULTS = Path(__file__).parent / "results"

_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="talks for minutes">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:558[call_number]@[local_ip]:[local_port]>;tag=[pid]S[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:558[call_number]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" timeout="20000"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:558[call_number]@[local_ip]:[local_port]>;tag=[pid]S[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<nop><action><exec rtp_stream="talk.al,-1,8,PCMA/8000"/></action></nop>
<pause milliseconds="{milliseconds}"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:558[call_number]@[local_ip]:[local_port]>;tag=[pid]S[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What SIPp counted of the calls that were held."""

    placed: int
    held_to_the_end: int
    failed: int
    errors: str


@dataclass(slots=True)
class Load:
    """The figures of one load. ``cpu`` is per cent of one core by process, ``packets`` RTP packets a second."""

    calls: int
    minutes: float
    keys: Spread
    held: Held
    most_at_once: int
    packets: float
    cpu: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def looping(document: dict[str, Any]) -> dict[str, Any]:
    """The benchmark's flow, whose menus play again when nobody presses a key."""
    edges = [
        *document["edges"],
        {"from": "a", "port": "timeout", "to": "b"},
        {"from": "b", "port": "timeout", "to": "a"},
    ]
    return {**document, "edges": edges}


async def hold(target: str, folder: Path, *, number: str, calls: int, rate: float, seconds: float) -> Held:
    """Hold `calls` calls of SIPp for `seconds` each, with sound both ways."""
    folder.mkdir(parents=True, exist_ok=True)
    # Ten seconds of soft noise in A-law around its quiet codes, as a person in a room.
    noise = np.random.default_rng(1).integers(0, 16, 80_000, dtype=np.uint8)
    (folder / "talk.al").write_bytes((noise ^ 0xD5).astype(np.uint8).tobytes())
    (folder / "scenario.xml").write_text(_SCENARIO.format(milliseconds=round(seconds * 1000)))
    process = await asyncio.create_subprocess_exec(
        *("sipp", target, "-sf", "scenario.xml", "-s", number, "-m", str(calls), "-r", str(rate), "-l", str(calls)),
        *("-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(free_ports(1)[0]), "-nostdin"),
        *("-mp", "40000"),
        *("-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"),
        *("-timeout", f"{seconds + calls / rate + 60:.0f}s"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode and not (folder / "stat.csv").exists():
        raise RuntimeError(f"sipp did not start: {complaints.decode(errors='replace')[:1000]}")
    rows = (folder / "stat.csv").read_text().splitlines()
    last = dict(zip(rows[0].split(";"), rows[-1].split(";"), strict=False))
    errors = folder / "errors.log"
    return Held(
        placed=int(last["TotalCallCreated"]),
        held_to_the_end=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        errors=errors.read_text(errors="replace")[:2000] if errors.exists() else "",
    )


def processes(product: Product) -> dict[str, psutil.Process]:
    """The product's processes by name."""
    files = {
        "python": app_pid_file(product.settings),
        "asterisk": asterisk_pid_file(product.settings),
        "temporal": PidFile(product.home / "run" / "temporal.pid"),
    }
    found = {name: file.read() for name, file in files.items()}
    return {name: psutil.Process(one.pid) for name, one in found.items() if one is not None}


def cpu_of(of: dict[str, psutil.Process]) -> Iterator[tuple[str, float]]:
    for name, process in of.items():
        times = process.cpu_times()
        yield name, times.user + times.system


async def _most_live(product: Product, seconds: float) -> int:
    """The most calls that the product told to be live at once."""
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        live = await product.graphql("{ liveCalls { id } }")
        most = max(most, len(live["liveCalls"]))
        # Sooner than the server closes a connection on which nothing comes.
        await asyncio.sleep(3)
    return most


async def measure(folder: Path, *, calls: int = 200, minutes: float = 5.0) -> Load:
    """Hold `calls` calls for `minutes` and press keys on some of them."""
    low = 20_000
    environment = {
        "CALLWEAVE_RECORD_CALLS": "false",
        "CALLWEAVE_MAX_CALLS": str(calls + 50),
        "CALLWEAVE_RTP_PORTS": f"{low}-{low + 4 * calls + 200}",
    }
    seconds = minutes * 60
    async with running_product(folder, environment) as product:
        await calls_flow.upload(product, write_prompts(folder))
        uri = await calls_flow.publish(product, looping(calls_flow.flow()), calls_flow.NUMBER)
        held, rate = calls - MEASURED, 10.0
        target = f"127.0.0.1:{product.sip_port}"
        holding = asyncio.create_task(
            hold(target, folder / "sipp", number=calls_flow.NUMBER, calls=held, rate=rate, seconds=seconds)
        )
        await asyncio.sleep(held / rate + 2)
        watched, loopback = processes(product), psutil.net_io_counters(pernic=True)["lo"]
        before, began = dict(cpu_of(watched)), time.monotonic()
        watching = asyncio.create_task(_most_live(product, seconds - 20))
        keys: KeyFigures = await key_to_prompt(
            uri, calls=MEASURED, keys_per_second=KEYS_PER_SECOND, seconds=seconds - held / rate - 10, talking=True
        )
        passed = time.monotonic() - began
        cpu = {name: round((spent - before[name]) / passed * 100, 1) for name, spent in cpu_of(watched)}
        packets = (psutil.net_io_counters(pernic=True)["lo"].packets_recv - loopback.packets_recv) / passed
        most = await watching
        result = await holding
        figures = Load(
            calls=calls,
            minutes=minutes,
            keys=spread(keys.seconds),
            held=result,
            most_at_once=most,
            packets=round(packets),
            cpu=cpu,
            failures=list(failures(keys)),
        )
        if result.failed or result.held_to_the_end != held:
            figures.failures.append(f"{held - result.held_to_the_end} held calls did not last")
        return figures


def main() -> None:
    """Measure, print, write ``bench/results/load.json``; ends with 1 when a call failed or a key brought nothing."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        figures = asdict(uvloop.run(measure(Path(folder), calls=options.calls, minutes=options.minutes)))
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2)
    (RESULTS / "load.json").write_text(text + "\n")
    print(text)
    raise SystemExit(1 if figures["failures"] else 0)


if __name__ == "__main__":
    main()
