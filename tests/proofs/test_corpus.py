from pathlib import Path

from engine.game import ONGOING, Game, Reason
from proofs.corpus import LONGEST, games, make_games
from tests.engine.conftest import stockfish_path

__all__ = ["stockfish_path"]  # the stand-in for Stockfish, as a fixture here too


def test_games_are_whole_and_of_every_stage() -> None:
    endings, pieces, plies = set(), set(), 0
    for indices in games():
        game = Game()
        for index in indices:
            assert game.outcome() == ONGOING
            game.play(index)
            pieces.add(len(game.board.piece_map()))
        plies += game.ply
        assert game.outcome() != ONGOING or game.ply == LONGEST
        endings.add(game.outcome().reason)
    assert plies >= 1000
    assert Reason.CHECKMATE in endings
    assert pieces >= set(range(4, 33))


def test_games_come_out_the_same_for_the_same_seed(stockfish_path: str, tmp_path: Path) -> None:
    made = make_games(2, seed=3, stockfish=stockfish_path)
    assert made == make_games(2, seed=3, stockfish=stockfish_path)
    assert made[0] != made[1]
    assert made != make_games(2, seed=4, stockfish=stockfish_path)
