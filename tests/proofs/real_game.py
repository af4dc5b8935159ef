"""Games with real proofs, played through the contracts on a real node."""

import asyncio
from pathlib import Path

from coincurve import PrivateKey

from engine.game import Game
from engine.player import choose
from engine.policy_map import move_index
from proofs.chain import Chain
from proofs.deploy import ensure_bot, ensure_contracts
from proofs.game_file import GameRecord, collect
from proofs.node import Anvil
from proofs.prove import Prover
from proofs.sender import LOCAL_KEY
from proofs.signing import Move, Open, Resign
from proofs.statement import Statement, dice, game_seed, next_history
from tests.proofs.chain_scene import PLAYER, SECRET, opening


class RealGame:
    """A game of the player with White against pawn."""

    def __init__(self, chain: Chain, prover: Prover, message: Open) -> None:
        self.chain = chain
        self.prover = prover
        self.id = message.game_id(chain.domain)
        self.history = self.id
        self.game = Game()
        self.seed = game_seed(SECRET, message.seed)

    async def player(self, san: str, *, key: PrivateKey = PLAYER) -> None:
        index = move_index(self.game.board, self.game.board.parse_san(san))
        message = Move(self.id, self.game.ply, self.history, index)
        signature = message.sign(self.chain.domain, key)
        await self.chain.move(self.id, self.game.ply, index, signature)
        self._played(index)

    async def pawn(self) -> None:
        position, mask = self.game.position, self.game.mask
        roll = dice(self.seed, self.game.ply, self.history)
        index = choose(self.prover.circuit.net, position, mask, roll)
        statement = Statement.of(position, mask, index, payee=self.chain.payee, dice=roll)
        proof = self.prover.prove(statement).proof
        await self.chain.submit_bot_move(self.id, self.game.ply, index, self.chain.payee, proof)
        self._played(index)

    def _played(self, index: int) -> None:
        self.game.play(index)
        self.history = next_history(self.history, index)


def resigned_game(folder: Path, prover: Prover, moves: str) -> GameRecord:
    """The record of a game in which the player plays `moves` and resigns."""
    return asyncio.run(_resigned_game(folder, prover, moves))


async def _resigned_game(folder: Path, prover: Prover, moves: str) -> GameRecord:
    async with Anvil(folder / "chain") as node:
        bare = await Chain.connect(node.url, LOCAL_KEY)
        chain = bare.at(await ensure_contracts(bare, folder))
        bot = await ensure_bot(chain, prover.circuit.net, prover.record, '{"name": "pawn"}')
        message = opening(bot.id)
        await chain.open_game(message, message.sign(chain.domain, PLAYER), SECRET)
        game = RealGame(chain, prover, message)
        for san in moves.split():
            await game.player(san)
            await game.pawn()
        await chain.resign(game.id, Resign(game.id).sign(chain.domain, PLAYER))
        record = await collect(chain, game.id)
        await bare.close()
        return record
