"""What players are told of the provers' queue, and what becomes of proofs that fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from proofs.errors import ProverDied, ProversBusy
from server import messages as m
from server import proving
from server.client import Client
from server.errors import CommandRefused
from tests.server.conftest import LIMITS, Served
from tests.server.test_session import E4, NF3


@asynccontextmanager
async def begun(served: Served, nonce: int = 0) -> AsyncIterator[Client]:
    """A game of which White has moved, so that the bot's reply is to be proven."""
    game = await served.open(nonce=nonce)
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_ply(1)
        yield client


def told(client: Client, ply: int = 1) -> list[tuple[str, int | None, float | None]]:
    return [
        (event.d.stage, event.d.queue_position, event.d.wait_seconds)
        for event in client.events
        if isinstance(event, m.ProofEvent) and event.d.ply == ply
    ]


async def test_place_and_wait_are_told_at_once_and_until_the_proof(served: Served) -> None:
    served.prover.is_held, served.prover.takes = True, 4.0
    async with begun(served) as client:
        await client.wait_until(lambda: client.moves[1].queue_position == 1)
        (job,) = served.prover.jobs
        served.prover.start(job)
        await client.wait_stage(1, "proving")
        assert client.moves[1].wait_seconds == 4.0
        served.prover.finish(job)
        await client.wait_stage(1, "verified")
        assert told(client) == [
            ("queued", None, None),
            ("queued", 1, 4.0),
            ("proving", None, 4.0),
            ("proved", None, None),
        ]
        snapshot = served.arena.game(bytes.fromhex(client.snapshot.game[2:])).session.snapshot()  # type: ignore[union-attr]
        assert snapshot.moves[1].wait_seconds is None


async def test_everybody_is_told_when_the_queue_moves(served: Served) -> None:
    served.prover.is_held, served.prover.takes = True, 2.0
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(begun(served, nonce=n)) for n in range(3)]
        await clients[2].wait_until(lambda: clients[2].moves[1].queue_position == 3)
        assert clients[2].moves[1].wait_seconds == 6.0
        served.prover.start(served.prover.jobs[0])
        await clients[2].wait_until(lambda: clients[2].moves[1].queue_position == 2)
        assert clients[2].moves[1].wait_seconds == 4.0
        await clients[1].wait_until(lambda: clients[1].moves[1].queue_position == 1)
        groups = [job.group for job in served.prover.jobs]
        assert groups == [bytes.fromhex(c.snapshot.game[2:]) for c in clients]  # type: ignore[union-attr]


async def test_many_are_told_in_portions(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PLACES_AT_ONCE", 1)
    served.prover.is_held = True
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(begun(served, nonce=n)) for n in range(3)]
        served.prover.start(served.prover.jobs[0])
        for place, client in enumerate(clients[1:], start=1):
            await client.wait_until(lambda c=client, p=place: c.moves[1].queue_position == p)  # type: ignore[misc]


async def test_a_proof_whose_prover_was_lost_waits_again(served: Served) -> None:
    served.prover.is_held, served.prover.takes = True, 2.0
    async with begun(served) as client:
        (job,) = served.prover.jobs
        served.prover.start(job)
        await client.wait_stage(1, "proving")
        served.prover.lose(job)
        await client.wait_stage(1, "queued")
        assert client.moves[1].queue_position == 1
        served.prover.start(job)
        served.prover.finish(job)
        await client.wait_stage(1, "verified")
        assert len(served.prover.jobs) == 1
        assert [stage for stage, *_ in told(client)][-4:] == [
            "proving",
            "queued",
            "proving",
            "proved",
        ]


async def test_a_full_queue_is_no_failure_of_the_proof(served: Served) -> None:
    served.prover.faults = [ProversBusy(1000)] * (LIMITS.proof_tries + 2)
    async with begun(served) as client:
        await client.wait_stage(1, "verified")
        assert len(served.prover.jobs) == LIMITS.proof_tries + 3


async def test_a_prover_that_keeps_dying_is_asked_so_often_only(served: Served) -> None:
    served.prover.faults = [ProverDied("of this")] * (LIMITS.proof_tries - 1)
    async with begun(served) as client:
        await client.wait_stage(1, "verified")
        served.prover.faults = [ProverDied("of this")] * LIMITS.proof_tries
        await served.move(client, NF3)
        await client.wait_until(
            lambda: any(
                isinstance(e, m.WaitingEvent) and "of this" in str(e.d.reason)
                for e in client.events
            )
        )
        assert len(served.prover.jobs) == 2 * LIMITS.proof_tries
        assert client.moves[3].stage == "queued"


async def test_a_dropped_proof_leaves_the_queue(served: Served) -> None:
    served.prover.is_held = True
    async with begun(served) as client:
        game = served.arena.game(bytes.fromhex(client.snapshot.game[2:]))  # type: ignore[union-attr]
        (task,) = game.proofs.values()
        proving.Proving.drop(game, next(iter(game.proofs)))
        await asyncio.wait([task])
        assert served.prover.jobs[0].future.cancelled()
        served.prover.start(served.prover.jobs[0])  # its word comes too late
        assert not served.arena._proving._jobs


async def test_players_are_told_when_provers_come_and_go(served: Served) -> None:
    served.prover.is_held, served.prover.is_ready = True, False
    async with begun(served) as client:
        await client.wait_until(lambda: waits(client)[-1:] == ["the provers are warming up"])
        served.prover.is_ready = True
        await client.wait_until(lambda: waits(client)[-1] is None)
        served.prover.is_ready, served.prover.fault = False, "provers end"
        served.prover.lose(served.prover.jobs[0])
        await client.wait_until(lambda: waits(client)[-1] == "provers end")
        served.prover.is_ready = True
        await client.wait_until(lambda: waits(client)[-1] is None)


def waits(client: Client) -> list[str | None]:
    return [event.d.reason for event in client.events if isinstance(event, m.WaitingEvent)]


async def test_why_nothing_is_proven_is_known(served: Served) -> None:
    assert served.arena._proving.hold_up is None
    served.prover.is_ready = False
    assert served.arena._proving.hold_up == "the provers are warming up"
    served.prover.fault = "they end"
    assert served.arena._proving.hold_up == "they end"


async def test_no_games_begin_while_too_many_moves_wait_for_a_prover(served: Served) -> None:
    served.prover.is_held = True
    served.arena.limits = replace(LIMITS, proofs_waiting=1)
    async with begun(served):
        with pytest.raises(CommandRefused, match="1 moves wait for a prover") as refused:
            await served.open(nonce=1)
        assert refused.value.code == "too_many_games"
        served.prover.start(served.prover.jobs[0])
        await served.open(nonce=1)
