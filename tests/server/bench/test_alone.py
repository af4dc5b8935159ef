"""Each kind of fault alone, with a fake chain and prover: the player plays on, no harm is done.

What needs real processes is in tests/server/test_real_arena.py and in tests/e2e.
"""

from collections.abc import Callable

import pytest

from proofs.errors import ChainDown, ProverDied
from server.bench.wanderer import Player
from tests.server.bench.test_wanderer import expect_clean, goes_on, playing
from tests.server.conftest import Served
from tests.server.test_arena import looked_at

Harm = Callable[[Served, Player], None]
ROUNDS = 3


def chain_down(served: Served, _player: Player) -> None:
    served.chain.faults += [ChainDown("http://fake", "connection refused")] * 2


def reply_lost(served: Served, _player: Player) -> None:
    served.chain.lose_answers = 1


def chain_slow(served: Served, _player: Player) -> None:
    served.chain.delay = 0.05


def prover_killed(served: Served, _player: Player) -> None:
    served.prover.faults.append(ProverDied("it was killed"))


def reorg(served: Served, player: Player) -> None:
    """The last move is gone, unless the game just began."""
    held = served.chain.held.get(bytes.fromhex(player.screen.game[2:]))
    if held is not None and held.moves and held.ended is None:
        held.moves.pop()
        held.game.board.pop()
        served.chain.head = 0


def socket_cut(_served: Served, player: Player) -> None:
    for reader in player.readers:
        reader.cut_next_command()


def reload_fresh(_served: Served, player: Player) -> None:
    for reader in player.readers:
        reader.come_back("fresh")


def reload_with_version(_served: Served, player: Player) -> None:
    for reader in player.readers:
        reader.come_back("with_version")


@pytest.mark.parametrize(
    "harm",
    [
        chain_down,
        reply_lost,
        chain_slow,
        prover_killed,
        reorg,
        socket_cut,
        reload_fresh,
        reload_with_version,
    ],
    ids=lambda harm: harm.__name__,
)
async def test_noHarmIsDoneBy(served: Served, harm: Harm) -> None:
    served.arena.watch()
    async with playing(served) as player:
        for _ in range(ROUNDS):
            harm(served, player)
            await goes_on(player)
        await looked_at(served)  # what was lost last is noticed
    expect_clean(served, player)
