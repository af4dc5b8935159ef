"""How the house nets are trained, by name: shape and options."""

from typing import Final

from engine.train.model import HERE, KING, LayerShape, NetShape
from engine.train.train import TrainOptions

_NEAR: Final = HERE + KING


def _shape(gates: int, relus: int, *, logit_bits: int, noise: int) -> NetShape:
    """Gates that pick out patterns near a square, then what follows from them near it."""
    return NetShape(
        layers=(
            LayerShape("gate", gates, _NEAR),
            LayerShape("relu", relus, _NEAR, shift=6, bits=18),
        ),
        logit_bits=logit_bits,
        noise=noise,
    )


_DEEP: Final = NetShape(
    layers=(
        LayerShape("gate", 256, _NEAR, fine=4),
        LayerShape("relu", 80, _NEAR, fine=5, shift=9, bits=23),
        LayerShape("relu", 64, _NEAR, fine=5, shift=9, bits=22),
    ),
    head_fine=5,
    logit_bits=28,
    noise=64,
    repeat_noise=2400,
)
"""Finer weights than `_shape`: most weights of a wide layer are small, and would round to 0."""

RECIPES: Final = {
    "pawn": TrainOptions(epochs=2, shape=_shape(64, 16, logit_bits=22, noise=0)),
    "knight": TrainOptions(
        epochs=2,
        batch=256,
        rate=0.0015,
        float_share=0.7,
        shape=_shape(192, 64, logit_bits=24, noise=4),
    ),
    "queen": TrainOptions(  # grown from a net of the shape above
        epochs=2,
        batch=256,
        rate=0.0012,
        float_share=0.6,
        regret=10.0,
        shape=_DEEP,
        seed_shape=_shape(256, 80, logit_bits=24, noise=4),
    ),
}
"""pawn plays at temperature 0; the noise of the others has a deviation of 0.03 logits, which picks
among moves that are nearly as good.  In a position that was there before, that of queen has one of
1.2 logits: so it goes round in circles less."""
