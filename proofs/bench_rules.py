"""The contracts' rules against python-chess, bit for bit, on a fresh local chain.

Compared at every position: the legal mask; whether there is a move at all, found without the mask;
check; what material leaves to mate with; how the game would stand; single indices, the legal ones
and those that only a pin, a check or a rule about castling forbids; and after every legal move the
next position's two words with those of `engine.encoding`.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import chess

from engine.encoding import Position
from engine.game import ONGOING, Outcome, Reason, Result
from engine.policy_map import MOVES, POLICY_SIZE, legal_mask, move_index, uci
from proofs.rules_chain import Report, RulesChain, pack, rules_chain, unpack
from proofs.rules_positions import positions

_BATCH: Final = 64
_STRANGERS: Final = 4
"""Indices drawn by chance that each position is asked about."""

_CASTLES: Final = [MOVES.index(chess.Move(chess.E1, rook)) for rook in (chess.A1, chess.H1)]
_TELL_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Case:
    """A position, its words, and python-chess's answers."""

    board: chess.Board
    position: Position
    mask: int
    after: tuple[Position, ...]
    """The position after each legal move, by policy index."""

    @classmethod
    def of(cls, board: chess.Board, *, repetitions: int = 0) -> "Case":
        by_index = {move_index(board, move): move for move in board.legal_moves}
        return cls(
            board,
            Position.of(board, repetitions=repetitions),
            legal_mask(board),
            tuple(_after(board, by_index[index]) for index in sorted(by_index)),
        )


def bench_rules(
    count: int = 20_000,
    *,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Compare at `count` positions; every difference is told to `progress`.

    `moves` are the next positions compared, `kinds` how many positions or moves there were of what
    rules are got wrong for.  Raises NodeMissing, NodeFailed, ChainDown.
    """
    return asyncio.run(_run(count, seed, progress or (lambda _line: None)))


async def _run(count: int, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    chance = random.Random(f"{seed}/asked")
    boards = positions(count, seed)
    kinds: Counter[str] = Counter()
    moves = mismatches = 0
    async with rules_chain() as rules:
        start = told = time.perf_counter()
        for first in range(0, count, _BATCH):
            batch = boards[first : first + _BATCH]
            cases = [Case.of(board, repetitions=chance.randrange(3)) for board in batch]
            for line in await differences(rules, cases, chance):
                mismatches += 1
                tell(line)
            moves += sum(len(case.after) for case in cases)
            for case in cases:
                kinds.update(_kinds(case.board))
            if time.perf_counter() - told > _TELL_SECONDS:
                told = time.perf_counter()
                tell(f"{first + len(batch):,} of {count:,} positions")
        seconds = time.perf_counter() - start
    return {
        "positions": count,
        "seed": seed,
        "moves": moves,
        "mismatches": mismatches,
        "positions_per_s": round(count / seconds),
        "kinds": dict(sorted(kinds.items())),
    }


async def differences(rules: RulesChain, cases: Sequence[Case], chance: random.Random) -> list[str]:
    """What contract and python-chess say differently about these positions, a line each."""
    found = []
    reports = await rules.reports([case.position for case in cases])
    for case, report in zip(cases, reports, strict=True):
        found += [f"{what}: {case.board.fen()}" for what in _differing(case, report)]
    agreed = [c for c, r in zip(cases, reports, strict=True) if c.mask == r.mask]
    played = iter(unpack(await rules.successors(pack(case.position for case in agreed))))
    for case in agreed:
        for index, expected in zip(_bits(case.mask), case.after, strict=True):
            if next(played) != expected:
                found.append(f"the position after {uci(index)}: {case.board.fen()}")
    questions = [(case, index) for case in cases for index in _asked(case, chance)]
    answers = await rules.are_legal([(case.position, index) for case, index in questions])
    for (case, index), legal in zip(questions, answers, strict=True):
        if legal != bool(case.mask >> index & 1):
            found.append(f"whether {uci(index)} is legal: {case.board.fen()}")
    return found


def outcome(report: Report, position: Position, mover: chess.Color) -> Outcome:
    """How the game stands by what the contract says, decided in the Arena's order."""
    if not report.can_move:
        if report.in_check:
            won = Result.BLACK_WINS if mover == chess.WHITE else Result.WHITE_WINS
            return Outcome(won, Reason.CHECKMATE)
        return Outcome(Result.DRAW, Reason.STALEMATE)
    if report.insufficient_material:
        return Outcome(Result.DRAW, Reason.INSUFFICIENT_MATERIAL)
    if position.context >> 10 & 255 >= 150:
        return Outcome(Result.DRAW, Reason.SEVENTY_FIVE_MOVES)
    return ONGOING


def _expected_outcome(board: chess.Board) -> Outcome:
    """The same by python-chess."""
    if board.is_checkmate():
        won = Result.BLACK_WINS if board.turn == chess.WHITE else Result.WHITE_WINS
        return Outcome(won, Reason.CHECKMATE)
    for drawn, reason in (
        (board.is_stalemate, Reason.STALEMATE),
        (board.is_insufficient_material, Reason.INSUFFICIENT_MATERIAL),
        (board.is_seventyfive_moves, Reason.SEVENTY_FIVE_MOVES),
    ):
        if drawn():
            return Outcome(Result.DRAW, reason)
    return ONGOING


def _differing(case: Case, report: Report) -> Iterator[str]:
    board = case.board
    can_move = any(board.legal_moves)
    if report.mask != case.mask:
        wrong = ", ".join(uci(index) for index in _bits(report.mask ^ case.mask))
        yield f"the mask, about {wrong}"
    if report.has_legal_move != can_move or report.can_move != can_move:
        yield "whether there is a move"
    if report.in_check != board.is_check():
        yield "check"
    if report.insufficient_material != board.is_insufficient_material():
        yield "insufficient material"
    if report.cannot_mate != board.has_insufficient_material(not board.turn):
        yield "whether the side not to move could mate"
    if outcome(report, case.position, board.turn) != _expected_outcome(board):
        yield "how the game stands"


def _asked(case: Case, chance: random.Random) -> list[int]:
    """Indices that are legal, almost legal, or any."""
    near = {move_index(case.board, move) for move in case.board.pseudo_legal_moves}
    strangers = {chance.randrange(POLICY_SIZE) for _ in range(_STRANGERS)}
    return sorted({*_bits(case.mask), *near, *strangers, *_CASTLES})


def _bits(mask: int) -> Iterator[int]:
    return (index for index in range(mask.bit_length()) if mask >> index & 1)


def _after(board: chess.Board, move: chess.Move) -> Position:
    after = board.copy(stack=False)
    after.push(move)
    return Position.of(after)


def _kinds(board: chess.Board) -> Iterator[str]:
    """What is special about a position."""
    checkers = len(board.checkers())
    if checkers:
        yield "check" if checkers == 1 else "double check"
    if not any(board.legal_moves):
        yield "mate" if checkers else "stalemate"
    if any(board.is_pinned(board.turn, square) for square in chess.SquareSet(board.occupied)):
        yield "pin"
    if board.has_pseudo_legal_en_passant():
        yield "en passant" if board.has_legal_en_passant() else "en passant forbidden"
    if board.castling_rights:
        castles = any(board.is_castling(move) for move in board.legal_moves)
        yield "castling" if castles else "castling rights alone"
    promotions = [move for move in board.legal_moves if move.promotion]
    if promotions:
        takes = any(board.is_capture(move) for move in promotions)
        yield "promotion with capture" if takes else "promotion"
    if chess.popcount(board.occupied) <= 5:
        yield "five pieces at most"
