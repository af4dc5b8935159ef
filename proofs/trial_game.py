"""Some moves of a bot in a real arena on a chain that is thrown away: what they cost.

The same game for every bot that plays alike: the dice, the opening's seed and the other side's
moves are always those.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import chess
from coincurve import PrivateKey

from engine.encoding import Position
from engine.game import ONGOING, Game
from engine.player import legal_indices
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.node import Anvil
from proofs.prove import ProofResult
from proofs.sender import LOCAL_KEY
from proofs.signing import Move, Open, address_of, player_side
from proofs.statement import Statement, commitment, dice, game_seed, next_history

_PLAYER: Final = PrivateKey(b"\x01" * 32)
_SECRET: Final = b"\x02" * 32
_SEED: Final = b"\x03" * 32

Tell = Callable[[str], None]
Result = TypeVar("Result")
Proof_co = TypeVar("Proof_co", bound=ProofResult, covariant=True)
AProof = TypeVar("AProof", bound=ProofResult)


class TrialBot(Protocol[Proof_co]):
    """Who chooses and proves moves, by the contract's own rule."""

    def choose(self, position: Position, mask: int, dice: int) -> int: ...
    def prove(self, statement: Statement) -> Proof_co: ...


@dataclass(frozen=True)
class Played(Generic[AProof]):
    """The bot's moves: policy indices, proofs, and the gas of the whole transactions."""

    moves: list[int]
    proofs: list[AProof]
    gas: list[int]


async def on_fresh_chain(work: Callable[[Chain], Awaitable[Result]]) -> Result:
    """Work with contracts on a new local chain, which ends with it.  Raises NodeError."""
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        async with Anvil(Path(name) / "chain") as node:
            bare = await Chain.connect(node.url, LOCAL_KEY)
            try:
                return await work(bare.at(await ensure_contracts(bare, Path(name))))
            finally:
                await bare.close()


async def play_trial(
    chain: Chain, version: bytes, bot: TrialBot[AProof], moves: int, tell: Tell
) -> Played[AProof]:
    """Up to `moves` moves of a registered bot, with White, against chance; all are proven."""
    game, history = Game(), await _open(chain, version)
    identity, chance = history, random.Random(1)
    played: Played[AProof] = Played([], [], [])
    while len(played.moves) < moves and game.outcome() == ONGOING:
        if game.turn == chess.WHITE:
            rolled = dice(game_seed(_SECRET, _SEED), game.ply, history)
            statement = _statement(game, bot, chain.payee, rolled)
            index = statement.index
            proof = await asyncio.to_thread(bot.prove, statement)
            tell(f"proof {len(played.moves) + 1} of {moves}: {proof.wall_s:.1f} s")
            receipt = await chain.submit_bot_move(
                identity, game.ply, index, chain.payee, proof.proof
            )
            played.moves.append(index)
            played.proofs.append(proof)
            played.gas.append(receipt.gas)
        else:
            index = int(chance.choice(legal_indices(game.mask)))
            signature = Move(identity, game.ply, history, index).sign(chain.domain, _PLAYER)
            await chain.move(identity, game.ply, index, signature)
        game.play(index)
        history = next_history(history, index)
    return played


async def _open(chain: Chain, version: bytes) -> bytes:
    """Open a game in which the bot has White; its id."""
    opening = Open(
        opener=address_of(_PLAYER),
        white=version,
        black=player_side(address_of(_PLAYER)),
        start=bytes(32),
        base_seconds=3600,
        increment_seconds=5,
        delay_seconds=0,
        commitment=commitment(_SECRET),
        seed=_SEED,
        expires=(1 << 64) - 1,
        nonce=1,
    )
    await chain.open_game(opening, opening.sign(chain.domain, _PLAYER), _SECRET)
    return opening.game_id(chain.domain)


def _statement(game: Game, bot: TrialBot[AProof], payee: int, rolled: int) -> Statement:
    here, mask = game.position, game.mask
    index = bot.choose(here, mask, rolled)
    return Statement.of(here, mask, index, payee=payee, dice=rolled)
