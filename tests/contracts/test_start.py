"""Where a game may begin: the contract's judgement against python-chess's, and guard by guard."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import chess
import pytest

from engine.encoding import START, Position
from engine.errors import IllegalStart
from engine.game import Game, Reason, Result
from engine.start import USUAL, Start
from proofs.rules_chain import rules_chain
from proofs.rules_positions import positions
from proofs.signing import start_words
from tests.contracts.ground import Reverted
from tests.contracts.scene import BASE_SECONDS, PLAYER, SECRET, Scene, as_tuple

COUNT: Final = 3_000
BLACK_FIRST: Final = 1 << 20

LEGAL: Final = {
    "the usual one": chess.STARTING_FEN,
    "Black moves first": "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1",
    "en passant": "rnbqkbnr/ppp1pppp/8/8/3pP3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 3",
    "en passant out of the pawn's check": "8/8/8/3pP3/2K5/8/8/7k w - d6 0 1",
    "en passant out of a discovered check": "8/2b5/8/2PpP3/8/6K1/8/7k w - d6 0 1",
    "a check": "4k3/8/8/8/8/8/4r3/4K3 w - - 0 1",
    "a double check": "4k3/4r3/8/8/8/3n4/8/4K3 w - - 0 1",
    "castling both ways": "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 3 9",
    "all pawns promoted": "qqqqkqqq/qq6/8/8/8/8/QQ6/QQQQKQQQ w - - 0 1",
    "one more bishop, one pawn less": "4k3/8/8/8/8/2B1B3/PPPPPPP1/4K3 w - - 0 1",
    "the last halfmove": "4k3/8/8/8/8/8/8/R3K3 w - - 149 90",
}

ILLEGAL: Final = {
    "no own king": "4k3/8/8/8/8/8/8/R7 w - - 0 1",
    "no other king": "8/8/8/8/8/8/8/R3K3 w - - 0 1",
    "two own kings": "4k3/8/8/8/8/8/8/RK2K3 w - - 0 1",
    "two other kings": "4k2k/8/8/8/8/8/8/R3K3 w - - 0 1",
    "a pawn on the first rank": "4k3/8/8/8/8/8/8/P3K3 w - - 0 1",
    "a pawn on the last rank": "P7/8/4k3/8/8/8/8/4K3 w - - 0 1",
    "their pawn on the first rank": "4k3/8/8/8/8/8/8/p3K3 b - - 0 1",
    "the other side in check": "4k3/8/8/8/8/8/8/4RK2 w - - 0 1",
    "kings beside each other": "8/8/8/3kK3/8/8/P7/8 w - - 0 1",
    "castling without the rook": "4k3/8/8/8/8/8/8/R3K3 w K - 0 1",
    "castling without the other rook": "4k3/8/8/8/8/8/8/4K2R w Q - 0 1",
    "castling without the king": "4k3/8/8/8/8/8/8/R4K1R w KQ - 0 1",
    "their castling without the rook": "4k3/8/8/8/8/8/8/R3K3 w q - 0 1",
    "their castling without the other rook": "4k3/8/8/8/8/8/8/R3K3 w k - 0 1",
    "nine pawns": "4k3/8/8/8/8/P7/PPPPPPPP/4K3 w - - 0 1",
    "nine of their pawns": "4k3/pppppppp/p7/8/8/8/8/4K3 w - - 0 1",
    "a queen too many": "4k3/8/8/8/8/8/PPPPPPPP/QQ2K3 w - - 0 1",
    "a rook too many": "4k3/8/8/8/8/8/PPPPPPPP/RRR1K3 w - - 0 1",
    "a knight too many": "4k3/8/8/8/8/8/PPPPPPPP/NNN1K3 w - - 0 1",
    "a dark bishop too many": "4k3/8/8/8/8/8/PPPPPPPP/B1B1K3 w - - 0 1",
    "a light bishop too many": "4k3/8/8/8/8/8/PPPPPPPP/1B1BK3 w - - 0 1",
    "their bishop too many": "b1b1k3/pppppppp/8/8/8/8/8/4K3 w - - 0 1",
    "three checks": "4k3/4r3/8/8/7b/3n4/8/4K3 w - - 0 1",
    "two checks on one file": "4k3/8/8/4r3/8/4K3/8/4r3 w - - 0 1",
    "two checks on one rank": "4k3/8/8/r3K2r/8/8/8/8 w - - 0 1",
    "two checks on one diagonal": "4k2b/8/8/8/3K4/8/P7/b7 w - - 0 1",
    "two checks on the other diagonal": "b3k3/8/8/3K4/8/8/P7/7b w - - 0 1",
    "en passant of no pawn": "4k3/8/8/4P3/8/8/8/4K3 w - d6 0 1",
    "en passant of a piece": "4k3/8/8/3nP3/8/8/8/4K3 w - d6 0 1",
    "en passant over a piece": "4k3/8/3n4/3pP3/8/8/8/4K3 w - d6 0 1",
    "en passant from a piece": "4k3/3n4/8/3pP3/8/8/8/4K3 w - d6 0 1",
    "en passant without the right to take": "4k3/8/8/3p4/8/8/8/4K3 w - d6 0 1",
    "en passant by a pinned pawn": "4k3/8/8/K2pP2r/8/8/8/8 w - d6 0 1",
    "en passant later": "4k3/8/8/3pP3/8/8/8/4K3 w - d6 1 1",
    "en passant in check before": "4k3/8/8/3pP3/5n2/8/6K1/8 w - d6 0 1",
    "en passant in the pawn's check before": "4k3/8/2K5/3pP3/8/8/8/8 w - d6 0 1",
    "mate": "7k/6Q1/6K1/8/8/8/8/8 b - - 0 1",
    "stalemate": "7k/5Q2/6K1/8/8/8/8/8 b - - 0 1",
    "bare kings": "4k3/8/8/8/8/8/8/4K3 w - - 0 1",
    "a knight alone": "4k3/8/8/8/8/8/8/3NK3 w - - 0 1",
    "seventy-five moves": "4k3/8/8/8/8/8/8/R3K3 w - - 150 90",
}


def words(fen: str) -> Start:
    """The words of a FEN as it stands, legal or not."""
    board = chess.Board(fen)
    position = Position.of(board)
    context = position.context & ~0xF0
    if board.ep_square is not None:  # whatever the encoder thinks of it
        context |= (chess.square_file(board.ep_square) + 1) << 4
    rights = "KQkq" if board.turn else "kqKQ"
    context &= ~15
    context |= sum(1 << bit for bit, right in enumerate(rights) if right in fen.split()[2])
    return Start(position.board, context | BLACK_FIRST * (not board.turn))


def python_says(start: Start) -> bool:
    try:
        start.to_board()
    except IllegalStart:
        return False
    return True


def contract_says(starts: list[Start]) -> list[bool]:
    async def ask() -> list[bool]:
        async with rules_chain() as rules:
            asked = [Position(s.board, s.context & ~BLACK_FIRST) for s in starts]
            return await rules.are_playable(asked)

    return asyncio.run(ask())


# ---- both judges ----


def test_isPlayable_isYesForLegalStarts() -> None:
    starts = [words(fen) for fen in LEGAL.values()]
    verdicts = contract_says(starts)
    assert dict(zip(LEGAL, verdicts, strict=True)) == dict.fromkeys(LEGAL, True)
    assert {name: python_says(words(fen)) for name, fen in LEGAL.items()} == dict.fromkeys(
        LEGAL, True
    )


def test_isPlayable_isNoForIllegalStarts() -> None:
    starts = [words(fen) for fen in ILLEGAL.values()]
    verdicts = contract_says(starts)
    assert dict(zip(ILLEGAL, verdicts, strict=True)) == dict.fromkeys(ILLEGAL, False)
    assert {name: python_says(words(fen)) for name, fen in ILLEGAL.items()} == dict.fromkeys(
        ILLEGAL, False
    )


@pytest.mark.parametrize(
    ("board", "context"),
    [
        *((START.board, START.context | 1 << bit) for bit in (8, 9, 18, 19)),
        (START.board, START.context | 9 << 4),
        (START.board, START.context | 15 << 4),
        (Position.of(chess.Board("4k3/8/pP6/8/8/8/8/4K3 w - - 0 1")).board, 9 << 4),  # a ninth file
        *((START.board | code << 4 * 28, START.context) for code in (13, 14, 15)),
        (START.board | 14 << 4 * 4, 0),  # in the king's place, for whom code 14 might pass
        (0, 0x0F),
        (0, 0),
    ],
)
def test_isPlayable_isNoForWordsThatNobodyWrites(board: int, context: int) -> None:
    # bits beyond the fields are set, so that nothing else about the position is wrong
    start = Start(board, context)
    assert contract_says([start]) == [False]
    assert start.is_usual or not python_says(start)


def test_isPlayable_agreesWithPythonChess() -> None:
    """Positions from play and thrown together, as they are and with something changed."""
    chance = random.Random(61)
    starts = [_start(board) for board in positions(COUNT // 2, seed=62)]
    starts += [_spoilt(start, chance) for start in starts]
    expected = [python_says(start) for start in starts]
    assert contract_says(starts) == expected
    counted = Counter(expected)
    assert min(counted.values()) > COUNT // 4, counted


def _start(board: chess.Board) -> Start:
    position = Position.of(board)
    return Start(position.board, position.context | BLACK_FIRST * (not board.turn))


def _spoilt(start: Start, chance: random.Random) -> Start:
    """The words with something changed in them, which now and then does no harm."""
    return chance.choice(_SPOILERS)(start, chance)


def _piece(start: Start, chance: random.Random) -> Start:
    shift = 4 * chance.randrange(64)
    board = start.board & ~(15 << shift) | chance.randrange(16) << shift
    return Start(board, start.context)


def _swap(start: Start, chance: random.Random) -> Start:
    one, other = (4 * square for square in chance.sample(range(64), 2))
    mixed = (start.board >> one ^ start.board >> other) & 15
    return Start(start.board ^ mixed << one ^ mixed << other, start.context)


def _rights(start: Start, chance: random.Random) -> Start:
    return Start(start.board, start.context ^ 1 << chance.randrange(4))


def _file(start: Start, chance: random.Random) -> Start:
    return Start(start.board, start.context & ~0xF0 | chance.randrange(10) << 4)


def _passed(start: Start, chance: random.Random) -> Start:
    """A pawn that might just have come through, beside one that might take it."""
    file, side = chance.randrange(8), chance.choice((-1, 1))
    board = start.board
    for square, code in ((32 + file, 7), (40 + file, 0), (48 + file, 0)):
        board = board & ~(15 << 4 * square) | code << 4 * square
    if 0 <= file + side < 8:
        beside = 4 * (32 + file + side)
        board = board & ~(15 << beside) | 1 << beside
    context = start.context & ~(0xF0 | 255 << 10) | file + 1 << 4
    return Start(board, context | chance.choice((0, 0, 0, 1)) << 10)


def _halfmoves(start: Start, chance: random.Random) -> Start:
    return Start(start.board, start.context & ~(255 << 10) | chance.randrange(140, 160) << 10)


_SPOILERS: Final[tuple[Callable[[Start, random.Random], Start], ...]] = (
    *(_piece, _piece, _swap, _swap, _rights, _file),
    *(_passed, _passed, _passed, _halfmoves),
)


# ---- opening ----


@pytest.mark.parametrize("fen", LEGAL.values(), ids=LEGAL)
def test_openGame_succeedsFromALegalStart(scene: Scene, fen: str) -> None:
    start = Start.from_fen(fen)
    white_moves = not start.first_ply
    live = scene.open(**start_words(start), increment_seconds=1)
    assert live.game.position.board == (start.board or START.board)
    state = live.state
    assert (state["board"], state["context"]) == (
        live.game.position.board,
        live.game.position.context,
    )
    assert (state["firstPly"], state["ply"]) == (start.first_ply, start.first_ply)
    assert state["history"] == "0x" + live.id.hex()
    assert (state["whiteClock"], state["blackClock"]) == (BASE_SECONDS, BASE_SECONDS)
    live.play(live.game.board.san(next(iter(live.game.board.legal_moves))))
    moved = live.state
    assert moved["ply"] == start.first_ply + 1
    mover, other = ("whiteClock", "blackClock") if white_moves else ("blackClock", "whiteClock")
    assert moved[other] == BASE_SECONDS
    assert moved[mover] <= BASE_SECONDS + 1


@pytest.mark.parametrize("black_first", [False, True])
@pytest.mark.parametrize("name", ["two own kings", "mate", "en passant later"])
def test_openGame_failsFromAnIllegalStart(scene: Scene, name: str, black_first: bool) -> None:
    start = words(ILLEGAL[name])
    context = start.context & ~BLACK_FIRST | BLACK_FIRST * black_first
    refuse(scene, Start(start.board, context))


@pytest.mark.parametrize(
    "start",
    [
        Start(START.board, START.context | 1 << 21),
        Start(START.board, START.context | 1 << 23),
        Start(START.board, 0xFFFFFF),
        Start(0, START.context),
        Start(0, BLACK_FIRST),
    ],
)
def test_openGame_failsIfTheWordsAreNoPosition(scene: Scene, start: Start) -> None:
    refuse(scene, start)


def test_openGame_failsIfStartWasChanged(scene: Scene) -> None:
    """The start is signed: no one can open the game from another."""
    signed = scene.opening()
    signature = signed.sign(scene.domain, PLAYER)
    for fen in (LEGAL["a check"], LEGAL["Black moves first"]):
        changed = replace(signed, **start_words(Start.from_fen(fen)))
        with pytest.raises(Reverted, match="BadSignature"):
            scene.arena.send("openGame", as_tuple(changed), signature, SECRET)


def test_openGame_mayWriteTheUsualStartOut(scene: Scene) -> None:
    live = scene.open(start=START.board.to_bytes(32, "big"), start_context=START.context)
    assert live.state["board"] == scene.open(nonce=2).state["board"]
    live.play_all("e4 e5 Nf3")


def test_openGame_costsLessThanQuarterOfAMillionFromAnywhere(scene: Scene) -> None:
    gas = {
        name: scene.open(**start_words(Start.from_fen(fen)), nonce=2).opened.gas
        for name, fen in LEGAL.items()
    }
    assert max(gas.values()) < 250_000, gas


# ---- what follows ----


def test_move_matesFromAStartOfBlack(scene: Scene) -> None:
    fen = "rnbqkbnr/pppp1ppp/8/4p3/6P1/5P2/PPPPP2P/RNBQKBNR b KQkq - 0 2"
    live = scene.open(**start_words(Start.from_fen(fen)))
    receipt = live.play("Qh4#")
    event = receipt.event("GameEnded")
    assert (event["result"], event["reason"]) == (Result.BLACK_WINS, Reason.CHECKMATE)


def test_claimTimeout_isAgainstBlackIfBlackMovesFirst(scene: Scene) -> None:
    live = scene.open(**start_words(Start.from_fen(LEGAL["Black moves first"])))
    scene.node.next_block_at(live.opened.timestamp + BASE_SECONDS)
    live.claim_timeout()
    scene.node.next_block_at(live.opened.timestamp + BASE_SECONDS + 61)
    event = live.claim_timeout().event("GameEnded")
    assert (event["result"], event["reason"]) == (Result.WHITE_WINS, Reason.TIMEOUT)


def test_claimDraw_countsHalfmovesFromTheStart(scene: Scene) -> None:
    live = scene.open(**start_words(Start.from_fen("4k3/8/8/8/8/8/8/R3K3 w Q - 98 1")))
    live.play_all("Ra2 Kd8")
    event = live.claim_draw(live.sign_draw()).event("GameEnded")
    assert event["reason"] == Reason.FIFTY_MOVES_CLAIM


def test_repetitions_countFromTheStart(scene: Scene) -> None:
    """The start itself counts as the position's first occurrence, whatever its counter says."""
    live = scene.open(**start_words(Start.from_fen("4k3/8/8/8/8/8/8/R3K3 b - - 40 1")))
    live.play_all("Kd8 Ra2 Ke8 Ra1 Kd8 Ra2 Ke8 Ra1")
    assert live.game.repetitions == 2
    assert live.state["context"] == live.game.position.context
    event = live.claim_draw(live.sign_draw()).event("GameEnded")
    assert event["reason"] == Reason.THREEFOLD_CLAIM


def test_usual_isTheStartOfEveryone() -> None:
    assert Game().position == START
    assert Start.from_fen(chess.STARTING_FEN) == USUAL


def refuse(scene: Scene, start: Start) -> None:
    with pytest.raises(Reverted, match="IllegalStart") as caught:
        scene.open(**start_words(start))
    assert caught.value.values == {
        "start": f"0x{start.board:064x}",
        "startContext": start.context,
    }
