"""A larger net that begins as a smaller one: what was learnt is kept, the new channels join in.

New channels see what the recipe's random start gave them, and nothing reads them yet: so the larger
net plays as the smaller one does until training finds a use for them.
"""

import numpy as np
import torch
from torch import Tensor

from engine.errors import InvalidNet
from engine.net import NetSpec
from engine.train.model import PolicyNet, TapLayer


@torch.no_grad()
def grow(net: PolicyNet, seed: NetSpec) -> None:
    """Begin `net` with the weights of `seed`: the same kinds of layers, taps and shifts, and at
    least as many channels, on the same scales.  Raises InvalidNet otherwise."""
    _check(net, seed)
    places = [np.arange(net.shape.inputs)]
    features = net.shape.inputs
    for layer, old in zip(net.layers, seed.layers, strict=True):
        assert isinstance(layer, TapLayer)
        known = torch.from_numpy(np.concatenate(places))
        rows = [(0, old.weights, old.bias)]
        if old.gate:
            rows.append((layer.shape.outputs, old.gate.weights, old.gate.bias))
        for first, weights, bias in rows:
            own = slice(first, first + len(bias))
            layer.weights[own] = 0
            layer.weights[own, known] = (
                torch.from_numpy(weights.copy()).float() * layer.steps[known]
            )
            layer.bias[own] = torch.from_numpy(bias.copy()).float() * 2.0**-layer.fine_exponent
        places.append(features + np.arange(len(old.bias)))
        features += layer.shape.outputs
    known = torch.from_numpy(np.concatenate(places))
    head = seed.head
    for rows_of, weights in (
        (net.from_weights, head.from_weights),
        (net.to_weights, head.to_weights),
        (net.piece_weights, head.piece_weights),
    ):
        rows_of.zero_()
        rows_of[:, known] = _scaled(weights, net.steps[known])
    net.bias.copy_(_scaled(head.bias, torch.tensor(2.0**-net.exponent)))


def _scaled(weights: np.ndarray[tuple[int, ...], np.dtype[np.int64]], steps: Tensor) -> Tensor:
    return torch.from_numpy(weights.copy()).float() * steps


def _check(net: PolicyNet, seed: NetSpec) -> None:
    shape = net.shape
    if seed.sight != shape.sight or len(seed.layers) != len(shape.layers):
        raise InvalidNet(f"{seed.name} is not a smaller net of this shape")
    for k, (wanted, old) in enumerate(zip(shape.layers, seed.layers, strict=True)):
        same = (wanted.kind == "gate") == (old.gate is not None) and wanted.taps == old.taps
        if not same or wanted.shift != old.shift or wanted.outputs < len(old.bias):
            raise InvalidNet(f"layer {k} of {seed.name} does not fit into this shape")
