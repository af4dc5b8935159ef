"""A net of your own to start from: trained here, exported to ONNX, proven by ezkl.

    codes 0..12 --> one-hot 12 --> embed d --> dense h, ReLU --> dense --+--> outputs
                        |                                                |
                        +------- a table, the same for all squares ------+

The table gives every piece a say about its own square ("a queen stands there: take it"); the dense
layers see the whole board.  `engine.export` draws input and outputs.

The parameters are floats; their rounded multiples are the whole numbers that a proof is about.
Nothing is shifted or rounded on the way: values grow, but stay far below 2^24, up to where float32
is exact, so that torch, numpy and the proof agree to the last digit.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, pad, relu

from engine.errors import EngineError
from engine.export import PIECE_CODES, SQUARES, Heads, TemplateWeights, to_onnx
from engine.net_file import IntArray
from engine.policy_map import FROM_SQUARE, MOVES, TO_SQUARE
from engine.train.batch import Batch, make_batch
from engine.train.data import Progress, Shard, load_data, silent
from engine.train.model import round_through

EMBED_SCALE: Final = 16
DENSE_SCALE: Final = 64
HIDDEN_SCALE: Final = EMBED_SCALE * DENSE_SCALE
OUTPUT_SCALE: Final = HIDDEN_SCALE * DENSE_SCALE


@dataclass(frozen=True)
class TemplateShape:
    """How large the net is: rows of the proof are about 64 d h + h outputs."""

    embed: int = 4
    hidden: int = 112
    by_piece: bool = False

    @property
    def heads(self) -> Heads:
        return Heads(by_piece=self.by_piece)


@dataclass(frozen=True)
class TemplateOptions:
    """How a template net is trained."""

    seed: int = 1
    epochs: int = 4
    batch: int = 512
    rate: float = 3e-3
    float_share: float = 0.5  # of the run, before rounding starts
    holdout: int = 5000
    threads: int = 1


class TemplateNet(nn.Module):
    """Piece codes (n, 64) to outputs (n, 131 or 451), in whole numbers once `rounding` is set."""

    def __init__(self, shape: TemplateShape) -> None:
        super().__init__()
        self.shape = shape
        self.rounding = True
        inputs, outputs = SQUARES * shape.embed, shape.heads.outputs
        self.embed = nn.Parameter(torch.randn(PIECE_CODES, shape.embed) * 0.5)
        self.hidden = nn.Parameter(torch.randn(inputs, shape.hidden) * 4 / math.sqrt(inputs))
        self.hidden_bias = nn.Parameter(torch.zeros(shape.hidden))
        self.out = nn.Parameter(torch.randn(shape.hidden, outputs) / math.sqrt(shape.hidden))
        self.out_bias = nn.Parameter(torch.zeros(outputs))
        self.skip = nn.Parameter(torch.zeros(PIECE_CODES, 1 + shape.heads.to_rows))

    def forward(self, codes: Tensor) -> Tensor:
        onehot = (codes[:, :, None] == torch.arange(1, PIECE_CODES + 1)).float()
        seen = (onehot @ self._whole(self.embed, EMBED_SCALE)).flatten(1)
        sums = seen @ self._whole(self.hidden, DENSE_SCALE)
        acts = relu(sums + self._whole(self.hidden_bias, HIDDEN_SCALE))
        outputs = acts @ self._whole(self.out, DENSE_SCALE)
        outputs = outputs + self._whole(self.out_bias, OUTPUT_SCALE)
        own = (onehot @ self._whole(self.skip, OUTPUT_SCALE)).transpose(1, 2).flatten(1)
        return outputs + pad(own, (0, outputs.shape[1] - own.shape[1]))

    def to_weights(self) -> TemplateWeights:
        """The whole numbers that this net computes with."""
        return TemplateWeights(
            embed=_integers(self.embed, EMBED_SCALE),
            hidden=_integers(self.hidden, DENSE_SCALE),
            hidden_bias=_integers(self.hidden_bias, HIDDEN_SCALE),
            out=_integers(self.out, DENSE_SCALE),
            out_bias=_integers(self.out_bias, OUTPUT_SCALE),
            skip=_integers(self.skip, OUTPUT_SCALE),
        )

    def _whole(self, parameter: Tensor, scale: int) -> Tensor:
        return round_through(parameter * scale) if self.rounding else parameter * scale


class MoveLogits(nn.Module):
    """Outputs (n, 131 or 451) and codes (n, 64) to the 1858 logits, as `Heads.logits` has it."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.by_piece = heads.by_piece
        kinds = [{None: 3, 5: 0, 4: 1, 3: 2}[move.promotion] for move in MOVES]
        self.from_square = torch.from_numpy(FROM_SQUARE)
        self.to_square = torch.from_numpy(TO_SQUARE) + SQUARES
        self.promotion = torch.tensor(kinds)

    def forward(self, outputs: Tensor, codes: Tensor) -> Tensor:
        if self.by_piece:
            rows = (codes.long()[:, self.from_square] - 1) % 6
            reached = outputs.gather(1, self.to_square + SQUARES * rows)
        else:
            reached = outputs[:, self.to_square]
        promoted = pad(outputs[:, -3:], (0, 1))[:, self.promotion]
        return outputs[:, self.from_square] + reached + promoted


def train_template(
    data: Shard,
    shape: TemplateShape,
    options: TemplateOptions = TemplateOptions(),
    *,
    progress: Progress = silent,
) -> TemplateNet:
    """A net trained on labelled positions; the same on one machine for the same options."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    net, judge = TemplateNet(shape), MoveLogits(shape.heads)
    rng = np.random.default_rng(options.seed)
    order = rng.permutation(len(data))
    held_out, kept = np.split(order, [min(options.holdout, len(data) // 10)])
    steps = max(1, len(kept) // options.batch)
    total, step = steps * options.epochs, 0
    optimizer = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.9, 0.99))
    for _ in range(options.epochs):
        order = rng.permutation(kept)
        for rows in np.array_split(order[: steps * options.batch], steps):
            net.rounding = step >= options.float_share * total
            optimizer.param_groups[0]["lr"] = options.rate * _schedule(step / total)
            loss = _loss(net, judge, make_batch(data, rows, sight=False))[0]
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
            if step % 100 == 0:
                progress(step, total, f"steps, loss {loss.item():.3f}")
        net.rounding = True
        with torch.no_grad():
            batch = make_batch(data, held_out, sight=False)
            loss, agreement = _loss(net, judge, batch)
        progress(step, total, f"steps, held out: loss {loss:.3f}, agreement {agreement:.1%}")
    return net


def _loss(net: TemplateNet, judge: MoveLogits, batch: Batch) -> tuple[Tensor, float]:
    """Cross-entropy with the teacher's moves, and how often the net plays the first of them."""
    numbers = torch.arange(1.0, PIECE_CODES + 1)[:, None]
    codes = (batch.planes[:, :PIECE_CODES].flatten(2) * numbers).sum(1)
    logits = judge(net(codes) / OUTPUT_SCALE, codes).masked_fill(~batch.legal, -1e9)
    chosen = log_softmax(logits, dim=1).gather(1, batch.index)
    agreement = (logits.argmax(1) == batch.index[:, 0]).float().mean().item()
    return -(batch.target * chosen).sum(1).mean(), agreement


def _schedule(done: float) -> float:
    """A short warm-up, then half a cosine down to 1 %."""
    return min(1.0, done * 50) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def _integers(parameter: Tensor, scale: int) -> IntArray:
    values: IntArray = (parameter.detach() * scale).round().to(torch.int64).numpy()
    return values


def main(arguments: list[str] | None = None) -> int:
    """Train a net and write its ONNX file."""
    parser = argparse.ArgumentParser(prog="python -m engine.train.template", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("training/data"))
    parser.add_argument("--out", type=Path, default=Path("my.onnx"))
    parser.add_argument("--embed", type=int, default=TemplateShape.embed)
    parser.add_argument("--hidden", type=int, default=TemplateShape.hidden)
    parser.add_argument("--by-piece", action="store_true", help="451 outputs instead of 131")
    parser.add_argument("--epochs", type=int, default=TemplateOptions.epochs)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    shape = TemplateShape(args.embed, args.hidden, args.by_piece)
    options = TemplateOptions(seed=args.seed, epochs=args.epochs, threads=args.threads)
    try:
        net = train_template(load_data(args.folder), shape, options, progress=_print_progress)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    data = to_onnx(net.to_weights())
    args.out.write_bytes(data)
    print(f"{args.out}: {len(data)} bytes")
    return 0


def _print_progress(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
