"""Fixtures for tests of the product: a fresh installation in a temporary folder, and a signed-in client."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr

from backend import security
from backend.app import create_app
from backend.identity.permissions import Actor, system_actor
from backend.identity.service import ensure_first_admin
from backend.migrations import upgrade
from backend.settings import Settings
from backend.state import AppState
from backend.testing import ADMIN_PASSWORD, ApiClient
from backend.testing_postgres import PostgresServer, running_postgres


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The round on PostgreSQL leaves out what keeps no data: it passed, or failed, in the round before."""
    if os.environ.get("CALLWEAVE_TEST_DATABASE") != "postgresql":
        return
    here = Path(__file__).parent
    keeping = {"database_url", "postgres"}

    def idle(item: pytest.Item) -> bool:
        if here not in item.path.parents or item.get_closest_marker("temporal"):
            return False
        return keeping.isdisjoint(getattr(item, "fixturenames", ()))

    if left_out := [item for item in items if idle(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not idle(item)]


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """The same argon2id with little memory, so that hundreds of sign-ins take no minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        security._nobody.cache_clear()
        yield
    security._nobody.cache_clear()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, quick_hashes: None) -> Path:
    """A home folder with a migrated database and its first administrator; tests work on copies."""
    home = tmp_path_factory.mktemp("installation")

    async def make() -> None:
        state = AppState.of(_settings(home))
        await upgrade(state.db)
        await ensure_first_admin(state.db, state.settings)
        await state.close()

    asyncio.run(make())
    return home


def _settings(home: Path, database_url: str = "") -> Settings:
    return Settings(
        home=home, admin_password=SecretStr(ADMIN_PASSWORD), timezone="Asia/Shanghai", database_url=database_url
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_installation(postgres: PostgresServer, installation: Path) -> str:
    """The name of a database like that of `installation`, to be copied."""
    url = postgres.database()

    async def make() -> None:
        state = AppState.of(_settings(installation, url))
        await upgrade(state.db)
        await ensure_first_admin(state.db, state.settings)
        await state.close()

    asyncio.run(make())
    return url.rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def postgres_home(postgres: PostgresServer, postgres_installation: str) -> str:
    """A database like that of the installation, which every test finds as new."""
    url = postgres.database(postgres_installation)
    postgres.keep(url)
    return url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the tests keep their data: an empty URL is SQLite in the home folder.

    With CALLWEAVE_TEST_DATABASE=postgresql it is a copy of the installation on PostgreSQL.
    """
    if os.environ.get("CALLWEAVE_TEST_DATABASE") != "postgresql":
        yield ""
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url: str = request.getfixturevalue("postgres_home")
    yield url
    postgres.restore(url)


@pytest.fixture
async def state(tmp_path: Path, installation: Path, database_url: str) -> AsyncIterator[AppState]:
    """A new installation with its first administrator."""
    home = tmp_path / "home"
    shutil.copytree(installation, home)
    state = AppState.of(_settings(home, database_url))
    yield state
    await state.close()


@pytest.fixture
def actor(state: AppState) -> Actor:
    """The installation itself, in the first business."""
    return system_actor("main", "test")


@pytest.fixture
def app(state: AppState) -> FastAPI:
    return create_app(state)


@pytest.fixture
async def new_client(app: FastAPI) -> AsyncIterator[Callable[[], ApiClient]]:
    """Makes clients of the API, each with its own cookies."""
    made: list[ApiClient] = []

    def make() -> ApiClient:
        made.append(ApiClient(app))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
async def client(new_client: Callable[[], ApiClient]) -> ApiClient:
    """A client signed in as the first administrator."""
    client = new_client()
    await client.sign_in("admin", ADMIN_PASSWORD)
    return client
