"""Every setting, with its meaning, from the environment (``CALLWEAVE_*``) or ``<home>/callweave.env``.

The environment wins over the file. ``callweave settings`` lists them all. Every port and folder is a setting,
so that two installations run side by side.
"""

import os
import socket
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _home() -> Path:
    return Path(os.environ.get("CALLWEAVE_HOME") or Path.home() / ".callweave").expanduser()


def _own_address() -> str:
    """The address of the interface that leads out of this machine; loopback when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a UDP socket sends nothing: it only makes the system choose an interface (RFC 5737 address).
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


class Settings(BaseSettings):
    """All settings. A field's description is what ``callweave settings`` prints."""

    model_config = SettingsConfigDict(env_prefix="CALLWEAVE_", extra="ignore")

    home: Path = Field(default_factory=_home, description="Folder of everything this installation keeps")
    cache: Path = Field(
        Path.home() / ".cache" / "callweave",
        description="Folder for what can be fetched or made again (the private Asterisk); installations may share it",
    )
    name: str = Field("main", pattern=r"^[a-z0-9-]{1,32}$", description="Name of this gateway and its task queue")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged")
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people, or a JSON object each")
    log_levels: str = Field(
        "",
        pattern=r"^(\s*[A-Za-z0-9_.]+\s*=\s*(debug|info|warning|error)\s*(,|$))*$",
        description="Levels of single loggers, comma separated: backend.runtime=debug,telephony=warning",
    )

    metrics: bool = Field(True, description="Measure, and serve /metrics for Prometheus")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for /metrics; empty: only this machine and administrators read it"
    )
    metrics_host: str = Field("127.0.0.1", description="Address of the port below")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of /metrics of a worker or gateway without the API; 0 for none"
    )
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="OpenTelemetry collector for traces over OTLP/HTTP, as http://collector:4318; empty for no traces",
    )
    otlp_headers: SecretStr = Field(SecretStr(""), description="Headers for the collector, name=value, comma separated")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="Share of runs that are traced, from 0 to 1")

    http_host: str = Field("127.0.0.1", description="Address the web server listens on")
    http_port: int = Field(8080, ge=1, le=65535, description="Port of the web app, GraphQL and files")
    https: Literal["off", "self-signed", "files"] = Field(
        "off", description="HTTPS/WSS: off, with a certificate made at first start, or with the two files below"
    )
    tls_certificate: Path | None = Field(None, description="PEM certificate chain for HTTPS=files")
    tls_key: Path | None = Field(None, description="PEM private key for HTTPS=files")
    public_url: str = Field("", description="Address of the web app as browsers see it; empty to derive it")

    web_folder: Path | None = Field(None, description="Folder of the built web app; empty for the one that ships")

    database_url: str = Field("", description="SQLAlchemy URL; empty for SQLite in the home folder")

    temporal_address: str = Field("", description="host:port of a Temporal cluster; empty for a private dev server")
    temporal_namespace: str = Field("default", description="Temporal namespace")
    temporal_port: int = Field(7233, ge=1, le=65535, description="Port of the private Temporal dev server")
    temporal_ui_port: int = Field(8233, ge=1, le=65535, description="Port of the private Temporal server's UI")

    ari_url: str = Field("", description="ARI of an Asterisk run by others; empty to run a private one")
    ari_user: str = Field("callweave", description="ARI user")
    ari_password: SecretStr = Field(SecretStr(""), description="ARI password; empty to make one at first start")
    ari_port: int = Field(8088, ge=1, le=65535, description="Port of the private Asterisk's ARI, on loopback")
    sip_host: str = Field(  # a telephone system that no telephone reaches is none; what callers may do is guarded above
        "0.0.0.0",  # noqa: S104
        description="Address SIP and RTP listen on; 0.0.0.0 for all, 127.0.0.1 for this machine only",
    )
    sip_port: int = Field(5060, ge=1, le=65535, description="SIP port (UDP and TCP)")
    rtp_ports: str = Field("20000-22000", pattern=r"^\d+-\d+$", description="UDP port range for RTP")
    external_address: str = Field("", description="Public IP address when behind NAT; empty for none")
    local_networks: str = Field(
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16", description="Networks that are reached without NAT, comma separated"
    )
    ice_servers: str = Field(
        "",
        description="STUN and TURN servers for browser phones behind routers, comma separated: "
        "stun:stun.example:3478, user:password@turn:turn.example:3478",
    )
    sip_socket: str = Field(
        "", pattern=r"^(wss?://\S+)?$", description="Asterisk's SIP WebSocket; empty for the private one's"
    )
    max_calls: int = Field(1000, ge=1, description="Calls at once; further ones hear busy")
    fallback_number: str = Field(
        "8001", description="Number rung when a flow fails or Temporal is away; empty for none"
    )

    default_language: str = Field("zh", description="Language of callers until a flow chooses another")
    timezone: str = Field("Asia/Shanghai", description="Time zone of the first business (IANA name)")
    country: str = Field("CN", pattern="^[A-Z]{2}$", description="Country for numbers written nationally (ISO 3166)")
    asr_models: str = Field(
        "",
        description="Language packs for speech recognition: folders of vosk models as zh=/opt/vosk-zh,en=/opt/vosk-en. "
        "Packs in <home>/asr/<language> and Python packages vosk_model_<language> are found by themselves",
    )
    asr_preload: bool = Field(True, description="Load language packs at start, not with the first call that needs them")
    asr_threads: int = Field(2, ge=1, le=64, description="Threads that listen to calls (speech, answering machines)")
    tts_workers: int = Field(2, ge=1, le=32, description="TTS child processes")
    tts_speed: int = Field(100, ge=50, le=200, description="How fast prompts are spoken, in per cent of a voice's rate")

    smtp_url: SecretStr = Field(
        SecretStr(""), description="smtp[s]://user:password@host:port for mail; empty to keep mail in the outbox"
    )
    mail_from: str = Field("callweave@localhost", description="Sender of mail")
    sms_url: SecretStr = Field(SecretStr(""), description="HTTP gateway for SMS; empty to keep SMS in the outbox")
    http_allow: str = Field(
        "", description="Private hosts or networks that flows may reach over HTTP, comma separated (SSRF guard)"
    )

    admin_user: str = Field("admin", description="Sign-in name of the first administrator")
    admin_password: SecretStr = Field(
        SecretStr(""), description="Password of the first administrator; empty to make one"
    )
    session_hours: float = Field(12, gt=0, description="Hours until a sign-in ends without use")

    recording_folder: Path | None = Field(
        None, description="Folder of recordings and voicemail; empty for home/recordings"
    )
    record_calls: bool = Field(True, description="Record every call on both sides")
    retention_days: int = Field(7, ge=1, description="Days the private Temporal server keeps finished runs")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite+aiosqlite:///{self.home / 'callweave.db'}"

    @property
    def recordings(self) -> Path:
        return self.recording_folder or self.home / "recordings"

    @property
    def temporal(self) -> str:
        """host:port of the Temporal server in force."""
        return self.temporal_address or f"127.0.0.1:{self.temporal_port}"

    @property
    def engine_folder(self) -> Path:
        """Folder of this gateway's private Asterisk; gateways of other names may share the home."""
        return self.home / ("asterisk" if self.name == "main" else f"asterisk-{self.name}")

    @property
    def gateway_queue(self) -> str:
        """Task queue of this gateway."""
        return f"gateway-{self.name}"

    @property
    def sip_reached_at(self) -> str:
        """The address by which phones reach SIP: the external one, the one listened on, or this machine's own."""
        if self.external_address:
            return self.external_address
        return _own_address() if ip_address(self.sip_host).is_unspecified else self.sip_host

    @property
    def sip_reached_locally(self) -> str:
        """The address of this machine that SIP and RTP leave from."""
        return _own_address() if ip_address(self.sip_host).is_unspecified else self.sip_host

    @property
    def phone_socket(self) -> str:
        """Where browser phones reach Asterisk, through the web server."""
        return self.sip_socket or f"ws://127.0.0.1:{self.ari_port}/ws"

    @property
    def base_url(self) -> str:
        """Where the web app is reached."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "http" if self.https == "off" else "https"
        host = "127.0.0.1" if self.http_host == "0.0.0.0" else self.http_host  # noqa: S104 - where to look, not to bind
        return f"{scheme}://{host}:{self.http_port}"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    file = _home() / "callweave.env"
    return Settings(_env_file=file if file.exists() else None)
