"""The running product, started by its own command, and callers at real phones."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from backend.database import Database
from backend.runtime.testing import Product, running_product
from backend.testing_postgres import running_postgres
from telephony.speech.cache import PromptCache
from telephony.speech.renderer import SpeechRenderer
from telephony.speech.tts import EspeakEngine, at_speed
from tests.journeys.cluster import running_cluster
from tests.journeys.walker import Caller, Walker
from tests.phones.phone import Phone

_numbers = itertools.count(5_550_001)

TOGETHER = ("test_speech",)
"""Files that begin with something slow of their own: a language pack."""
START_SECONDS = 60.0
"""How long a worker waits for the others: some may have nothing to start."""
LAST = ("test_faults",)
"""What is timed to a second or two comes when no product is being started beside it."""


class _ByTest(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Every test goes to whichever worker is free, those `TOGETHER` to one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if Path(file).stem in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Most of a journey is waiting: more workers than cores keep the machine busy when the tests are spread evenly."""
    return _ByTest(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every worker."""
    items.sort(key=lambda item: item.path.stem in LAST)


async def others_are_up(factory: pytest.TempPathFactory) -> None:
    """Wait until the other workers have started what they test, too: that takes the whole machine."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count == 1:
        return
    started = factory.getbasetemp().parent / "started"
    started.mkdir(exist_ok=True)
    (started / os.environ["PYTEST_XDIST_WORKER"]).touch()
    until = time.monotonic() + START_SECONDS
    while len(list(started.iterdir())) < count and time.monotonic() < until:
        await asyncio.sleep(0.2)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """Callweave as `make run` starts it, in a home of its own on free ports. Its flows may ask this machine.

    With CALLWEAVE_TEST_CLUSTER it is one gateway of a cluster of many processes on PostgreSQL.
    """
    environment = {"CALLWEAVE_HTTP_ALLOW": "127.0.0.1"}
    if os.environ.get("CALLWEAVE_TEST_CLUSTER"):
        with running_postgres() as postgres:
            folder = tmp_path_factory.mktemp("cluster")
            async with running_cluster(folder, postgres, environment) as cluster:
                yield cluster.gateways["a"]
        return
    async with running_product(tmp_path_factory.mktemp("home"), environment) as running:
        await others_are_up(tmp_path_factory)
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def database(product: Product) -> AsyncIterator[Database]:
    """The product's own database, for reading what it wrote down."""
    opened = Database(product.settings.database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the prompts as the product rendered them."""
    return tmp_path_factory.mktemp("speech")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def renderer(product: Product, prompts: Path) -> AsyncIterator[SpeechRenderer]:
    """Finds the product's prompts by their words."""
    made = SpeechRenderer(EspeakEngine(workers=1, voices=at_speed(product.settings.tts_speed)), PromptCache(prompts))
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def speaker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SpeechRenderer]:
    """Speaks for a person at the other end, at the voices' own pace."""
    made = SpeechRenderer(EspeakEngine(workers=1), PromptCache(tmp_path_factory.mktemp("people")))
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def caller(
    product: Product, database: Database, renderer: SpeechRenderer, prompts: Path, tmp_path: Path
) -> AsyncIterator[Caller]:
    """Makes callers; all their phones are closed after the test."""
    async with AsyncExitStack() as phones:

        async def make() -> Walker:
            number = str(next(_numbers))
            folder = tmp_path / number
            folder.mkdir()
            return await phones.enter_async_context(Walker(product, database, renderer, prompts, folder, number))

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def agent(product: Product, tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone registered as extension 8001."""
    folder = tmp_path / "8001"
    folder.mkdir()
    password = product.first_sign_in()["8001"]
    async with Phone("8001", folder=folder, password=password, registrar=f"127.0.0.1:{product.sip_port}") as phone:
        await phone.registered()
        yield phone


@pytest_asyncio.fixture(loop_scope="session")
async def colleague(product: Product, tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone registered as extension 8002."""
    password = product.first_sign_in()["8002"]
    registrar = f"127.0.0.1:{product.sip_port}"
    async with Phone("8002", folder=tmp_path / "8002", password=password, registrar=registrar) as phone:
        yield phone
