"""Choosing moves and playing matches."""

import random
from collections import Counter

import chess
import numpy as np
import pytest

from engine.encoding import START, Position
from engine.errors import NoLegalMove
from engine.game import Game
from engine.net import NetSpec, house_net
from engine.net_file import INPUT_PLANES, Head
from engine.player import (
    Score,
    choose,
    legal_indices,
    net_mover,
    opened,
    play_match,
    random_mover,
)
from engine.policy_map import MOVES, POLICY_SIZE, legal_mask, move_index
from tests.engine.nets import random_net


def net_with_bias(bias: dict[int, int]) -> NetSpec:
    """A net without layers whose logits are the given numbers, elsewhere 0."""
    rows = np.zeros((73, INPUT_PLANES), dtype=np.int64)
    values = np.zeros(POLICY_SIZE, dtype=np.int64)
    for index, value in bias.items():
        values[index] = value
    return NetSpec("biased", (), Head(rows, rows, rows[:6], values))


def test_choose_takes_the_highest_legal_logit() -> None:
    e2e4 = move_index(chess.Board(), chess.Move.from_uci("e2e4"))
    e2e5 = next(i for i, move in enumerate(MOVES) if move.uci() == "e2e5")
    net = net_with_bias({e2e4: 3, e2e5: 9})
    assert choose(net, START, legal_mask(chess.Board())) == e2e4


def test_choose_takes_the_lowest_index_among_equals() -> None:
    mask = legal_mask(chess.Board())
    lowest = int(legal_indices(mask)[0])
    assert choose(net_with_bias({}), START, mask) == lowest
    others = [int(i) for i in legal_indices(mask)[3:]]
    assert choose(net_with_bias(dict.fromkeys(others, 5)), START, mask) == others[0]


def test_choose_works_when_all_legal_logits_are_negative() -> None:
    net = net_with_bias(dict.fromkeys(range(POLICY_SIZE), -7))
    mask = legal_mask(chess.Board())
    assert choose(net, START, mask) == int(legal_indices(mask)[0])


def test_a_net_without_noise_ignores_the_dice() -> None:
    net, mask = random_net(), legal_mask(chess.Board())
    assert len({choose(net, START, mask, dice) for dice in (0, 1, 2**128 - 1)}) == 1


def test_a_net_with_noise_plays_by_the_dice() -> None:
    """Other dice, other moves; the same dice, the same move."""
    net, mask, rng = random_net(noise=40), legal_mask(chess.Board()), random.Random(1)
    dice = [rng.getrandbits(128) for _ in range(40)]
    chosen = [choose(net, START, mask, rolled) for rolled in dice]
    assert chosen == [choose(net, START, mask, rolled) for rolled in dice]
    assert len(set(chosen)) > 3
    for index, rolled in zip(chosen, dice, strict=True):
        logits = net.forward(START.board, rolled).logits
        assert logits[index] == logits[legal_indices(mask)].max()


def test_much_noise_plays_all_moves() -> None:
    """Where only the dice speak, every move of the opening has its turn."""
    net, mask, rng = random_net(magnitude=0, noise=1), legal_mask(chess.Board()), random.Random(2)
    played = Counter(choose(net, START, mask, rng.getrandbits(128)) for _ in range(1500))
    assert set(played) == set(legal_indices(mask).tolist())
    assert max(played.values()) < 4 * 1500 / len(played)


def test_choose_fails_without_a_legal_move() -> None:
    with pytest.raises(NoLegalMove):
        choose(random_net(), START, 0)


def test_pawn_sees_the_same_position_from_both_sides() -> None:
    """A position and its mirror image with the other side to move are one to the net."""
    net, rng = house_net("pawn"), random.Random(4)
    board = chess.Board()
    for _ in range(40):
        board.push(rng.choice(list(board.legal_moves)))
        mirrored = board.mirror()
        chosen = choose(net, Position.of(board), legal_mask(board))
        assert choose(net, Position.of(mirrored), legal_mask(mirrored)) == chosen


def test_legal_indices_are_the_bits_of_the_mask() -> None:
    board = chess.Board("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1")
    assert legal_indices(legal_mask(board)).tolist() == sorted(
        move_index(board, move) for move in board.legal_moves
    )
    assert legal_indices(1 << 1857).tolist() == [1857]


def test_random_mover_repeats_with_its_seed_and_plays_every_move() -> None:
    mask = legal_mask(chess.Board())
    first, again = random_mover(7), random_mover(7)
    moves = [first(START, mask) for _ in range(300)]
    assert moves == [again(START, mask) for _ in range(300)]
    assert set(moves) == set(legal_indices(mask).tolist())


def test_a_nets_mover_repeats_with_its_seed_and_varies_without() -> None:
    net, mask = random_net(noise=40), legal_mask(chess.Board())
    first, again, other = (net_mover(net, seed) for seed in ("7", "7", "8"))
    moves = [first(START, mask) for _ in range(60)]
    assert moves == [again(START, mask) for _ in range(60)]
    assert moves != [other(START, mask) for _ in range(60)]
    chance = [[mover(START, mask) for _ in range(60)] for mover in (net_mover(net), net_mover(net))]
    assert chance[0] != chance[1]


@pytest.mark.parametrize("noise", [0, 40])
def test_a_match_repeats_with_its_seed(noise: int) -> None:
    net = random_net(noise=noise)
    scores = [play_match(net, random_mover(1), games=4, seed=2) for _ in range(2)]
    assert scores[0] == scores[1]
    assert scores[0].wins + scores[0].draws + scores[0].losses == 4


def test_a_match_counts_wins_for_the_net_in_both_colours() -> None:
    """The opponent mates the net, or is mated by it, in every game of a forced line."""

    def fool(position: Position, mask: int) -> int:
        return int(legal_indices(mask)[-1])

    score = play_match(house_net("pawn"), fool, games=6)
    assert score.wins + score.draws + score.losses == 6
    assert score.points == score.wins + score.draws / 2


def test_a_score_reads_well() -> None:
    assert str(Score(wins=7, draws=3, losses=1)) == "8.5 of 11 (+7 =3 -1)"


def test_pawn_beats_the_random_mover() -> None:
    """At least 70 points of 100 games from random openings, each with both colours."""
    score = play_match(house_net("pawn"), random_mover(2024), games=100, seed=2024)
    assert score.points >= 70, str(score)


def test_pawn_plays_a_whole_game_against_itself() -> None:
    net, game = house_net("pawn"), Game()
    while not game.outcome().result and game.ply < 400:
        game.play(choose(net, game.position, game.mask))
    assert game.ply > 10


@pytest.mark.parametrize("name", ["knight", "queen"])
def test_other_dice_answer_an_opening_otherwise(name: str) -> None:
    net, rng = house_net(name), random.Random(6)
    answers = []
    for number in range(40):
        game = opened(f"dice/{number}")
        dice = [rng.getrandbits(128) for _ in range(4)]
        answers.append([choose(net, game.position, game.mask, rolled) for rolled in dice])
        again = [choose(net, game.position, game.mask, rolled) for rolled in dice]
        assert again == answers[-1]
    assert any(len(set(moves)) > 1 for moves in answers)
