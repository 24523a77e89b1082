"""SIPp: many callers at once, and fixed scenarios.

A scenario is built from steps: ``scenario([Pause(0.5), Key("1"), Pause(1.0), Key("#"), WaitForBye()])``. Keys go
out as RFC 4733 packets that are made here, so that sequence numbers, times and end bits are known.
"""

import asyncio
import csv
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

EVENTS = "0123456789*#ABCD"
PAYLOAD_TYPE = 101
_PACKET_SECONDS = 0.02


def key_packets(
    key: str, *, seconds: float = 0.16, sequence: int = 1, timestamp: int = 8000, ssrc: int = 0x0CA11EDE
) -> list[bytes]:
    """The RTP packets of one key (RFC 4733): the marker on the first, growing durations, three with the end bit."""
    event = EVENTS.index(key)
    count = max(2, round(seconds / _PACKET_SECONDS))
    packets = []
    for index in range(count + 2):
        end = index >= count - 1
        duration = 160 * min(index + 1, count)
        first = 0x80 if index == 0 else 0
        header = struct.pack(
            ">BBHII", 0x80, first | PAYLOAD_TYPE, (sequence + index) & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
        )
        packets.append(header + struct.pack(">BBH", event, (0x80 if end else 0) | 10, duration))
    return packets


def pcap(packets: Sequence[bytes], *, gap: float = _PACKET_SECONDS) -> bytes:
    """A capture file of UDP packets over Ethernet, `gap` seconds apart, as SIPp's ``play_pcap_audio`` reads it."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for index, packet in enumerate(packets):
        udp = struct.pack(">HHHH", 6000, 6000, 8 + len(packet), 0) + packet
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), index, 0, 64, 17, 0, bytes(4), bytes(4))
        frame = bytes(12) + b"\x08\x00" + head + udp
        at = index * gap
        out += struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame
    return out


# --------------------------------------------------------------------------- scenarios


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Key:
    """Keys are numbered by themselves, so that their packets follow one another in one RTP stream."""

    key: str


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


@dataclass(frozen=True, slots=True)
class WaitForBye:
    seconds: float = 30.0


Step = Pause | Key | HangUp | WaitForBye

_INVITE = """
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]S[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP {codec} 101
a=rtpmap:{codec} {name}/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
"""

_REQUEST = """
{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]S[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

"""

_OK = """
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:caller@[local_ip]:[local_port]>
Content-Length: 0

"""


def scenario(steps: Sequence[Step], folder: Path, *, caller: str = "5550001", codec: int = 8) -> Path:
    """Write a caller's scenario and its key captures; returns the scenario file. `codec` is 8 (PCMA) or 0 (PCMU)."""
    folder.mkdir(parents=True, exist_ok=True)
    invite = _INVITE.format(caller=caller, codec=codec, name={0: "PCMU", 8: "PCMA"}[codec])
    body = [
        f'<send retrans="500" start_rtd="1"><![CDATA[{invite}]]></send>',
        *(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 183)),
        '<recv response="200" rtd="1" timeout="20000"/>',
        f"<send><![CDATA[{_REQUEST.format(method='ACK', number=1, caller=caller)}]]></send>",
    ]
    sequence, timestamp = 1, 8000
    ended = False
    for step in steps:
        match step:
            case Pause(seconds=seconds):
                body.append(f'<pause milliseconds="{round(seconds * 1000)}"/>')
                timestamp += round(seconds * 8000)
            case Key(key=key):
                packets = key_packets(key, sequence=sequence, timestamp=timestamp)
                capture = folder / f"key-{sequence}.pcap"
                capture.write_bytes(pcap(packets))
                body.append(f"<nop><action><exec play_pcap_audio={quoteattr(str(capture))}/></action></nop>")
                sequence += len(packets)
                timestamp += 160 * len(packets)
            case HangUp():
                bye = _REQUEST.format(method="BYE", number=2, caller=caller)
                body += [f'<send retrans="500"><![CDATA[{bye}]]></send>', '<recv response="200"/>']
                ended = True
            case WaitForBye(seconds=seconds):
                body.append(f'<recv request="BYE" timeout="{round(seconds * 1000)}"/>')
                body.append(f"<send><![CDATA[{_OK}]]></send>")
                ended = True
    if not ended:
        raise ValueError("a scenario ends with HangUp or WaitForBye")
    file = folder / "scenario.xml"
    lines = "\n".join(body)
    file.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name={quoteattr(escape(caller))}>\n{lines}\n</scenario>\n'
    )
    return file


# --------------------------------------------------------------------------- running


@dataclass(frozen=True, slots=True)
class Result:
    """What SIPp counted. ``response_ms`` are the times from INVITE to 200, one for each call."""

    returncode: int
    successful: int
    failed: int
    response_ms: list[float] = field(default_factory=list)
    errors: str = ""

    def percentile(self, share: float) -> float:
        """Response time in ms that `share` of the calls kept."""
        if not self.response_ms:
            raise ValueError("no call was answered")
        ordered = sorted(self.response_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def run(
    file: Path,
    target: str,
    *,
    service: str = "100",
    calls: int = 1,
    rate: float = 10.0,
    at_once: int = 100,
    host: str = "127.0.0.1",
    rtp_port: int = 6100,
    timeout: float = 60.0,
) -> Result:
    """Run a scenario `calls` times against `target` (``host:port``)."""
    folder = file.parent
    process = await asyncio.create_subprocess_exec(
        *("sipp", target, "-sf", str(file), "-s", service, "-m", str(calls), "-r", str(rate), "-l", str(at_once)),
        *("-i", host, "-mi", host, "-mp", str(rtp_port), "-nostdin"),
        *("-trace_stat", "-stf", str(folder / "stat.csv"), "-fd", "1"),
        *("-trace_rtt", "-rtt_freq", "1"),
        *("-trace_err", "-error_file", str(folder / "errors.log")),
        *("-timeout", f"{timeout:.0f}s", "-timeout_error"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, complaints = await asyncio.wait_for(process.communicate(), timeout + 10)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    errors = folder / "errors.log"
    text = complaints.decode(errors="replace") + (errors.read_text(errors="replace") if errors.exists() else "")
    successful, failed = _counts(folder / "stat.csv")
    times = [one for path in sorted(folder.glob("*_rtt.csv")) for one in _times(path)]
    return Result(process.returncode or 0, successful, failed, times, text.strip())


def _counts(file: Path) -> tuple[int, int]:
    if not file.exists():
        return 0, 0
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    if not rows:
        return 0, 0
    return int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["FailedCall(C)"])


def _times(file: Path) -> list[float]:
    times = []
    for line in file.read_text().splitlines()[1:]:
        parts = line.split(";")
        if len(parts) >= 2:
            times.append(float(parts[1]))
    return times
