"""Sealed values, key files, certificates; and that no confidential value lies plain in the database file."""

import ssl
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from backend.customers import service as customers
from backend.database import read
from backend.datasources import service as sources
from backend.errors import InvalidError, NotFoundError
from backend.identity.permissions import Actor
from backend.models import metadata
from backend.numbers import service as numbers
from backend.recordings.files import inside
from backend.security import SealError, SecretBox, api_token, hash_secret, needs_rehash, verify_secret
from backend.settings import Settings
from backend.state import AppState
from backend.tls import TlsError, ensure_certificate, uvicorn_options


def test_what_is_sealed_opens_again_and_shows_nothing(tmp_path: Path) -> None:
    box = SecretBox.at(tmp_path)
    sealed = box.seal("1357 秘密")
    assert sealed.startswith("enc:v1:") and "1357" not in sealed and SecretBox.is_sealed(sealed)
    assert SecretBox.at(tmp_path).reveal(f"card {sealed}, again {sealed}.") == "card 1357 秘密, again 1357 秘密."
    assert box.reveal("nothing here") == "nothing here"
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_new_key_in_front_opens_what_the_old_one_sealed() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = SecretBox(old).seal("x")
    assert SecretBox(new, old).reveal(sealed) == "x"
    with pytest.raises(SealError):
        SecretBox(new).reveal(sealed)


def test_a_key_file_is_never_replaced(tmp_path: Path) -> None:
    assert api_token(tmp_path) == api_token(tmp_path) and len(api_token(tmp_path)) > 40
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(SealError, match="restore"):
        SecretBox.at(tmp_path)


def test_hashes() -> None:
    hashed = hash_secret("2468")
    assert hashed.startswith("$argon2id$") and verify_secret(hashed, "2468")
    assert not verify_secret(hashed, "2469") and not verify_secret(None, "2468") and not verify_secret("rubbish", "x")
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$XTu0jl0zQ8lXqOO9fW6bTA"
    assert needs_rehash(weak)


async def test_no_secret_lies_plain_in_the_database(state: AppState, actor: Actor) -> None:
    marks = ["tr-unk-PASS-77", "ext-PASS-8888", "db-PASS-9999", "key-PASS-1010", "73915"]
    await numbers.save_trunk(
        state.db, state.secrets, actor, name="t1", host="sip.example", username="u", password=marks[0]
    )
    await numbers.save_extension(state.db, state.secrets, actor, number="8001", password=marks[1])
    await sources.save_source(state.db, state.secrets, actor, name="s", url=f"postgresql://u:{marks[2]}@db.example/x")
    await sources.save_credential(
        state.db, state.secrets, actor, name="c", headers={"X-Key": marks[3]}, hosts=["api.example"]
    )
    await customers.save_customer(state.db, actor, pin=marks[4], changes={"name": "x", "card": "1"})
    # A sealed value that opens again shows that the search below looks for what was really stored.
    assert state.secrets.reveal((await numbers.list_trunks(state.db))[0].password) == marks[0]
    resolved = await sources.resolve_credential(state.db, state.secrets, "main", "c")
    assert resolved.credential.headers == {"X-Key": marks[3]} and marks[3] not in repr(resolved)
    if state.db.sqlite:
        await state.db.close()
        content = b"".join(file.read_bytes() for file in state.settings.home.glob("callweave.db*"))
    else:
        async with read(state.db) as session:
            rows = [await session.execute(text(f'SELECT t::text FROM "{table}" t')) for table in metadata.tables]
        content = "\n".join(str(row) for table in rows for row in table.scalars()).encode()
    assert b"sip.example" in content
    assert [mark for mark in marks if mark.encode() in content] == []


def test_stored_paths_never_leave_their_folder(tmp_path: Path) -> None:
    assert inside(tmp_path, "calls/a.wav") == (tmp_path / "calls/a.wav").resolve()
    for path in ("../x.wav", "/etc/passwd", "calls/../../x"):
        with pytest.raises(NotFoundError):
            inside(tmp_path, path)


def test_a_certificate_of_our_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, https="self-signed", public_url="https://calls.example:8443")
    options = uvicorn_options(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["ssl_certfile"], options["ssl_keyfile"])
    assert Path(options["ssl_keyfile"]).stat().st_mode & 0o777 == 0o600
    first = Path(options["ssl_certfile"]).read_bytes()
    assert Path(uvicorn_options(settings)["ssl_certfile"]).read_bytes() == first
    ensure_certificate(tmp_path / "tls", ["other.example"])
    assert Path(options["ssl_certfile"]).read_bytes() != first


def test_https_settings_that_cannot_work_say_why(tmp_path: Path) -> None:
    assert uvicorn_options(Settings(home=tmp_path)) == {}
    with pytest.raises(TlsError, match="CALLWEAVE_TLS_KEY"):
        uvicorn_options(Settings(home=tmp_path, https="files"))
    with pytest.raises(TlsError, match="cannot be read"):
        uvicorn_options(Settings(home=tmp_path, https="files", tls_certificate=tmp_path / "a", tls_key=tmp_path / "b"))


@pytest.mark.parametrize(
    "password", ["short", "with space 123", "semi;colon-123", "line\nbreak-12", "中文密码密码密码"]
)
def test_sip_passwords_that_break_a_configuration_are_refused(password: str) -> None:
    with pytest.raises(InvalidError):
        numbers.check_sip_password(password)
