"""What a scrape finds, after a game and in the middle of one; and what the log says of it."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from proofs.prover import PoolState
from proofs.signing import Resign
from server import messages as m
from server.budget import Spending
from server.chronicle import Chronicle
from server.client import Client
from server.health import Look
from server.hub import QUEUE_LIMIT
from server.lag import BOUNDS
from tests.server.conftest import Served
from tests.server.fakes import DOMAIN
from tests.server.test_session import E4

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
async def http(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    served.arena.observe = Chronicle(served.site.metrics).saw
    async with aiohttp.ClientSession(served.url) as session:
        yield session


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the chronicle said, with the fields of each line."""
    records = [r for r in caplog.records if r.name == "server.chronicle"]
    return [cast(dict[str, Any], record.msg) for record in records]


async def scrape(http: aiohttp.ClientSession) -> Samples:
    async with http.get("/metrics") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        text = await response.text()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def play(served: Served, game: str) -> None:
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")


async def test_a_game_is_counted(served: Served, http: aiohttp.ClientSession) -> None:
    game = await served.open()
    await play(served, game)
    found = await scrape(http)
    for by, stage in (
        ("opening", "verified"), ("player", "proposed"), ("player", "verified"),
        ("bot", "proposed"), ("bot", "proving"), ("bot", "proved"), ("bot", "verified"),
    ):  # fmt: skip
        assert found["checkproof_stages_total", (by, stage)] == 1, (by, stage)
    assert ("checkproof_stages_total", ("bot", "queued")) not in found  # told again and again
    assert found["checkproof_proof_seconds_count", ()] == 1
    assert found["checkproof_proof_seconds_sum", ()] == 1.5
    assert found["checkproof_proof_cpu_seconds_total", ()] == 1.4
    assert found["checkproof_verified_seconds_count", ("bot",)] == 1
    assert found["checkproof_games", ("playing",)] == 1
    async with await Client.connect(served.url, game=game) as client:
        await client.resign(Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        await client.wait_end()
    found = await scrape(http)
    assert found["checkproof_games_ended_total", ("resignation",)] == 1
    assert (found["checkproof_games", ("ended",)], found["checkproof_games", ("playing",)]) == (
        1,
        0,
    )


async def test_plies_in_the_middle_are_seen(served: Served, http: aiohttp.ClientSession) -> None:
    served.prover.is_held = True
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "queued")
        await client.wait_stage(0, "verified")
        found = await scrape(http)
        assert found["checkproof_plies", ("queued",)] == 1
        assert found["checkproof_plies", ("proving",)] == 0
        assert found["checkproof_sockets", ()] == 1


async def test_states_are_those_of_the_moment(served: Served, http: aiohttp.ClientSession) -> None:
    vitals = served.site.vitals
    vitals.provers = lambda: PoolState(True, 2, 1, 7, 3, 1.5, None)
    vitals.look = Look(block=42, balance=10**18, gas_price=10**9, at=0)
    vitals.spending = Spending(gas_per_day=1000)
    vitals.spending.receipt(
        {"transactionHash": "0x1", "gasUsed": "0x64", "status": "0x1", "effectiveGasPrice": "0x2"}
    )
    found = await scrape(http)
    for name, value in {
        "up": 1, "chain_up": 1, "chain_block": 42, "balance_wei": 1e18, "balance_moves": 2500,
        "balance_low": 0, "store_up": 1, "provers": 2, "provers_busy": 1, "proof_queue": 7,
        "prover_restarts_total": 3, "gas_total": 100, "spent_wei_total": 200, "gas_today": 100,
        "gas_per_day": 1000,
    }.items():  # fmt: skip
        assert found[f"checkproof_{name}", ()] == value, name
    assert found["checkproof_transactions_total", ("landed",)] == 1
    vitals.look_fault, vitals.store_fault = "gone", "full"
    served.site.arena = None
    found = await scrape(http)
    assert (found["checkproof_up", ()], found["checkproof_chain_up", ()]) == (0, 0)
    assert found["checkproof_store_up", ()] == 0


async def test_lateness_is_a_histogram(served: Served, http: aiohttp.ClientSession) -> None:
    for late in (0.0, 0.004, 10.0):
        served.site.vitals.lag.note(late, 1.0)
    found = await scrape(http)
    count = found["checkproof_loop_lag_seconds_count", ()]
    assert found["checkproof_loop_lag_seconds_bucket", ("+Inf",)] == count
    assert found["checkproof_loop_lag_seconds_bucket", (str(BOUNDS[0]),)] >= 1
    assert found["checkproof_loop_lag_max_seconds", ()] == 10.0


async def test_a_slow_reader_is_counted(served: Served, http: aiohttp.ClientSession) -> None:
    game = await served.open()
    hosted = served.arena.game(bytes.fromhex(game[2:]))
    async with http.get(f"/api/games/{game}/stream") as stream:
        await stream.content.readline()
        for _ in range(QUEUE_LIMIT + 1):  # at once: the reader has no turn in between
            hosted.room.publish_full()
        assert served.site.dropped == 1
    assert (await scrape(http))["checkproof_dropped_readers_total", ()] == 1


async def test_each_event_is_one_line_with_its_ids(
    served: Served, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    served.arena.observe = Chronicle(served.site.metrics, moves=logging.INFO).saw
    with caplog.at_level("INFO", logger="server.chronicle"):
        game = await served.open()
        await play(served, game)
    said = [line for line in lines(caplog) if line["level"] == "info"]
    assert {line["game"] for line in said} == {game}
    told = {line["event"] for line in said}
    assert told >= {"a game begins", "player plays e4", "proved", "verified"}
    verified = [line for line in said if line["event"] == "verified"]
    assert [line["ply"] for line in verified] == [0, 1]
    assert all(line["tx"].startswith("0x") and line["gas"] for line in verified)
    assert "signature" not in json.dumps(said)


async def test_what_goes_wrong_is_told(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    chronicle = Chronicle(served.site.metrics)
    game = await served.open()
    hosted = served.arena.game(bytes.fromhex(game[2:]))
    with caplog.at_level("INFO", logger="server.chronicle"):
        for event in (
            m.CorrectionEvent(d=m.CorrectionData(ply=3, cause="reorg", message="lost", at=1)),
            m.WaitingEvent(d=m.WaitingData(reason="the chain does not answer", at=1)),
            m.WaitingEvent(d=m.WaitingData(reason=None, at=2)),
        ):
            chronicle.saw(hosted, event)
    said = [(line["level"], line["event"]) for line in lines(caplog)]
    assert said == [
        ("warning", "corrected: lost"),
        ("warning", "the chain does not answer"),
        ("info", "it goes on"),
    ]
    text = served.site.metrics.text(served.site).decode()
    assert 'checkproof_corrections_total{cause="reorg"} 1.0' in text


async def test_a_mistake_of_the_observer_disturbs_no_game(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(served.site.metrics, "saw", broken)
    served.arena.observe = Chronicle(served.site.metrics).saw
    await play(served, await served.open())
