"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary folder, a free port of loopback."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from telephony.free_ports import free_port

BOOT_SECONDS = 30.0
USER = "callweave"

_KEEP = """
CREATE SCHEMA pristine;
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', one.tablename, one.tablename);
  END LOOP;
END $$;
CREATE FUNCTION pristine.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; has boolean; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;  -- rows go and come in any order: no foreign key is checked
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', one.tablename) INTO has;
    CONTINUE WHEN NOT has;
    EXECUTE format('DELETE FROM public.%I', one.tablename);
    EXECUTE format('INSERT INTO public.%I SELECT * FROM pristine.%I', one.tablename, one.tablename);
  END LOOP;
END $$;
"""
"""A copy of every table, and what brings the tables back to it: some 20 ms, where a new database takes some 500."""


def binaries() -> Path:
    """The folder of PostgreSQL's programs; raises RuntimeError with what to install."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    raise RuntimeError("tests need PostgreSQL: install Debian's package postgresql (scripts/setup.sh dev does)")


class PostgresServer:
    """One server. `database` makes a fresh, empty database and returns its URL for the product."""

    def __init__(self, port: int, folder: Path, user: str | None, programs: Path) -> None:
        self.port = port
        self._folder, self._user, self._programs = folder, user, programs
        self._databases = 0

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = "template0") -> str:
        """A new database, a copy of `template`."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Forget a database and whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def keep(self, url: str) -> None:
        """Remember what the database holds now, for `restore`."""
        self.sql(_KEEP, url.rsplit("/", 1)[1])

    def restore(self, url: str) -> None:
        """Bring the rows back to what `keep` saw, and end whoever is connected. The tables themselves stay."""
        self.sql("SELECT pristine.restore()", url.rsplit("/", 1)[1])

    def sql(self, statement: str, database: str = "postgres") -> None:
        self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-qX", "-v", "ON_ERROR_STOP=1",
                 "-d", database, "-c", statement)  # fmt: skip

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs; it refuses to be root."""
        done = subprocess.run(
            [self._programs / program, *arguments], user=self._user, cwd=self._folder, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for the block. Nothing of it stays."""
    programs = binaries()
    user = _other_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="callweave-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        if user is not None:
            shutil.chown(folder, user)
        port = free_port()
        made = PostgresServer(port, folder, user, programs)
        data = folder / "data"
        made.run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F",
                 "-c", "max_connections=300", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"],
                user=user, cwd=folder, stdout=log, stderr=log,
            )  # fmt: skip
        _wait_ready(made, server, folder / "log")
        yield made
    finally:
        if server is not None and server.poll() is None:
            server.terminate()
            try:
                # SIGTERM waits for clients to leave; SIGINT ends them.
                server.wait(0.5)
            except subprocess.TimeoutExpired:
                server.send_signal(2)
                server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(made: PostgresServer, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            made.sql("SELECT 1")
        except RuntimeError as problem:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start: {log.read_text(errors='replace')}") from problem
            time.sleep(0.1)
        else:
            return


def _other_user() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("PostgreSQL refuses to run as root, and this machine has no other user for it")
