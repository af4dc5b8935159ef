"""What a net computes, from its definition alone: plain integers, loop by loop, slowly.

Nothing here uses the tables and products of the engine, so that both can be compared.
"""

import hashlib
from collections.abc import Iterator

from engine.net import NetSpec
from engine.net_file import Gate, Layer
from engine.policy_map import MOVE_TYPE, MOVES

Table = list[list[int]]

_STRAIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
_DIAGONAL = ((1, 1), (1, -1), (-1, -1), (-1, 1))
_KNIGHT = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
_LINES = {"B": _DIAGONAL, "R": _STRAIGHT, "Q": _STRAIGHT + _DIAGONAL}
_STEPS = {"N": _KNIGHT, "K": _STRAIGHT + _DIAGONAL}


def naive_codes(word: int) -> list[int]:
    """The nibbles of a board word, a1 first."""
    return [word >> 4 * square & 15 for square in range(64)]


def naive_logits(net: NetSpec, word: int, dice: int = 0, earlier: int = 0) -> list[int]:
    """The 1858 logits."""
    codes = naive_codes(word)
    features = [[int(code == p + 1) for code in codes] for p in range(12)] + [[1] * 64]
    if net.sight:
        features += naive_sight(codes)
    for layer in net.layers:
        features += _outputs(layer, features)
    amplitude = net.noise + earlier * net.repeat_noise
    return [
        _logit(net, features, codes, index) + amplitude * _noise(dice, index)
        for index in range(len(MOVES))
    ]


def naive_sight(codes: list[int]) -> Table:
    """The 18 planes of sight: every piece walks from its square and is counted where it comes."""
    planes = [[0] * 64 for _ in range(18)]

    def count(plane: int, squares: Iterator[int]) -> None:
        for square in squares:
            planes[plane][square] += 1

    for square, code in enumerate(codes):
        if not code:
            continue
        own, piece = code <= 6, "PNBRQK"[(code - 1) % 6]
        plane = "PNBRQK".index(piece) + (0 if own else 6)
        count(plane, _attacked(codes, square, piece, forward=1 if own else -1))
        if piece == "K":
            count(12 if own else 14, _slides(codes, square, _DIAGONAL))
            count(13 if own else 15, _slides(codes, square, _STRAIGHT))
        if code == 12:
            count(16, _stepped(square, _KNIGHT))
            count(17, _stepped(square, ((-1, -1), (1, -1))))
    return planes


def _attacked(codes: list[int], square: int, piece: str, *, forward: int) -> Iterator[int]:
    if piece == "P":
        return _stepped(square, ((-1, forward), (1, forward)))
    if piece in _STEPS:
        return _stepped(square, _STEPS[piece])
    return _slides(codes, square, _LINES[piece])


def _stepped(square: int, steps: tuple[tuple[int, int], ...]) -> Iterator[int]:
    for files, ranks in steps:
        file, rank = square % 8 + files, square // 8 + ranks
        if 0 <= file < 8 and 0 <= rank < 8:
            yield 8 * rank + file


def _slides(codes: list[int], square: int, lines: tuple[tuple[int, int], ...]) -> Iterator[int]:
    """Along each line over empty squares, up to and including the first occupied one."""
    for line in lines:
        at = square
        while found := list(_stepped(at, (line,))):
            (at,) = found
            yield at
            if codes[at]:
                break


def _outputs(layer: Layer, features: Table) -> Table:
    x = _sums(layer.taps, layer, features)
    if layer.gate is None:
        return [[max(value, 0) >> layer.shift for value in row] for row in x]
    g = _sums(layer.taps, layer.gate, features)
    return [[a * b for a, b in zip(*rows, strict=True)] for rows in zip(x, g, strict=True)]


def _sums(taps: tuple[tuple[int, int], ...], part: Layer | Gate, features: Table) -> Table:
    outputs = []
    for weights, bias in zip(part.weights.tolist(), part.bias.tolist(), strict=True):
        row = []
        for square in range(64):
            total = bias
            for t, tap in enumerate(taps):
                for seen in _stepped(square, (tap,)):
                    total += sum(w[t] * f[seen] for w, f in zip(weights, features, strict=True))
            row.append(total)
        outputs.append(row)
    return outputs


def _logit(net: NetSpec, features: Table, codes: list[int], index: int) -> int:
    move, kind, head = MOVES[index], MOVE_TYPE[index], net.head
    logit = int(head.bias[index])
    logit += _dot(head.from_weights[kind].tolist(), features, move.from_square)
    logit += _dot(head.to_weights[kind].tolist(), features, move.to_square)
    code = codes[move.from_square]
    if 1 <= code <= 6 and "PNBRQK"[code - 1] in naive_movers(index):
        logit += _dot(head.piece_weights[code - 1].tolist(), features, move.to_square)
    return logit


def _noise(dice: int, index: int) -> int:
    return sum(sign * (1 if dice >> place & 1 else -1) for place, sign in naive_coins()[index])


def _dot(weights: list[int], features: Table, square: int) -> int:
    return sum(w * f[square] for w, f in zip(weights, features, strict=True))


def naive_movers(index: int) -> str:
    """Which of P N B R Q K could make a move by geometry."""
    move = MOVES[index]
    files = move.to_square % 8 - move.from_square % 8
    ranks = move.to_square // 8 - move.from_square // 8
    if move.promotion:
        return "P"
    if (files, ranks) in _KNIGHT:
        return "N"
    found = "RQ" if 0 in (files, ranks) else "BQ"
    found += "K" if (files, ranks) in _STEPS["K"] else ""
    double = (files, ranks) == (0, 2) and 8 <= move.from_square < 16
    return found + ("P" if double or (files, ranks) in ((-1, 1), (0, 1), (1, 1)) else "")


_COINS: list[list[tuple[int, int]]] = []


def naive_coins() -> list[list[tuple[int, int]]]:
    """The places and signs of every index, read off the stream."""
    if not _COINS:
        stream = hashlib.shake_256(b"checkproof/dice-noise/1").digest(100_000)
        at = 0
        for _ in MOVES:
            row: list[tuple[int, int]] = []
            while len(row) < 16:
                place, sign = stream[at] % 128, -1 if stream[at] >= 128 else 1
                at += 1
                if place not in [taken for taken, _ in row]:
                    row.append((place, sign))
            _COINS.append(row)
    return _COINS
