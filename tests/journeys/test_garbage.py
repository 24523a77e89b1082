"""Malformed SIP at the running product: no process dies, the records stay readable, and a normal call walks."""

import asyncio
import random
import socket
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backend.runtime.children import PidFile
from backend.runtime.probe_phone import Message
from backend.runtime.supervisor import app_pid_file, asterisk_pid_file
from backend.runtime.testing import Product
from tests.journeys import scenes
from tests.journeys.walker import Caller

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

SDP = (
    "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
BAD_SDP = [
    "",
    "v=0",
    "v=0\r\nm=audio 99999999 RTP/AVP 8\r\n",
    "v=0\r\no=- 1 1 IN IP4 999.999.999.999\r\nc=IN IP4 999.1.1.1\r\nm=audio 0 RTP/AVP 999\r\n",
    "\0" * 500,
    SDP.replace("m=audio 40000", "m=audio -1"),
    SDP.replace("IN IP4", "IN IP9"),
    SDP + "a=" + "x" * 8000 + "\r\n",
    SDP + "m=video 1 RTP/AVP 96\r\n" * 60,
    SDP.replace("RTP/AVP 8", "RTP/AVP " + "8 " * 500),
]


class Sender:
    """Sends datagrams; a call that is answered all the same is acknowledged and ended."""

    def __init__(self, port: int, seed: int, *, old_bye: bool = False) -> None:
        self.old_bye = old_bye
        self.chance = random.Random(seed)
        self.target = ("127.0.0.1", port)
        self.answers: dict[int, int] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.own = self._socket.getsockname()[1]
        self._reader: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Sender"]:
        self._reader = asyncio.create_task(self._read())
        try:
            yield self
        finally:
            self._reader.cancel()
            self._socket.close()

    async def _read(self) -> None:
        while True:
            answer = Message.parse(await asyncio.get_running_loop().sock_recv(self._socket, 65536))
            try:
                status = answer.status
            except (IndexError, ValueError):
                continue
            self.answers[status] = self.answers.get(status, 0) + 1
            if status == 200 and answer.get("cseq").endswith("INVITE"):
                invited = int(answer.get("cseq").split()[0])
                await self.send(self._within(answer, "ACK", invited))
                if self.old_bye:
                    await self.send(self._within(answer, "BYE", invited - 1))
                    await asyncio.sleep(0.2)
                await self.send(self._within(answer, "BYE", invited + 1))

    def _within(self, answer: Message, method: str, number: int) -> bytes:
        lines = [
            f"{method} {answer.get('contact').strip('<>') or 'sip:x@127.0.0.1'} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.own};branch=z9hG4bK{self.chance.getrandbits(64):x}",
            f"From: {answer.get('from')}",
            f"To: {answer.get('to')}",
            f"Call-ID: {answer.get('call-id')}",
            f"CSeq: {number} {method}",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")

    async def send(self, datagram: bytes) -> None:
        await asyncio.get_running_loop().sock_sendto(self._socket, datagram[:65000], self.target)

    # ------------------------------------------------------------------ what is sent

    def invite(self, sdp: str = SDP, **headers: str) -> str:
        chance = self.chance
        given = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:{self.own};branch=z9hG4bK{chance.getrandbits(64):x};rport",
            "From": f'"Garbage" <sip:5559999@127.0.0.1>;tag={chance.getrandbits(32):x}',
            "To": "<sip:100@127.0.0.1>",
            "Call-ID": f"{chance.getrandbits(64):x}@garbage",
            "CSeq": "1 INVITE",
            "Contact": f"<sip:5559999@127.0.0.1:{self.own}>",
            "Max-Forwards": "70",
            "Content-Type": "application/sdp",
            "Content-Length": str(len(sdp.encode())),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"INVITE sip:100@127.0.0.1:{self.target[1]} SIP/2.0\r\n{head}\r\n{sdp}"

    def shapes(self) -> list[str]:
        """One of each kind of wrong that somebody has thought of."""
        invite = self.invite
        return [
            *(invite(sdp) for sdp in BAD_SDP),
            invite(CSeq="2 BYE"),
            invite(CSeq="4294967296 INVITE"),
            invite(CSeq="-1 INVITE"),
            invite(CSeq="INVITE"),
            invite(Call_ID=""),
            invite(Call_ID="x" * 5000),
            # No UTF-8: Asterisk could tell nobody of this channel, nor of any other one while it is up.
            invite(Call_ID="\udcff@garbage"),
            invite().replace("sip:100@", "sip:100\udcff@"),
            invite(From="<sip:@>;tag="),
            invite(From='"' + "名" * 2000 + '" <sip:5559999@127.0.0.1>;tag=1'),
            invite(From='"A\\"; DROP TABLE calls; --" <sip:\'%00@127.0.0.1>;tag=2'),
            invite(From='"{{ 7*7 }}${jndi:ldap://x}" <sip:5559999@127.0.0.1>;tag=3'),
            invite(To="<sip:" + "9" * 3000 + "@127.0.0.1>"),
            invite(Via="SIP/2.0/UDP [::::]:99999;branch="),
            invite(Max_Forwards="-5"),
            invite(Content_Length="999999"),
            invite(Content_Length="-1"),
            invite(Content_Type="application/" + "x" * 4000),
            invite(X_Header="y" * 60_000),
            invite(Contact="*"),
            invite(Route="<sip:127.0.0.1;lr>, " * 200 + "<sip:x>"),
            invite(Replaces="a;to-tag=b;from-tag=c"),
            invite(Require="everything"),
            invite(Authorization='Digest username="8001", realm="' + "r" * 3000 + '", response="x"'),
            *(
                invite().replace("INVITE", method)
                for method in ("BYE", "ACK", "CANCEL", "REFER", "UPDATE", "NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH",
                               "INFO", "PRACK", "OPTIONS", "REGISTER", "NONSENSE", "x" * 500)
            ),
            invite().replace("\r\n", "\n"),
            invite().replace("SIP/2.0", "SIP/9.9"),
            invite().replace("sip:100", "sip:" + "%00" * 300),
            "SIP/2.0 200 OK\r\n" + invite().split("\r\n", 1)[1],
            "SIP/2.0 999999 \r\n\r\n",
            "\r\n" * 1000,
            "\0",
        ]  # fmt: skip

    def mutated(self) -> bytes:
        """An INVITE with bytes changed, cut, doubled or moved."""
        data = bytearray(self.invite(self.chance.choice([SDP, *BAD_SDP])).encode())
        for _ in range(self.chance.randint(1, 8)):
            at = self.chance.randrange(len(data))
            match self.chance.randrange(5):
                case 0:
                    data[at] = self.chance.randrange(256)
                case 1:
                    del data[at : at + self.chance.randint(1, 60)]
                case 2:
                    data[at:at] = data[at : at + self.chance.randint(1, 200)] * self.chance.randint(1, 5)
                case 3:
                    data[at:at] = self.chance.choice(string.punctuation).encode() * self.chance.randint(1, 300)
                case _:
                    data[at:at] = self.chance.randbytes(self.chance.randint(1, 30))
            data = data or bytearray(b"x")
        return bytes(data)


def processes(product: Product) -> list[object]:
    """Who runs: the Python process, Asterisk and Temporal, by pid and time of start."""
    files = [app_pid_file(product.settings), asterisk_pid_file(product.settings)]
    found = [file.read() for file in (*files, PidFile(product.home / "run" / "temporal.pid"))]
    assert all(found), found
    return list(found)


async def bombard(product: Product, count: int, seed: int) -> dict[int, int]:
    """Send every shape, and so many mutations; the answers by status."""
    async with Sender(product.sip_port, seed).open() as sender:
        for shape in sender.shapes():
            await sender.send(shape.encode("utf-8", "surrogatepass"))
            await asyncio.sleep(0.01)
        for number in range(count):
            await sender.send(
                sender.mutated() if number % 10 else sender.chance.randbytes(sender.chance.randint(0, 2000))
            )
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        return dict(sender.answers)


async def goes_on(product: Product, caller: Caller, before: list[object]) -> None:
    """A normal call walks, nothing was restarted, the records can be read."""
    walker = await caller()
    await walker.dial()
    await walker.press("greeting", "2")
    await walker.press("menu", "9")
    run = await walker.finished()
    assert run.state == "completed"
    assert processes(product) == before, "no process was started anew"
    await product.healthy()
    await scenes.no_channels(product)
    found = await product.graphql("{ calls(first: 100) { nodes { id caller callerName called cause } } }")
    assert found["calls"]["nodes"]


async def test_malformed_sip_leaves_a_product_that_takes_calls(product: Product, caller: Caller) -> None:
    before = processes(product)
    answers = await bombard(product, 150, seed=4711)
    assert answers, "some of it is close enough to SIP to be refused"
    await goes_on(product, caller, before)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_much_malformed_sip(product: Product, caller: Caller) -> None:
    before = processes(product)
    for seed in range(20):
        await bombard(product, 1000, seed)
        await goes_on(product, caller, before)


async def test_a_bye_with_an_old_sequence_number_is_refused_and_harms_nothing(product: Product, caller: Caller) -> None:
    before = processes(product)
    async with Sender(product.sip_port, 7, old_bye=True).open() as sender:
        for _ in range(3):
            await sender.send(sender.invite(CSeq="5 INVITE").encode())
        await asyncio.sleep(2.0)
    # Each of the old ones, and what is said again because the machine was slow to acknowledge it.
    assert sender.answers[500] >= 3
    assert sender.answers[200] >= 6, "the calls and their right ends"
    await goes_on(product, caller, before)
