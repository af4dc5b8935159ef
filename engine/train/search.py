"""Which shape of net plays best for the constraints it costs: the same data for each, one recipe.

Each candidate leaves one thing of the net out, or makes it wider, so that its row shows what that
is worth.  Strength and proving time are measured from the files by `checkproof bench nets`.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.train.data import Progress
from engine.train.model import HERE, KING, LayerShape, NetShape
from engine.train.recipes import RECIPES
from engine.train.train import TrainOptions, train_net

_NEAR: Final = HERE + KING


def _relu(outputs: int, *, shift: int = 6, bits: int = 18) -> LayerShape:
    return LayerShape("relu", outputs, _NEAR, shift=shift, bits=bits)


def _gate(outputs: int) -> LayerShape:
    return LayerShape("gate", outputs, _NEAR)


CANDIDATES: Final = {
    "blind": NetShape(sight=False, layers=(_relu(16, shift=2, bits=10), _relu(16, shift=2))),
    "linear": NetShape(layers=(), logit_bits=16),
    "relu16": NetShape(layers=(_relu(16, shift=2, bits=10),), logit_bits=16),
    "gate32": NetShape(layers=(_gate(32),), logit_bits=20),
    "gate128": NetShape(layers=(_gate(128),), logit_bits=20),
    "gate64-relu16": RECIPES["pawn"].shape,
    "gate128-relu32": NetShape(layers=(_gate(128), _relu(32)), logit_bits=23),
    "gate192-relu64": replace(RECIPES["knight"].shape, noise=0),
}
"""All at temperature 0, so that noise does not blur the comparison."""


def search(
    *,
    data: Path,
    out: Path,
    options: TrainOptions,
    names: list[str],
    progress: Callable[[str], Progress],
) -> list[Path]:
    """Train the named candidates one after another; those whose file is there are not again.

    Raises NoTrainingData.
    """
    files = []
    for name in names:
        file = out / f"{name}.json"
        if not file.exists():
            train_net(
                name,
                data=data,
                out=file,
                work=out / "checkpoints",
                options=replace(options, shape=CANDIDATES[name]),
                progress=progress(name),
            )
        files.append(file)
    return files
