"""Small training runs for tests: positions with made-up labels, and a small shape of net."""

from pathlib import Path

import numpy as np

from engine.net import NetSpec
from engine.policy_map import POLICY_SIZE
from engine.train.data import Progress, Shard, shard_path
from engine.train.model import HERE, KING, LayerShape, NetShape
from engine.train.train import TrainOptions, train_net
from tests.engine.boards import game_boards

SMALL = NetShape(
    layers=(
        LayerShape("gate", 4, HERE + KING, fine=2),
        LayerShape("relu", 3, HERE, fine=2, shift=3),
    ),
    noise=3,
)

STEPS_PER_EPOCH = 5
"""200 positions, a tenth of them held out, in batches of 32."""


def small_options(*, epochs: int, rate: float = TrainOptions.rate) -> TrainOptions:
    return TrainOptions(batch=32, epochs=epochs, rate=rate, shape=SMALL)


def fake_data(count: int = 200) -> Shard:
    """Positions with made-up legal moves, of which the same one is always best."""
    words = list(dict.fromkeys(game_boards(2 * count)))[:count]
    board = np.frombuffer(b"".join(w.to_bytes(32, "little") for w in words), np.uint8)
    legal = (np.random.default_rng(0).random((count, POLICY_SIZE)) < 0.02).astype(np.uint8)
    index = np.tile(np.array([700, 5, 1800], np.int16), (count, 1))
    np.put_along_axis(legal, index.astype(np.int64), 1, axis=1)
    return Shard(
        board=board.reshape(count, 32),
        legal=np.packbits(legal, axis=1, bitorder="little"),
        index=index,
        score=np.tile(np.array([50, 0, -30000], np.int16), (count, 1)),
    )


def write_data(folder: Path, data: Shard) -> None:
    """A folder as `engine.train.data` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {name: getattr(data, name) for name in ("board", "legal", "index", "score")}
    np.savez_compressed(shard_path(folder, 1, 0), **columns)


def train_small(folder: Path, options: TrainOptions, progress: Progress | None = None) -> NetSpec:
    """A run on `fake_data`, all of it in `folder`; what an earlier one left is taken up."""
    write_data(folder / "data", fake_data())
    return train_net(
        "small",
        data=folder / "data",
        out=folder / "small.json",
        work=folder / "work",
        options=options,
        progress=progress,
    )
