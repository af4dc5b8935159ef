"""A player at random and a served arena with fakes: whatever its socket suffers, it plays on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.bench.judge import Truth, judge, unsettled
from server.bench.reader import Return
from server.bench.wanderer import Ground, Player
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN

PLIES = 12


@asynccontextmanager
async def playing(served: Served, plies: int = PLIES) -> AsyncIterator[Player]:
    player: Player

    def wants_more() -> bool:
        return player.case is None or len(player.screen.moves) < plies

    player = Player(Ground(lambda: served.url, DOMAIN, BOT), "seed", wants_more)
    task = asyncio.create_task(player.play())
    try:
        async with asyncio.timeout(120):
            while player.case is None:  # noqa: ASYNC110 the opening says nothing else
                await asyncio.sleep(0.01)
            yield player
            await task
            await player.settled()
    finally:
        task.cancel()
        await player.leave()


async def goes_on(player: Player) -> None:
    """Wait for one more ply, or the last."""
    before = len(player.screen.moves)
    await player.readers[0].until(
        lambda: len(player.screen.moves) > before or player.is_done, seconds=60
    )


def truth_of(served: Served, player: Player) -> dict[str, Truth]:
    game = player.screen.game
    moves = served.chain.held[bytes.fromhex(game[2:])].moves
    return {game: Truth(tuple(move.index for move in moves))}


def expect_clean(served: Served, player: Player) -> None:
    assert player.case is not None
    truths = truth_of(served, player)
    assert judge([player.case], truths).is_clean
    assert not unsettled([player.case], truths)
    assert player.oddities == []
    assert len(player.screen.moves) >= PLIES


async def test_playsAndSettles(served: Served) -> None:
    async with playing(served) as player:
        pass
    expect_clean(served, player)
    assert player.case is not None
    assert len(player.case.acks) >= PLIES // 2


async def test_aCommandWithoutAnAnswerIsSentAgain(served: Served) -> None:
    async with playing(served) as player:
        for _ in range(3):
            for reader in player.readers:
                reader.cut_next_command()
            await goes_on(player)
    expect_clean(served, player)


@pytest.mark.parametrize("how", ["with_version", "fresh", "older"])
async def test_aPageThatComesBackSeesTheSameGame(served: Served, how: Return) -> None:
    async with playing(served) as player:
        for _ in range(3):
            for reader in player.readers:
                reader.come_back(how)
            await goes_on(player)
    expect_clean(served, player)


async def test_aServerThatForgetsAnAcknowledgedMoveIsFoundOut(served: Served) -> None:
    async with playing(served) as player:
        pass
    assert player.case is not None
    truths = truth_of(served, player)
    ((game, truth),) = truths.items()
    truths[game] = Truth(truth.moves[:-2])
    verdict = judge([player.case], truths)
    assert verdict.lost
    assert verdict.wrong
