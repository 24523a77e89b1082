"""The certificate of the web server: the user's own, or one made at the first start."""

import ipaddress
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.runtime.errors import ProductError
from backend.settings import Settings

YEARS = timedelta(days=825)
RENEW_BEFORE = timedelta(days=30)


def tls_files(settings: Settings) -> tuple[Path, Path]:
    """Certificate and key. Raises `ProductError` when the user's files are missing."""
    if settings.https == "files":
        for name, path in (
            ("CALLWEAVE_TLS_CERTIFICATE", settings.tls_certificate),
            ("CALLWEAVE_TLS_KEY", settings.tls_key),
        ):
            if path is None or not path.is_file():
                raise ProductError(f"the file of {name} is missing: {path or 'not set'}", f"Set {name} to a PEM file")
        assert settings.tls_certificate is not None
        assert settings.tls_key is not None
        return settings.tls_certificate, settings.tls_key
    folder = settings.home / "tls"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (certificate.exists() and key.exists()) or expires(certificate) < datetime.now(UTC) + RENEW_BEFORE:
        make_certificate(settings, certificate, key)
    return certificate, key


def expires(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def make_certificate(settings: Settings, certificate: Path, key: Path) -> None:
    """A self-signed certificate for this machine's names and addresses."""
    private = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
    for text in {"127.0.0.1", settings.http_host, settings.external_address} - {""}:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            names.append(x509.DNSName(text))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Callweave")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + YEARS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(parents=True, exist_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
