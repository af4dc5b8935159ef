import numpy as np

from engine.net import NetSpec
from engine.policy_map import MOVERS, POLICY_SIZE, TO_SQUARE
from engine.sight import sight_limits
from engine.wiring import LINE, SIGHT, sight_squares, wiring_of
from tests.engine.nets import full_net, random_net


def test_every_mover_has_its_part_in_a_product() -> None:
    pieces = wiring_of(full_net()).pieces
    found = np.zeros((POLICY_SIZE, 6), dtype=np.int64)
    for index, *sums in zip(pieces.index, pieces.first, pieces.second, strict=True):
        for place in sums:
            if place >= 0:
                piece, square = divmod(int(pieces.reach[place]), 64)
                assert square == TO_SQUARE[index]
                found[index, piece] += 1
    assert np.array_equal(found, MOVERS)
    assert np.array_equal(np.unique(pieces.index), np.arange(POLICY_SIZE))
    assert np.array_equal(pieces.index[pieces.last], np.arange(POLICY_SIZE))


def test_pairs_are_of_two_pieces_and_one_square() -> None:
    pieces = wiring_of(full_net()).pieces
    first, second = pieces.reach[pieces.pairs].T
    assert (first % 64 == second % 64).all()
    assert (first != second).all()
    for product, pair in enumerate(pieces.pair):
        if pair >= 0:
            assert pieces.pairs[pair].tolist() == [pieces.first[product], pieces.second[product]]
        else:
            assert pieces.second[product] == -1


def test_an_idle_piece_has_no_product() -> None:
    net = full_net()
    net.head.piece_weights[[1, 4]] = 0
    pieces = wiring_of(NetSpec("idle", net.layers, net.head, sight=True)).pieces
    assert set((pieces.reach // 64).tolist()) == {0, 2, 3, 5}
    assert not set(pieces.index.tolist()) & set(np.flatnonzero(MOVERS[:, 1]).tolist())


def test_planes_look_as_far_as_their_counts_reach() -> None:
    """A plane's limit is the number of places where it looks for a piece."""
    for (kind, _, lines), limit in zip(SIGHT, sight_limits(), strict=True):
        assert np.array_equal((sight_squares(kind)[list(lines)] < 64).sum(axis=0), limit)


def test_lines_have_a_wire_where_there_is_a_square_behind_the_next() -> None:
    sight = wiring_of(random_net(sight=True)).sight
    assert sight.read.tolist() == list(range(18))
    assert len(sight.squares) == 2 * (3 * 4 * 36 + 3 * 4 * 48)
    assert {plane for plane in range(18) if SIGHT[plane][0] == LINE} < set(sight.summed.tolist())
    blind = wiring_of(random_net()).sight
    assert len(blind.read) == len(blind.squares) == 0


def test_an_activation_that_is_always_0_has_no_wire() -> None:
    net = random_net(channels=(2,), magnitude=1)
    net.layers[0].bias[1] = -1000
    (layer,) = wiring_of(net).layers
    assert set((layer.rows // 64).tolist()) == {0}
    bounds = net.bounds()
    low, high = (end[0].ravel()[layer.rows] for end in (bounds.pre_lo, bounds.pre_hi))
    half = np.left_shift(1, layer.widths - 1)
    assert (-half <= low).all()
    assert (high < half).all()
    assert ((low < -half // 2) | (high >= half // 2)).all()  # no bit too many
