import chess
import pytest

from engine.errors import IllegalIndex
from engine.game import ONGOING, Game, Outcome, Reason, Result
from engine.policy_map import move_index


def play(game: Game, moves: str) -> Game:
    for san in moves.split():
        game.play(move_index(game.board, game.board.parse_san(san)))
    return game


def at(fen: str) -> Game:
    game = Game()
    game.board = chess.Board(fen)
    game._seen.clear()
    game._count()
    return game


def test_mate_is_won_by_the_side_that_gave_it() -> None:
    assert play(Game(), "f3 e5 g4 Qh4#").outcome() == Outcome(Result.BLACK_WINS, Reason.CHECKMATE)
    assert play(Game(), "e4 e5 Qh5 Nc6 Bc4 Nf6 Qxf7#").outcome() == Outcome(
        Result.WHITE_WINS, Reason.CHECKMATE
    )


def test_stalemate_is_a_draw() -> None:
    assert at("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1").outcome() == Outcome(Result.DRAW, Reason.STALEMATE)


@pytest.mark.parametrize(
    ("fen", "reason"),
    [
        ("8/8/8/4k3/8/8/4K3/8 w - - 0 1", Reason.INSUFFICIENT_MATERIAL),
        ("8/8/8/4k3/8/8/4K2N/8 w - - 0 1", Reason.INSUFFICIENT_MATERIAL),
        ("8/8/8/4k3/8/8/4K2R/8 w - - 150 100", Reason.SEVENTY_FIVE_MOVES),
        ("8/8/8/4k3/8/8/4K2R/8 w - - 149 100", Reason.NONE),
    ],
)
def test_draws_that_need_no_claim(fen: str, reason: Reason) -> None:
    assert at(fen).outcome().reason == reason


def test_mate_comes_before_the_seventy_five_move_rule() -> None:
    assert at("R6k/6pp/8/8/8/8/8/K7 b - - 150 99").outcome().reason == Reason.CHECKMATE


def test_repetitions_count_up_to_the_fivefold_draw() -> None:
    game = Game()
    for time in range(1, 5):
        assert game.outcome() == ONGOING
        play(game, "Nf3 Nf6 Ng1 Ng8")
        assert game.repetitions == time
        assert game.position.context >> 8 & 3 == min(time, 2)
    assert game.outcome() == Outcome(Result.DRAW, Reason.FIVEFOLD_REPETITION)


def test_claims_need_their_ground() -> None:
    game = play(Game(), "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1")
    assert game.claim() == ONGOING
    assert play(game, "Ng8").claim() == Outcome(Result.DRAW, Reason.THREEFOLD_CLAIM)
    assert at("8/8/8/4k3/8/8/4K2R/8 w - - 99 90").claim() == ONGOING
    assert at("8/8/8/4k3/8/8/4K2R/8 w - - 100 90").claim().reason == Reason.FIFTY_MOVES_CLAIM


def test_play_fails_if_illegal_and_changes_nothing() -> None:
    game = Game()
    with pytest.raises(IllegalIndex):
        game.play(0)
    assert game.ply == 0
    assert game.position == Game().position
