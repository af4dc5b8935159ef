"""Where a game may begin, as Python judges it; the contract's judgement is compared elsewhere."""

import chess
import pytest

from engine.encoding import START, Position
from engine.errors import IllegalStart
from engine.game import ABORTED, ONGOING, Game, Reason, Result
from engine.start import USUAL, Start

BLACK_FIRST = "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 3 17"


def refused(fen: str) -> str:
    with pytest.raises(IllegalStart) as caught:
        Start.from_fen(fen)
    return caught.value.why


def test_usual_position_is_two_zero_words() -> None:
    assert Start.from_fen(chess.STARTING_FEN) == USUAL == Start(0, 0)
    assert USUAL.is_usual
    assert USUAL.to_board() == chess.Board()
    assert Game().position == START


def test_usual_board_with_another_counter_is_another_start() -> None:
    start = Start.from_fen(chess.STARTING_FEN.replace(" 0 1", " 4 3"))
    assert start == Start(START.board, START.context | 4 << 10)
    assert start.to_board().halfmove_clock == 4


@pytest.mark.parametrize(
    "fen",
    [
        "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1",
        "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 1",
        "8/8/8/8/k2Pp2Q/8/8/3K4 b - d3 0 1",
        "r3k2r/8/8/8/8/8/8/R3K2R b Kq - 149 1",
        "4k3/8/8/8/8/8/8/R3K3 w Q - 12 1",
    ],
)
def test_words_and_board_are_the_same_position(fen: str) -> None:
    start = Start.from_fen(fen)
    board = chess.Board(fen)
    assert start.to_board().epd(en_passant="legal") == board.epd(en_passant="legal")
    assert start.to_board().halfmove_clock == board.halfmove_clock
    assert start.board == Position.of(board).board
    assert start.context & (1 << 20) - 1 == Position.of(board).context
    assert (start.context >> 20, start.first_ply) == (not board.turn, not board.turn)


def test_en_passant_that_is_not_legal_is_left_out() -> None:
    assert Start.from_fen(
        "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1"
    ).context == (0b1111 | 1 << 20)


def test_earlier_moves_count_for_nothing() -> None:
    start = Start.from_fen(BLACK_FIRST)
    game = Game(start)
    assert (game.ply, game.played, game.repetitions) == (1, 0, 0)
    assert game.board.fen() == BLACK_FIRST.replace(" 17", " 1")
    assert game.position.board == start.board
    game.play(next(i for i in range(1858) if game.mask >> i & 1))
    assert (game.ply, game.played, game.turn) == (2, 1, chess.WHITE)


def test_game_from_a_start_draws_by_its_counter() -> None:
    game = Game(Start.from_fen("4k3/8/8/8/8/8/8/R3K3 w - - 149 100"))
    assert game.outcome() == ONGOING
    assert game.claim().reason is Reason.FIFTY_MOVES_CLAIM
    game.play(next(i for i in range(1858) if game.mask >> i & 1))
    assert game.outcome().reason is Reason.SEVENTY_FIVE_MOVES


def test_an_abort_is_neither_won_nor_drawn() -> None:
    assert (ABORTED.result, str(ABORTED.result), str(ABORTED.reason)) == (
        Result.ABORTED,
        "*",
        "aborted",
    )
    assert ABORTED != ONGOING


@pytest.mark.parametrize(
    ("fen", "why"),
    [
        ("", "no FEN"),
        ("no fen at all", "no FEN"),
        ("8/8/8/8/8/8/8/8 w - - 0 1", "no white king, no black king, empty"),
        ("4k3/8/8/8/8/8/8/4RK2 w - - 0 1", "opposite check"),
        ("4k3/8/8/8/8/8/8/P3K3 w - - 0 1", "pawns on backrank"),
        ("4k3/8/8/8/8/8/8/R3K3 w K - 0 1", "bad castling rights"),
        ("4k3/8/8/8/8/8/PPPPPPPP/QQ2K3 w - - 0 1", "more promoted pieces"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6 1 1", "halfmove clock is not zero"),
        ("4k3/8/2K5/3pP3/8/8/8/8 w - d6 0 1", "in check before"),
        ("7k/6Q1/6K1/8/8/8/8/8 b - - 0 1", "over before it begins"),
        ("4k3/8/8/8/8/8/8/R3K3 w - - 150 1", "150 halfmoves"),
    ],
)
def test_refusals_say_why(fen: str, why: str) -> None:
    assert why in refused(fen)


@pytest.mark.parametrize(
    "start",
    [
        Start(START.board, START.context | 1 << 8),
        Start(START.board, START.context | 1 << 21),
        Start(START.board, 9 << 4),
        Start(START.board | 13 << 4 * 30, START.context),
        Start(START.board, START.context | 5 << 4),
        Start(0, 1),
        Start(1 << 256 | START.board, START.context),
    ],
)
def test_words_that_nobody_writes_are_refused(start: Start) -> None:
    with pytest.raises(IllegalStart):
        start.to_board()
    with pytest.raises(IllegalStart):
        Game(start)
