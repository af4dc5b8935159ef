"""A larger net that begins as a smaller one: what was learnt is kept, the new channels join in.

New channels see what the recipe's random start gave them, and nothing reads them yet: so the larger
net plays as the smaller one does until training finds a use for them.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.errors import InvalidNet
from engine.net import NetSpec
from engine.train.model import NetShape, PolicyNet, TapLayer


@torch.no_grad()
def grow(net: PolicyNet, seed: NetSpec, *, seed_shape: NetShape | None = None) -> None:
    """Begin `net` with the weights of `seed`: its first layers have the same kinds and taps, and at
    least as many channels.  `seed_shape` tells the scales of `seed` where they are others than the
    net's.  Raises InvalidNet otherwise."""
    _check(net, seed)
    old_net = PolicyNet(_shape_of(seed, seed_shape or net.shape))
    places = [np.arange(net.shape.inputs)]
    features = net.shape.inputs
    for layer, old, was in zip(net.layers, seed.layers, old_net.layers, strict=False):
        assert isinstance(layer, TapLayer)
        assert isinstance(was, TapLayer)
        was.load(old)
        known = torch.from_numpy(np.concatenate(places))
        count = len(old.bias)
        for part in range(2 if old.gate else 1):
            own = slice(part * layer.shape.outputs, part * layer.shape.outputs + count)
            theirs = slice(part * count, (part + 1) * count)
            layer.weights[own] = 0
            layer.weights[own, known] = was.weights[theirs]
            layer.bias[own] = was.bias[theirs]
        places.append(features + np.arange(count))
        features += layer.shape.outputs
    known = torch.from_numpy(np.concatenate(places))
    head = seed.head
    for rows_of, weights in (
        (net.from_weights, head.from_weights),
        (net.to_weights, head.to_weights),
        (net.piece_weights, head.piece_weights),
    ):
        rows_of.zero_()
        rows_of[:, known] = _scaled(weights, old_net.steps)
    net.bias.copy_(_scaled(head.bias, torch.tensor(2.0**-old_net.exponent)))


def _shape_of(seed: NetSpec, like: NetShape) -> NetShape:
    layers = tuple(
        replace(shape, outputs=len(old.bias), shift=old.shift)
        for old, shape in zip(seed.layers, like.layers, strict=False)
    )
    return replace(like, layers=layers)


def _scaled(weights: np.ndarray[tuple[int, ...], np.dtype[np.int64]], steps: Tensor) -> Tensor:
    return torch.from_numpy(weights.copy()).float() * steps


def _check(net: PolicyNet, seed: NetSpec) -> None:
    shape = net.shape
    if seed.sight != shape.sight or len(seed.layers) > len(shape.layers):
        raise InvalidNet(f"{seed.name} is not a smaller net of this shape")
    for k, (wanted, old) in enumerate(zip(shape.layers, seed.layers, strict=False)):
        same = (wanted.kind == "gate") == (old.gate is not None) and wanted.taps == old.taps
        if not same or wanted.outputs < len(old.bias):
            raise InvalidNet(f"layer {k} of {seed.name} does not fit into this shape")
