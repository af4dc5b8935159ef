"""The shapes of the house nets, by name."""

from typing import Final

from engine.train.model import HERE, KING, LayerShape, NetShape

_NEAR: Final = HERE + KING

SHAPES: Final = {
    "pawn": NetShape(
        layers=(
            LayerShape("gate", 64, _NEAR),
            LayerShape("relu", 16, _NEAR, shift=6, bits=18),
        ),
        logit_bits=22,
        noise=20,
    ),
    "knight": NetShape(
        layers=(
            LayerShape("gate", 128, _NEAR),
            LayerShape("relu", 32, _NEAR, shift=6, bits=18),
        ),
        logit_bits=23,
        noise=20,
    ),
    "queen": NetShape(
        layers=(
            LayerShape("gate", 192, _NEAR),
            LayerShape("relu", 64, _NEAR, shift=6, bits=18),
        ),
        logit_bits=24,
        noise=20,
    ),
}
