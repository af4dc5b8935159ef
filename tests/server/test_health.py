"""/healthz: what is asked, what is said of it, and what must not be said."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from proofs.errors import ChainDown, WrongChain
from proofs.prover import PoolState
from server.errors import ServerError
from server.gas_seen import GasSeen
from server.health import BOT_MOVE_GAS, Look, Part, Vitals, worst
from tests.server.conftest import Served

POOL = PoolState(
    ready=True, workers=2, busy=1, queued=3, restarts=4, median_seconds=1.5, fault=None
)


@dataclass
class FakeNode:
    """A chain that is looked at; `error` is raised at each question."""

    address: str = "0x" + "a1" * 20
    price: int = 10
    moves: int = 1000
    error: Exception | None = None

    async def block_number(self) -> int:
        if self.error is not None:
            raise self.error
        return 42

    async def balance(self, address: str) -> int:
        assert address == self.address
        return self.moves * self.price * BOT_MOVE_GAS

    async def gas_price(self) -> int:
        return self.price


@pytest.fixture
async def http(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session


async def health(http: aiohttp.ClientSession) -> tuple[int, dict[str, Any]]:
    async with http.get("/healthz") as response:
        return response.status, await response.json()


async def test_all_is_well(served: Served, http: aiohttp.ClientSession) -> None:
    served.site.vitals.provers = lambda: POOL
    await served.site.vitals.look_at(FakeNode())
    status, told = await health(http)
    assert (status, told["status"], told["what"]) == (200, "ok", None)
    assert told["chain"]["block"] == 42
    assert told["prover"] == {
        "status": "ok", "what": None, "workers": 2, "busy": 1, "queued": 3, "restarts": 4,
        "medianSeconds": 1.5,
    }  # fmt: skip
    assert told["store"] == {"status": "ok", "what": None}


async def test_a_silent_chain_is_down_and_names_no_address(
    served: Served, http: aiohttp.ClientSession
) -> None:
    error = ChainDown("http://user:secret@127.44.55.66:8545", "Connection refused")
    await served.site.vitals.look_at(FakeNode(error=error))
    status, told = await health(http)
    assert (status, told["status"], told["chain"]["status"]) == (503, "down", "down")
    assert told["what"] == "the chain does not answer: Connection refused"
    assert "127.44" not in str(told)
    await served.site.vitals.look_at(FakeNode(error=WrongChain("at http://127.44.55.66")))
    assert "127.44" not in str(await health(http))
    await served.site.vitals.look_at(FakeNode())
    assert (await health(http))[0] == 200


async def test_what_sending_meets_counts_too(served: Served, http: aiohttp.ClientSession) -> None:
    served.arena._sending.fault = "no answer"
    assert await health(http) == (503, (await health(http))[1])
    assert (await health(http))[1]["what"] == "the chain does not answer: no answer"


async def test_a_chain_that_never_answers_is_down_after_a_while(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mute(FakeNode):
        async def block_number(self) -> int:
            await asyncio.Event().wait()
            return 0

    monkeypatch.setattr("server.health.LOOK_SECONDS", 0.02)
    await served.site.vitals.look_at(Mute())
    assert served.site.vitals.chain(None).status == "down"


async def test_the_balance_is_told_in_moves_of_the_dearest_bot_that_was_seen(
    served: Served,
) -> None:
    vitals, node = served.site.vitals, FakeNode(moves=1000)
    await vitals.look_at(node)
    assert vitals.look is not None
    assert vitals.look.moves_left == 1000
    seen = GasSeen()
    vitals.dearest = seen.dearest
    assert seen.dearest() is None
    for version, gas in ((b"a", 300_000), (b"b", 2 * BOT_MOVE_GAS), (b"b", 2 * BOT_MOVE_GAS)):
        seen._seen.setdefault(version, deque()).append(gas)
    await vitals.look_at(node)
    assert vitals.look.moves_left == 500


@pytest.mark.parametrize(
    ("state", "code", "status", "what"),
    [
        (replace(POOL, ready=False, workers=0), 200, "degraded", "the provers are warming up"),
        (replace(POOL, ready=False, fault="/secret/path"), 503, "down", "no prover starts"),
    ],
)
async def test_the_provers_state_is_told(
    served: Served, state: PoolState, code: int, status: str, what: str
) -> None:
    served.site.vitals.provers = lambda: state
    async with aiohttp.ClientSession(served.url) as http:
        found, told = await health(http)
    assert (found, told["status"], told["what"]) == (code, status, what)
    assert "secret" not in str(told)


async def test_a_store_that_cannot_be_written_is_down(
    served: Served, http: aiohttp.ClientSession
) -> None:
    def full() -> None:
        raise ServerError("/data/arena.db: the disk is full")

    served.site.vitals.check_store = full
    served.site.vitals.look_at_store()
    status, told = await health(http)
    assert (status, told["store"]["status"]) == (503, "down")
    assert "/data" not in str(told)
    served.site.vitals.check_store = lambda: None
    served.site.vitals.look_at_store()
    assert (await health(http))[0] == 200


async def test_a_low_balance_is_told_once_and_degrades(
    served: Served, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    vitals = served.site.vitals
    vitals.low_balance_moves = 100
    with caplog.at_level("WARNING"):
        for moves in (100, 99, 98, 100, 99):
            await vitals.look_at(FakeNode(moves=moves))
            assert vitals.is_low == (moves < 100)
    assert sum("balance is low" in record.getMessage() for record in caplog.records) == 2
    status, told = await health(http)
    assert (status, told["status"]) == (200, "degraded")
    assert told["what"] == "the relayer's balance pays for 99 bot moves"


def test_free_gas_is_never_low() -> None:
    vitals = Vitals(low_balance_moves=100, look=Look(block=1, balance=0, gas_price=0, at=0))
    assert not vitals.is_low


def test_the_worst_part_is_the_whole() -> None:
    assert worst(Part("ok"), Part("degraded"), Part("ok")) == "degraded"
    assert worst(Part("down"), Part("degraded")) == "down"


async def test_while_it_warms_up_it_is_down(served: Served, http: aiohttp.ClientSession) -> None:
    served.site.arena, served.site.warming = None, "making a key"
    assert (await health(http))[0] == 503
    assert (await health(http))[1]["what"] == "making a key"


async def test_while_it_closes_it_is_down(served: Served, http: aiohttp.ClientSession) -> None:
    """So that a web server before it sends people elsewhere while the last moves land."""
    served.site.is_closing, served.site.warming = True, "closing"
    status, told = await health(http)
    assert (status, told["status"], told["what"]) == (503, "down", "closing")


async def test_the_watch_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.health.LOOK_EVERY", 0.001)
    vitals, looks, twice = Vitals(), 0, asyncio.Event()

    def each() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            twice.set()

    watch = asyncio.create_task(vitals.watch(FakeNode(), each=each))
    async with asyncio.timeout(60):
        await twice.wait()
    watch.cancel()
    assert vitals.look is not None
