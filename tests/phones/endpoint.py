"""One SIP phone (PJSIP) in a process of its own: commands as JSON lines on stdin, events as JSON lines on stdout.

The main thread owns every pjsip object, a second thread only reads commands. The process ends by `os._exit`,
because the library's destructors do not survive the interpreter's end.
"""

import argparse
import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

# pjsip writes to descriptor 1 before it is told where to log: the protocol gets a descriptor of its own.
_OUT = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

STATES = {
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_INCOMING: "incoming",
    pj.PJSIP_INV_STATE_EARLY: "early",
    pj.PJSIP_INV_STATE_CONNECTING: "connecting",
    pj.PJSIP_INV_STATE_CONFIRMED: "confirmed",
    pj.PJSIP_INV_STATE_DISCONNECTED: "disconnected",
}
TALKING = (
    pj.PJSUA_CALL_MEDIA_ACTIVE,
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD,
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
)


def emit(event: str, **fields: Any) -> None:
    _OUT.write(json.dumps({"event": event, "t": time.time(), **fields}) + "\n")
    _OUT.flush()


class EndpointCall(pj.Call):  # type: ignore[misc]
    """A call. Its number is the endpoint's own, not pjsip's, which are used again."""

    def __init__(self, phone: "Endpoint", call_id: int = -1) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone
        phone.count += 1
        self.number = phone.count
        phone.calls[self.number] = self
        self.recorder: pj.AudioMediaRecorder | None = None
        self.player: pj.AudioMediaPlayer | None = None

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        state = STATES.get(info.state, "null")
        if state == "disconnected":
            # The recorder is closed first: whoever hears of the end finds the file complete.
            self.recorder = self.player = None
            self.phone.dead.append(self.phone.calls.pop(self.number))
        emit("state", call=self.number, state=state, code=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        # What a callback raises is lost in the library, so it is told here.
        try:
            info = self.getInfo()  # its media live as long as it does
            for media in info.media:
                if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in TALKING:
                    self.wire()
                    emit("media", call=self.number, status=int(media.status))
        except pj.Error as error:
            emit("trouble", call=self.number, reason=f"{error.title}: {error.reason}")
        except Exception as error:
            emit("trouble", call=self.number, reason=repr(error))

    def wire(self) -> None:
        """Connect recorder and player; again after a re-INVITE, which may bring another conference slot."""
        audio = self.getAudioMedia(-1)
        if self.recorder is None:
            path = self.phone.recording_path(self.number)
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(path)
            emit("recording", call=self.number, path=path)
        audio.startTransmit(self.recorder)
        if self.player is not None:
            self.player.startTransmit(audio)

    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:
        method = "info" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc4733"
        emit("digit", call=self.number, digit=prm.digit, method=method)

    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        made = EndpointCall(self.phone)
        prm.newCall = made
        prm.statusCode = 202
        emit("transfer_request", call=self.number, target=prm.dstUri, new=made.number)

    def onCallTransferStatus(self, prm: pj.OnCallTransferStatusParam) -> None:
        emit("transfer_status", call=self.number, code=int(prm.statusCode), final=bool(prm.finalNotify))

    def onCallReplaceRequest(self, prm: pj.OnCallReplaceRequestParam) -> None:
        prm.statusCode = 200

    def onCallReplaced(self, prm: pj.OnCallReplacedParam) -> None:
        made = EndpointCall(self.phone, prm.newCallId)
        prm.newCall = made
        emit("replaced", call=self.number, new=made.number)


class EndpointPlayer(pj.AudioMediaPlayer):  # type: ignore[misc]
    """Plays one file once."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.call = call

    def onEof2(self) -> None:
        emit("played", call=self.call)


class EndpointAccount(pj.Account):  # type: ignore[misc]
    def __init__(self, phone: "Endpoint") -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        emit("registration", code=int(prm.code), reason=prm.reason, active=bool(self.getInfo().regIsActive))

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        call = EndpointCall(self.phone, prm.callId)
        info = call.getInfo()
        emit("incoming", call=call.number, remote=info.remoteUri, local=info.localUri, headers=prm.rdata.wholeMsg)
        if self.phone.auto:
            call.answer(_code(180))
            if self.phone.auto != 180:
                self.phone.later(self.phone.auto_after, call.number, self.phone.auto)


class Endpoint:
    """The phone."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.calls: dict[int, EndpointCall] = {}
        self.dead: list[EndpointCall] = []
        self.count = 0
        self.auto = options.auto
        self.auto_after = options.auto_after
        self.timers: list[tuple[float, int, int]] = []
        self.commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.running = True

        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.consoleLevel = 0
        config.logConfig.level = 5 if options.log else 0
        if options.log:
            config.logConfig.filename = options.log
        config.uaConfig.maxCalls = 4
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        media = config.medConfig
        media.clockRate = media.sndClockRate = 8000
        media.noVad = True
        media.ecTailLen = 0
        media.sndAutoCloseTime = -1
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = options.port
        transport.boundAddress = options.host
        kind = pj.PJSIP_TRANSPORT_TCP if options.tcp else pj.PJSIP_TRANSPORT_UDP
        made = self.endpoint.transportCreate(kind, transport)
        self.port = int(self.endpoint.transportGetInfo(made).localName.rsplit(":", 1)[1])
        self.endpoint.audDevManager().setNullDev()
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            wanted = codec.codecId.split("/")[0] in options.codecs.split(",")
            self.endpoint.codecSetPriority(codec.codecId, 255 if wanted else 0)
        self.account = EndpointAccount(self)
        self.account.create(self._account_config())

    def _account_config(self) -> pj.AccountConfig:
        options = self.options
        config = pj.AccountConfig()
        host = options.registrar or f"{options.host}:{self.port}"
        config.idUri = f'"{options.display or options.user}" <sip:{options.user}@{host}>'
        if options.password:
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", options.user, 0, options.password))
        if options.registrar and options.register:
            config.regConfig.registrarUri = f"sip:{options.registrar}" + (";transport=tcp" if options.tcp else "")
            config.regConfig.timeoutSec = 300
            config.regConfig.retryIntervalSec = 2
        rtp = config.mediaConfig.transportConfig
        rtp.boundAddress = options.host
        rtp.port = random.randrange(24000, 31000, 2)
        rtp.portRange = 400
        return config

    def recording_path(self, call: int) -> str:
        return os.path.join(self.options.folder, f"{self.options.user}-{os.getpid()}-{call}.wav")  # noqa: PTH118

    def later(self, seconds: float, call: int, code: int) -> None:
        self.timers.append((time.monotonic() + seconds, call, code))

    # ----------------------------------------------------------------- commands

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        name = command["do"]
        handler: Callable[[dict[str, Any]], dict[str, Any] | None] = getattr(self, f"do_{name}")
        return handler(command) or {}

    def _of(self, command: dict[str, Any]) -> EndpointCall:
        call = self.calls.get(command["call"])
        if call is None:
            raise LookupError("the call has ended")
        return call

    def do_call(self, command: dict[str, Any]) -> dict[str, Any]:
        call = EndpointCall(self)
        options = pj.CallOpParam(True)
        for name, value in command.get("headers", {}).items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            options.txOption.headers.append(header)
        try:
            call.makeCall(command["uri"], options)
        except pj.Error:
            self.calls.pop(call.number, None)
            raise
        return {"call": call.number}

    def do_answer(self, command: dict[str, Any]) -> None:
        self._of(command).answer(_code(command["code"]))

    def do_hang_up(self, command: dict[str, Any]) -> None:
        self._of(command).hangup(_code(command.get("code", 0)))

    def do_auto(self, command: dict[str, Any]) -> None:
        self.auto, self.auto_after = command["code"], command["after"]

    def do_digits(self, command: dict[str, Any]) -> None:
        options = pj.CallSendDtmfParam()
        options.digits = command["digits"]
        options.duration = command["milliseconds"]
        info = command["info"]
        options.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if info else pj.PJSUA_DTMF_METHOD_RFC2833
        self._of(command).sendDtmf(options)

    def do_play(self, command: dict[str, Any]) -> None:
        call = self._of(command)
        call.player = EndpointPlayer(call.number)
        call.player.createPlayer(command["path"], 0 if command["loop"] else pj.PJMEDIA_FILE_NO_LOOP)
        call.player.startTransmit(call.getAudioMedia(-1))

    def do_stop_playing(self, command: dict[str, Any]) -> None:
        call = self._of(command)
        if call.player is not None:
            call.player.stopTransmit(call.getAudioMedia(-1))
            call.player = None

    def do_hold(self, command: dict[str, Any]) -> None:
        if command["on"]:
            self._of(command).setHold(pj.CallOpParam(True))
        else:
            options = pj.CallOpParam(True)
            options.opt.flag = pj.PJSUA_CALL_UNHOLD
            self._of(command).reinvite(options)

    def do_transfer(self, command: dict[str, Any]) -> None:
        self._of(command).xfer(command["target"], pj.CallOpParam(True))

    def do_transfer_to_call(self, command: dict[str, Any]) -> None:
        self._of(command).xferReplaces(self.calls[command["other"]], pj.CallOpParam(True))

    def do_statistics(self, command: dict[str, Any]) -> dict[str, Any]:
        call = self._of(command)
        rtcp = call.getStreamStat(0).rtcp
        codec = call.getStreamInfo(0).codecName
        return {"received": rtcp.rxStat.pkt, "sent": rtcp.txStat.pkt, "lost": rtcp.rxStat.loss, "codec": codec}

    def do_quit(self, command: dict[str, Any]) -> None:
        self.running = False

    # ----------------------------------------------------------------- life

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        emit("ready", port=self.port)
        while self.running:
            self.endpoint.libHandleEvents(5)
            # Calls are dropped here: in the thread that owns them and outside of their own callbacks.
            self.dead.clear()
            self._fire_timers()
            while self.running:
                try:
                    command = self.commands.get_nowait()
                except queue.Empty:
                    break
                self._handle(command)

    def _handle(self, command: dict[str, Any]) -> None:
        try:
            reply = self.do(command)
        except pj.Error as error:
            reply = {"error": f"{error.title}: {error.reason}"}
        except Exception as error:  # the parent shall see it, whatever it is
            reply = {"error": repr(error)}
        emit("reply", id=command.get("id"), **reply)

    def _fire_timers(self) -> None:
        now = time.monotonic()
        for timer in [one for one in self.timers if one[0] <= now]:
            self.timers.remove(timer)
            call = self.calls.get(timer[1])
            if call is not None:
                call.answer(_code(timer[2]))

    def _read(self) -> None:
        for line in sys.stdin:
            self.commands.put(json.loads(line))
        self.commands.put({"do": "quit"})

    def close(self) -> None:
        try:
            self.endpoint.hangupAllCalls()
            if self.options.registrar and self.options.register:
                self.account.setRegistration(False)
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                self.endpoint.libHandleEvents(10)
                self.dead.clear()
        except pj.Error as error:
            emit("trouble", reason=error.reason)


def _code(code: int) -> pj.CallOpParam:
    options = pj.CallOpParam(True)
    if code:
        options.statusCode = code
    return options


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--display", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--registrar", default="")
    parser.add_argument("--register", action="store_true")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--codecs", default="PCMU,PCMA")
    parser.add_argument("--auto", type=int, default=0)
    parser.add_argument("--auto-after", type=float, default=0.2)
    parser.add_argument("--log", default="")
    phone = Endpoint(parser.parse_args())
    phone.run()
    phone.close()
    emit("bye")
    os._exit(0)


if __name__ == "__main__":
    main()
