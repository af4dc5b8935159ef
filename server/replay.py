"""A line of plies as it was written down, played again.

What the chain holds is known by the chain's own word afterwards.  What it may not hold is judged
as if it came just now: a player's move has to be legal and signed over this very line, a bot's
move is computed anew, and a stored proof serves only if it is about the same statement.  (The
history hash binds game, position and dice; index and payee are the rest of a statement.)  A move of
a bot that ponders stands as it was written down: the prover refuses to prove any other.
"""

from collections.abc import Sequence
from typing import cast

import chess

from engine.errors import EngineError
from proofs.errors import BadSignature
from proofs.signing import Move, side_player
from proofs.statement import Statement, dice, game_seed, next_history
from server.effects import BotPlayer, Terms
from server.ply import Line, Mover, Ply
from server.records import PlyRow


def think(bot: BotPlayer, line: Line, seed: bytes, payee: int) -> Statement:
    """The move of the bot at the end of the line, as the statement that it has to prove."""
    assert bot.choose is not None
    index = bot.choose(line.game.position, line.game.mask, roll(line, seed))
    return claim(index, line, seed, payee)


def claim(index: int, line: Line, seed: bytes, payee: int) -> Statement:
    """That a bot plays `index` at the end of the line, as the statement that it has to prove."""
    position, mask = line.game.position, line.game.mask
    return Statement.of(position, mask, index, payee=payee, dice=roll(line, seed))


def roll(line: Line, seed: bytes) -> int:
    """The dice of the next ply."""
    return dice(seed, line.next, line.history)


def replay(line: Line, rows: Sequence[PlyRow], terms: Terms, payee: int, now: float) -> int | None:
    """Play the rows upon an empty line; the first ply that does not stand, None if all do."""
    for row in rows:
        side = terms.open.white if line.game.turn == chess.WHITE else terms.open.black
        by: Mover = "bot" if side_player(side) is None else "player"
        history = next_history(line.history, row.move)
        if (row.number, row.by, row.history) != (line.next, by, history):
            return row.number
        if row.stage == "verified":
            try:
                _put(line.push(by, row.move, now), row)
            except EngineError:  # not what we wrote
                return row.number
        elif by == "player":
            player = cast(str, side_player(side))
            if not line.is_legal(row.move) or not _is_signed(row, line, terms, player):
                return row.number
            ply = line.push(by, row.move, now)
            ply.signature, ply.at = row.signature, _times(row, "proposed")
        elif not _replay_bot(row, line, terms, payee, now):
            return row.number
    return None


def _is_signed(row: PlyRow, line: Line, terms: Terms, player: str) -> bool:
    message = Move(line.id, row.number, line.history, row.move)
    try:
        return message.signer(terms.domain, row.signature or b"") == player
    except BadSignature:
        return False


def _replay_bot(row: PlyRow, line: Line, terms: Terms, payee: int, now: float) -> bool:
    """Play the bot's move, if it still is what the bot plays."""
    bot = terms.bots.get(terms.open.black if row.number % 2 else terms.open.white)
    if bot is None or not (bot.is_played and line.is_legal(row.move)):
        return False
    seed = game_seed(terms.secret, terms.open.seed)
    statement = claim(row.move, line, seed, payee)
    if bot.choose is not None and think(bot, line, seed, payee) != statement:
        return False
    ply = line.push("bot", row.move, now)
    ply.statement, ply.payee = statement, payee
    ply.at = _times(row, "proposed")
    ply.advance("queued", row.at.get("queued", now))
    if row.proof is not None and row.payee == f"0x{payee:040x}":
        ply.at |= _times(row, "queued", "proving", "proved")
        ply.stage, ply.proof = "proved", row.proof
        ply.prove_seconds, ply.cpu_seconds = row.prove_seconds, row.cpu_seconds
    return True


def _put(ply: Ply, row: PlyRow) -> None:
    """All that was known of a ply that the chain held."""
    ply.stage, ply.at = row.stage, dict(row.at)
    ply.signature, ply.proof = row.signature, row.proof
    ply.payee = None if row.payee is None else int(row.payee, 16)
    ply.prove_seconds, ply.cpu_seconds = row.prove_seconds, row.cpu_seconds
    ply.tx, ply.gas, ply.block = row.tx, row.gas, row.block


def _times(row: PlyRow, *stages: str) -> dict[str, float]:
    return {stage: at for stage, at in row.at.items() if stage in stages}
