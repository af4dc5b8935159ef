"""A server that is about to stop finishes what it has in hand, and takes nothing new."""

import asyncio
from contextlib import suppress

import pytest

from proofs.errors import ChainDown
from server import messages as m
from server.client import Client
from server.effects import Prove
from server.errors import CommandRefused
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN
from tests.server.test_session import E4


async def game_with_a_held_proof(served: Served, *, begun: bool) -> tuple[Client, str]:
    """A game whose bot's move waits for its proof."""
    served.prover.is_held = True
    game = await served.open()
    client = await Client.connect(served.url, game=game)
    await client.wait_until(lambda: client.snapshot is not None)
    await served.move(client, E4)
    await client.wait_stage(1, "queued")
    if begun:
        served.prover.start(served.prover.jobs[0])
        await client.wait_stage(1, "proving")
    return client, game


async def test_a_proof_in_hand_lands_before_the_drain_ends(served: Served) -> None:
    client, _ = await game_with_a_held_proof(served, begun=True)
    drain = asyncio.create_task(served.arena.drain(30))
    await asyncio.sleep(0)
    assert not drain.done()
    served.prover.finish(served.prover.jobs[0])
    await drain
    await client.wait_stage(1, "verified")
    await client.close()


async def test_a_move_on_its_way_lands_before_the_drain_ends(served: Served) -> None:
    served.chain.hold()
    drain_from = await served.open()
    drain = asyncio.create_task(served.arena.drain(30))
    await asyncio.sleep(0)
    assert not drain.done()
    served.chain.release()
    await drain
    assert served.arena.game(bytes.fromhex(drain_from[2:])).session.status == "playing"


async def test_what_only_waits_in_the_queue_is_left(served: Served) -> None:
    client, _ = await game_with_a_held_proof(served, begun=False)
    await client.wait_stage(0, "verified")
    async with asyncio.timeout(60):
        await served.arena.drain(200)
    await client.close()


async def test_no_proof_is_begun_any_more(served: Served) -> None:
    """Such as the next move of a bot that plays another."""
    client, game = await game_with_a_held_proof(served, begun=False)
    hosted = served.arena.game(bytes.fromhex(game[2:]))
    await client.wait_stage(0, "verified")
    await served.arena.drain(30)
    begun = len(served.prover.jobs)
    wish = Prove(job=99, ply=1, version=BOT, statement=served.prover.jobs[0].statement)
    served.arena._proving.begin(hosted, wish)
    await asyncio.sleep(0.01)
    assert (len(served.prover.jobs), hosted.proofs) == (begun, {})
    await client.close()


async def test_the_wait_is_bounded(served: Served) -> None:
    client, _ = await game_with_a_held_proof(served, begun=True)
    async with asyncio.timeout(60):
        await served.arena.drain(0.2)
    await client.close()


async def test_nothing_new_is_taken_while_it_drains(served: Served) -> None:
    client, _ = await game_with_a_held_proof(served, begun=True)
    drain = asyncio.create_task(served.arena.drain(30))
    await asyncio.sleep(0)
    with pytest.raises(CommandRefused) as caught:
        served.arena.offer(BOT)
    assert caught.value.code == "closing"
    with pytest.raises(Exception, match="about to stop") as told:
        await client.resign(b"\x00" * 65)
    assert getattr(told.value, "code", None) == "closing"
    drain.cancel()
    await client.close()


async def test_openings_can_be_refused_for_a_while(served: Served) -> None:
    game = await served.open()
    served.arena.pause_openings("over_budget", "spent")
    with pytest.raises(CommandRefused, match="spent") as caught:
        served.arena.offer(BOT)
    assert caught.value.code == "over_budget"
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")  # what is going on goes on
    served.arena.pause_openings(None)
    assert isinstance(served.arena.offer(BOT), m.OfferReply)


async def test_an_opening_is_refused_too(served: Served) -> None:
    """Who had an offer already cannot use it."""
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        served.arena.pause_openings("over_budget", "spent")
        opening = served.player.open(bytes.fromhex(offer.commitment[2:]), expires=offer.expires)
        with pytest.raises(Exception, match="spent"):
            await lobby.open(opening, opening.sign(DOMAIN, served.player.key))


async def test_a_chain_that_does_not_answer_holds_the_end_up_only_so_long(served: Served) -> None:
    served.chain.faults = [ChainDown("http://fake", "gone")] * 1000
    with suppress(CommandRefused):
        await served.open()
    async with asyncio.timeout(60):
        await served.arena.drain(0.2)
