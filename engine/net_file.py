"""The net file: what it holds, how it is read, and what is refused.

A net file is canonical JSON (no spaces, keys in the order below, one newline at the end), so that
a net has one file and one hash.  All numbers are integers.

    {"format":"checkproof-net/2",
     "name":NAME,
     "sight":true or false,
     "noise":A,
     "repeat_noise":B,        (left out if it is 0)
     "layers":[{"kind":"relu",
                "taps":[[file step,rank step] x T],
                "weights":[[[integer x T] x inputs] x outputs],
                "bias":[integer x outputs],
                "shift":S}
               or
               {"kind":"gate",
                "taps":..,"weights":..,"bias":..,
                "gate_weights":[[[integer x T] x inputs] x outputs],
                "gate_bias":[integer x outputs]} x any number],
     "head":{"from":[[integer x features] x 73],
             "to":[[integer x features] x 73],
             "piece":[[integer x features] x 6],
             "bias":[integer x 1858]}}

Features stack up: layer 0 reads the input planes (13, or 31 with sight), layer k reads the planes
and then the outputs of layers 0..k-1, and the head reads the planes and the outputs of every layer,
in that order.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidNet
from engine.policy_map import MOVE_TYPES, POLICY_SIZE
from engine.sight import SIGHT_PLANES

IntArray = NDArray[np.int64]

FORMAT: Final = "checkproof-net/2"
INPUT_PLANES: Final = 13
PIECES: Final = 6
MAX_FILE_BYTES: Final = 8_000_000
MAX_LAYERS: Final = 4
MAX_CHANNELS: Final = 256
MAX_WEIGHT: Final = 2**15
MAX_BIAS: Final = 2**32
MAX_SHIFT: Final = 24
MAX_NOISE: Final = 2**32

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, eq=False)
class Gate:
    """The second factor of a gate layer, over the same inputs and taps as the first."""

    weights: IntArray  # (outputs, inputs, taps)
    bias: IntArray  # (outputs,)


@dataclass(frozen=True, eq=False)
class Layer:
    """y = max(x, 0) >> shift, or with a gate y = x * g and no shift.

    x[o][s] = bias[o] + sum of weights[o][i][t] * in[i][s + tap t], and g likewise with the gate's
    weights and bias.  A tap that leaves the board reads 0.
    """

    taps: tuple[tuple[int, int], ...]  # (file step, rank step) each in -7..7
    weights: IntArray  # (outputs, inputs, taps)
    bias: IntArray  # (outputs,)
    shift: int
    gate: Gate | None = None


@dataclass(frozen=True, eq=False)
class Head:
    """The logits' weights; `engine.net` says what they do."""

    from_weights: IntArray  # (73, features)
    to_weights: IntArray  # (73, features)
    piece_weights: IntArray  # (6, features): P N B R Q K
    bias: IntArray  # (1858,)


@dataclass(frozen=True, eq=False)
class NetParts:
    """A net file, read."""

    name: str
    layers: tuple[Layer, ...]
    head: Head
    sight: bool
    noise: int
    repeat_noise: int = 0


def parse(data: bytes) -> NetParts:
    """Read a net file.  Raises InvalidNet for anything but a well-formed, canonical one."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidNet(f"the file has {len(data)} bytes, at most {MAX_FILE_BYTES} are read")
    document = _json(data)
    keys = ["format", "name", "sight", "noise", "layers", "head"]
    if isinstance(document, dict) and "repeat_noise" in document:
        keys.append("repeat_noise")
    fields = _object(document, keys, "the file")
    if fields["format"] != FORMAT:
        raise InvalidNet(f'"format" must be "{FORMAT}"')
    name, sight = fields["name"], fields["sight"]
    if not isinstance(name, str) or not is_name(name):
        raise InvalidNet('"name" must be 1 to 32 of a-z, 0-9 and -, and start with a letter')
    if not isinstance(sight, bool):
        raise InvalidNet('"sight" must be true or false')
    noise = _natural(fields["noise"], MAX_NOISE, '"noise"')
    repeat_noise = _natural(fields.get("repeat_noise", 0), MAX_NOISE, '"repeat_noise"')
    layers = _layers(fields["layers"], sight=sight)
    head = _head(fields["head"], features=feature_count(layers, sight=sight))
    parts = NetParts(name, layers, head, sight, noise, repeat_noise)
    if dump(parts) != data:
        raise InvalidNet("the JSON is not in canonical form (spacing, key order or number format)")
    return parts


def is_name(text: str) -> bool:
    """Whether a net may be called so."""
    return _NAME.fullmatch(text) is not None


def dump(parts: NetParts) -> bytes:
    """The canonical file of a net."""
    document = {
        "format": FORMAT,
        "name": parts.name,
        "sight": parts.sight,
        "noise": parts.noise,
        **({"repeat_noise": parts.repeat_noise} if parts.repeat_noise else {}),
        "layers": [_layer_document(layer) for layer in parts.layers],
        "head": {
            "from": parts.head.from_weights.tolist(),
            "to": parts.head.to_weights.tolist(),
            "piece": parts.head.piece_weights.tolist(),
            "bias": parts.head.bias.tolist(),
        },
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _layer_document(layer: Layer) -> dict[str, Any]:
    document = {
        "kind": "relu" if layer.gate is None else "gate",
        "taps": [list(tap) for tap in layer.taps],
        "weights": layer.weights.tolist(),
        "bias": layer.bias.tolist(),
    }
    if layer.gate is None:
        return document | {"shift": layer.shift}
    gate = {"gate_weights": layer.gate.weights.tolist(), "gate_bias": layer.gate.bias.tolist()}
    return document | gate


def input_plane_count(*, sight: bool) -> int:
    """13, or 31 with the planes of sight."""
    return INPUT_PLANES + (SIGHT_PLANES if sight else 0)


def feature_count(layers: Sequence[Layer], *, sight: bool = False) -> int:
    """Features at a square: the input planes and the outputs of all `layers`."""
    return input_plane_count(sight=sight) + sum(len(layer.bias) for layer in layers)


def _json(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            object_pairs_hook=_unique_keys,
        )
    except UnicodeDecodeError as error:
        raise InvalidNet(f"the file is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InvalidNet(f"the file is not JSON ({error.msg} at byte {error.pos})") from None
    except RecursionError:
        raise InvalidNet("the JSON is nested too deeply") from None
    except ValueError:  # CPython refuses to parse integers of more than 4,300 digits
        raise InvalidNet("the JSON holds an absurdly long number") from None


def _refuse_number(text: str) -> Any:
    raise InvalidNet(f"all numbers must be integers, found {text[:20]}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidNet("a JSON object repeats a key")
    return fields


def _object(value: Any, keys: Collection[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise InvalidNet(f"{where} must be an object with exactly the keys {', '.join(keys)}")
    return value


def _layers(value: Any, *, sight: bool) -> tuple[Layer, ...]:
    if not isinstance(value, list) or len(value) > MAX_LAYERS:
        raise InvalidNet(f'"layers" must be a list of at most {MAX_LAYERS}')
    layers: list[Layer] = []
    for k, item in enumerate(value):
        inputs = feature_count(layers, sight=sight)
        layers.append(_layer(item, inputs=inputs, where=f"layer {k}"))
    return tuple(layers)


def _layer(value: Any, *, inputs: int, where: str) -> Layer:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in ("relu", "gate"):
        raise InvalidNet(f'{where} must be an object whose "kind" is "relu" or "gate"')
    own = ("shift",) if kind == "relu" else ("gate_weights", "gate_bias")
    fields = _object(value, ("kind", "taps", "weights", "bias", *own), where)
    taps = _taps(fields["taps"], where)
    if not isinstance(fields["bias"], list) or not 1 <= len(fields["bias"]) <= MAX_CHANNELS:
        raise InvalidNet(f"{where} must have 1 to {MAX_CHANNELS} biases")
    outputs = len(fields["bias"])
    shape = (outputs, inputs, len(taps))
    weights = _integers(fields["weights"], shape, MAX_WEIGHT, f"{where} weights")
    bias = _integers(fields["bias"], (outputs,), MAX_BIAS, f"{where} bias")
    if kind == "relu":
        return Layer(taps, weights, bias, _natural(fields["shift"], MAX_SHIFT, f"{where} shift"))
    gate = Gate(
        weights=_integers(fields["gate_weights"], shape, MAX_WEIGHT, f"{where} gate weights"),
        bias=_integers(fields["gate_bias"], (outputs,), MAX_BIAS, f"{where} gate bias"),
    )
    return Layer(taps, weights, bias, 0, gate)


def _taps(value: Any, where: str) -> tuple[tuple[int, int], ...]:
    count = len(value) if isinstance(value, list) else 0
    if not 1 <= count <= 15 * 15:
        raise InvalidNet(f"{where} must have 1 to 225 taps")
    steps = _integers(value, (count, 2), 7, f"{where} taps")
    taps = tuple((int(files), int(ranks)) for files, ranks in steps)
    if len(set(taps)) != count:
        raise InvalidNet(f"{where} repeats a tap")
    return taps


def _head(value: Any, *, features: int) -> Head:
    fields = _object(value, ("from", "to", "piece", "bias"), "the head")
    shape = (MOVE_TYPES, features)
    return Head(
        from_weights=_integers(fields["from"], shape, MAX_WEIGHT, 'head "from"'),
        to_weights=_integers(fields["to"], shape, MAX_WEIGHT, 'head "to"'),
        piece_weights=_integers(fields["piece"], (PIECES, features), MAX_WEIGHT, 'head "piece"'),
        bias=_integers(fields["bias"], (POLICY_SIZE,), MAX_BIAS, 'head "bias"'),
    )


def _natural(value: Any, limit: int, where: str) -> int:
    number = int(_integers(value, (), limit, where).item())
    if number < 0:
        raise InvalidNet(f"{where} is negative")
    return number


def _integers(value: Any, shape: tuple[int, ...], limit: int, where: str) -> IntArray:
    """`value` as an array of `shape`; every entry an integer of magnitude at most `limit`."""
    flat: list[int] = []
    _flatten(value, shape, limit, where, flat)
    array = np.array(flat, dtype=np.int64).reshape(shape)
    array.flags.writeable = False
    return array


def _flatten(value: Any, shape: tuple[int, ...], limit: int, where: str, flat: list[int]) -> None:
    if not shape:
        if type(value) is not int:  # bool is an int to isinstance
            raise InvalidNet(f"{where} must hold integers")
        if abs(value) > limit:
            raise InvalidNet(f"{where} must stay within ±{limit}")
        flat.append(value)
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        found = f"{len(value)} entries" if isinstance(value, list) else "no list"
        raise InvalidNet(f"{where} must be a list of {shape[0]} here, found {found}")
    for item in value:
        _flatten(item, shape[1:], limit, where, flat)
