"""`checkproof prove --game` and `checkproof move`: a game goes on without the server that began it.

Whoever sends a transaction counts for nothing to the contract, so these pay from an account of
their own: CHECKPROOF_KEY, or on a local chain one that everybody has there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import chess
from coincurve import PrivateKey

from engine.policy_map import move_index
from proofs.chain import Chain
from proofs.errors import WrongChain
from proofs.game_file import find_game
from proofs.makers import makers_of
from proofs.node import running_node
from proofs.open_prover import Fees, Standing, prove_game, standing_of
from proofs.purse import Purse
from proofs.records import Receipt
from proofs.signing import Abort, Draw, Move, Resign, address_of, player_side
from server.cli_source import Where, located
from server.config import Config
from server.errors import KeyMissing, NotYourMove
from server.key_file import read_keys

GUEST_KEY: Final = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
"""anvil's second account: a server that runs here pays from the first, and counts its nonces."""
Say = Callable[[str], None]


class Paid(NamedTuple):
    """Where moves earn something, and the least, in wei, that one is proven for."""

    purse: str
    least: int


def run_prover(
    game: str,
    where: Where,
    *,
    server: str | None,
    watch: bool,
    say: Say,
    paid: Paid | None = None,
) -> None:
    """Bring what a game's bot owes.  Raises ProofError, ServerError."""

    async def run() -> int:
        async with paying_chain(where) as chain:
            found = await find_game(chain, game)
            bots = {bot.id: bot for bot in await chain.bots()}
            maker_of = makers_of(where[0], bots, server=server, tell=say)
            fees = None if paid is None else Fees(await Purse.at(chain, paid.purse), paid.least)
            return await prove_game(chain, found, maker_of, watch=watch, tell=say, fees=fees)

    brought = asyncio.run(run())
    print(f"{brought} move{'' if brought == 1 else 's'} proven and verified")


def run_move(game: str, what: str, where: Where, *, key: Path) -> None:
    """Sign a player's move, or his giving up, and bring it to the chain.

    Raises BadKeyFile, NotYourMove, ChainRejected, ChainDown, NoSuchGame.
    """
    keys = {player_side(address_of(secret)): secret for secret in read_keys(key)}

    async def run() -> Receipt:
        async with paying_chain(where) as chain:
            found = await find_game(chain, game)
            return await _bring(chain, found, what, keys)

    receipt = asyncio.run(run())
    print(f"{what} landed in {receipt.tx}, {receipt.gas:,} gas")


async def _bring(chain: Chain, game: bytes, what: str, keys: Mapping[bytes, PrivateKey]) -> Receipt:
    now = await standing_of(chain, game)
    opening = now.opening.open
    side = next((side for side in (opening.white, opening.black) if side in keys), None)
    if side is None:
        raise NotYourMove("no key of that file plays in this game")
    key = keys[side]
    if what == "resign":
        return await chain.resign(game, Resign(game).sign(chain.domain, key))
    if what == "abort":
        return await chain.abort(game, Abort(game).sign(chain.domain, key))
    if what == "draw":
        claim = Draw(game, now.game.ply, now.history).sign(chain.domain, key)
        return await chain.claim_draw(game, now.game.ply, claim)
    if now.is_over or side != now.mover:
        raise NotYourMove("the game is over" if now.is_over else "the bot is to move")
    index = _index(now, what)
    signature = Move(game, now.game.ply, now.history, index).sign(chain.domain, key)
    return await chain.move(game, now.game.ply, index, signature)


def _index(now: Standing, what: str) -> int:
    """The index of a move in SAN or UCI.  Raises NotYourMove."""
    board = now.game.board
    for parse in (board.parse_san, board.parse_uci):
        try:
            move = parse(what)
        except (chess.InvalidMoveError, chess.IllegalMoveError, chess.AmbiguousMoveError):
            continue
        if move:  # "--" and "0000" say that nothing is moved
            return move_index(board, move)
    raise NotYourMove(f"{what!r} is no legal move in {board.fen()}")


@asynccontextmanager
async def paying_chain(where: Where, local_key: str = GUEST_KEY) -> AsyncIterator[Chain]:
    """The chain that a server's node runs, or the one at an RPC address, with a key that pays.

    That is the person's own; without one, `local_key` on a node that runs here.
    """
    data, rpc, arena = where
    key, url = Config.of().key, rpc or running_node(data / "chain")
    if url is None:
        raise WrongChain(f"no chain runs for {data.resolve()}; name one by --rpc")
    if key is None and rpc is not None:
        raise KeyMissing(rpc)
    chain = await Chain.connect(url, local_key if key is None else key.get_secret_value())
    try:
        yield await located(chain, data, arena)
    finally:
        await chain.close()
