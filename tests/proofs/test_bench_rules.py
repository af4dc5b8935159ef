"""Every comparison of the rules' bench, against rules that are wrong in one thing at a time."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import chess
import pytest

from engine.encoding import Position
from engine.game import ONGOING, Outcome, Reason, Result
from engine.policy_map import MOVES
from proofs.bench_rules import Case, differences, outcome
from proofs.rules_chain import Report, RulesChain, pack, unpack

OPEN = "rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2"
CHECKED = "rnb1kbnr/pppp1ppp/8/4p3/4P2q/5P2/PPPP2PP/RNBQKBNR w KQkq - 1 3"
MATED = "rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3"
STALE = "k7/2Q5/1K6/8/8/8/8/8 b - - 0 1"
BARE = "k7/8/1K6/8/8/8/8/6N1 b - - 0 1"
LONG = "k7/8/1K6/8/8/8/8/6R1 b - - 150 90"


class PythonRules:
    """Answers as the contract should, but for what is changed."""

    def __init__(self, cases: Sequence[Case], **wrong: Any) -> None:
        self.cases = cases
        self.wrong = wrong

    async def reports(self, positions: Sequence[Position]) -> list[Report]:
        assert positions == [case.position for case in self.cases]
        return [replace(_report(case), **self.wrong.get("report", {})) for case in self.cases]

    async def successors(self, packed: bytes) -> bytes:
        asked = unpack(packed)
        cases = [case for case in self.cases if case.position in asked]
        after = [position for case in cases for position in case.after]
        if "after" in self.wrong:
            after[0] = replace(after[0], context=after[0].context ^ self.wrong["after"])
        return pack(after)

    async def are_legal(self, questions: Sequence[tuple[Position, int]]) -> list[bool]:
        masks = {case.position: case.mask for case in self.cases}
        turned = self.wrong.get("index")
        return [bool(masks[p] >> index & 1) ^ (index == turned) for p, index in questions]


def _report(case: Case) -> Report:
    board, can_move = case.board, any(case.board.legal_moves)
    return Report(
        case.mask,
        can_move,
        can_move,
        board.is_check(),
        board.is_insufficient_material(),
        board.has_insufficient_material(not board.turn),
        gas=0,
    )


async def _told(*fens: str, **wrong: Any) -> list[str]:
    cases = [Case.of(chess.Board(fen)) for fen in fens]
    rules = cast(RulesChain, PythonRules(cases, **wrong))
    return await differences(rules, cases, random.Random(1))


async def test_rules_without_a_fault_are_not_blamed() -> None:
    assert await _told(OPEN, CHECKED, MATED, STALE, BARE, LONG) == []


@pytest.mark.parametrize(
    ("fen", "wrong", "what"),
    [
        (OPEN, {"has_legal_move": False}, ["whether there is a move"]),
        (OPEN, {"can_move": False}, ["whether there is a move", "how the game stands"]),
        (OPEN, {"in_check": True}, ["check"]),
        (MATED, {"in_check": False}, ["check", "how the game stands"]),
        (BARE, {"insufficient_material": False}, ["insufficient material", "how the game stands"]),
        (OPEN, {"cannot_mate": True}, ["whether the side not to move could mate"]),
    ],
)
async def test_what_a_report_says_wrongly_is_told(
    fen: str, wrong: dict[str, bool], what: list[str]
) -> None:
    assert await _told(fen, report=wrong) == [f"{told}: {fen}" for told in what]


async def test_wrong_bits_of_a_mask_are_named() -> None:
    case = Case.of(chess.Board(OPEN))
    bits = [index for index, move in enumerate(MOVES) if move.uci() in ("a1a2", "e1e2")]
    changed = case.mask ^ sum(1 << index for index in bits)
    assert await _told(OPEN, report={"mask": changed}) == [f"the mask, about a1a2, e1e2: {OPEN}"]


@pytest.mark.parametrize("bit", [1, 1 << 4, 1 << 8, 1 << 10])
async def test_a_wrong_next_position_is_told(bit: int) -> None:
    (line,) = await _told(OPEN, CHECKED, after=bit)
    assert line.startswith("the position after ")
    assert line.endswith(OPEN)


@pytest.mark.parametrize(
    ("fen", "move"),
    [
        (OPEN, "g1f3"),
        (CHECKED, "e1e2"),  # legal
        (CHECKED, "a2a3"),  # ignores the check
        (OPEN, "e1h1"),  # castles through pieces
    ],
)
async def test_a_wrong_answer_about_one_index_is_told(fen: str, move: str) -> None:
    index = MOVES.index(chess.Move.from_uci(move))
    assert await _told(fen, index=index) == [f"whether {move} is legal: {fen}"]


@pytest.mark.parametrize(
    ("fen", "expected"),
    [
        (OPEN, ONGOING),
        (CHECKED, ONGOING),
        (MATED, Outcome(Result.BLACK_WINS, Reason.CHECKMATE)),
        (STALE, Outcome(Result.DRAW, Reason.STALEMATE)),
        (BARE, Outcome(Result.DRAW, Reason.INSUFFICIENT_MATERIAL)),
        (LONG, Outcome(Result.DRAW, Reason.SEVENTY_FIVE_MOVES)),
    ],
)
def test_outcome_is_put_together_as_the_arena_does(fen: str, expected: Outcome) -> None:
    case = Case.of(chess.Board(fen))
    assert outcome(_report(case), case.position, case.board.turn) == expected
