"""The arena's view of a real chain: which games changed, and which blocks are gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from proofs.records import Block
from server.adapters import ArenaChain, Landmarks
from server.effects import BotMove, PlayerMove, Terms
from tests.proofs.chain_scene import PLAYER, SECRET, Live, Scene, empty_pool, opening, scene


@pytest_asyncio.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


async def turn_back(ground: Scene, depth: int) -> None:
    """Replace the last `depth` blocks by as many empty ones."""
    await empty_pool(ground.chain)
    before = await ground.chain.block_number()
    await ground.chain.rpc.ask("anvil_reorg", depth, [])
    assert await ground.chain.block_number() == before


async def send(watched: ArenaChain, live: Live, ground: Scene, san: str) -> None:
    """Play a ply by the arena's own way."""
    message, ply, index = opening(ground.yes, nonce=1), live.game.ply, live.index(san)
    terms = Terms(watched.domain, message, message.sign(watched.domain, PLAYER), SECRET, {})
    move = (
        PlayerMove(ply, index, live.signed(index))
        if ply % 2 == 0
        else BotMove(ply, index, watched.payee, b"any")
    )
    await watched.send(terms, move, lambda _tx: None)
    live.played(index)


async def test_changed_namesTheGamesThatMoved(ground: Scene) -> None:
    watched = ArenaChain(ground.chain)
    one, other = await ground.open(), await ground.open()
    since, games = await watched.changed(0)
    assert games == {one.id, other.id}
    assert await watched.changed(since) == (since, ())
    await other.player("e4")
    since, games = await watched.changed(since)
    assert games == {other.id}
    assert await watched.changed(since) == (since, ())


async def test_changed_isAnyGameAfterAReorgThatIsNotShorter(ground: Scene) -> None:
    watched = ArenaChain(ground.chain)
    live = await ground.open()
    await live.play("e4 e5")
    since, _ = await watched.changed(0)
    await turn_back(ground, 1)
    assert (await ground.chain.game(live.id)).ply == 1
    since, games = await watched.changed(since)
    assert games is None
    assert (await watched.changed(since))[1] == ()


async def test_changed_isAnyGameAfterALongerReorg(ground: Scene) -> None:
    watched = ArenaChain(ground.chain)
    live = await ground.open()
    await live.play("e4 e5")
    since, _ = await watched.changed(0)
    await turn_back(ground, 2)
    await ground.chain.rpc.ask("anvil_mine", hex(3))
    since, games = await watched.changed(since)
    assert games is None
    assert (await watched.changed(since))[1] == ()


async def test_changed_isAnyGameIfOurOwnNewBlockWasReplaced(ground: Scene) -> None:
    """No look at the chain fell between the move's block and the reorg."""
    watched = ArenaChain(ground.chain)
    live = await ground.open(opening(ground.yes, nonce=1))
    since, _ = await watched.changed(0)
    await send(watched, live, ground, "e4")
    await send(watched, live, ground, "e5")
    await turn_back(ground, 1)
    assert (await ground.chain.game(live.id)).ply == 1
    since, games = await watched.changed(since)
    assert games is None
    assert (await watched.changed(since))[1] == ()


async def test_changed_isAnyGameIfTheChainIsShorter(ground: Scene) -> None:
    watched = ArenaChain(ground.chain)
    live = await ground.open()
    await live.player("e4")
    since, _ = await watched.changed(0)
    await empty_pool(ground.chain)
    await ground.chain.rpc.ask("anvil_rollback", 1)
    head = await ground.chain.block_number()
    assert await watched.changed(since) == (head + 1, None)
    assert (await watched.changed(head + 1))[1] == ()


def test_landmarks_noticeTwoBlocksOfOneNumber() -> None:
    marks = Landmarks()
    marks.see(Block(7, "0xa"))
    marks.see(Block(6, "0xb"))
    assert not marks.in_conflict
    assert marks.highest == Block(7, "0xa")
    marks.see(Block(7, "0xc"))
    assert marks.in_conflict
    marks.forget()
    assert marks.highest is None
