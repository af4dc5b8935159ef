"""Quantisation-aware training of a house net from labelled positions.

The target of a position is a softmax over Stockfish's scores of its best moves; illegal moves are
masked.  The first part of the run trains in floats, the rest with all rounding in place.  A
penalty keeps the static bounds of the layers' sums, and of the logits, within the shape's bits:
bounds are what a proof pays for.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import log_softmax, softmax

from engine.errors import InvalidNet
from engine.net import NetSpec
from engine.net_file import is_name
from engine.train.batch import TEMPERATURE, Batch, make_batch
from engine.train.data import Progress, Shard, load_data, silent
from engine.train.grow import grow
from engine.train.model import NetShape, PolicyNet, TapLayer

_UNSEEN: Final = 0.08  # points beyond the worst labelled move's
_COARSE: Final = 0.9  # of the run, if sums may be coarse: the last steps are exact
_LONGEST_STEP: Final = 1.0  # of the gradient's norm
_TOLD: Final = 50  # steps between two lines about the loss
_SAVED: Final = 500  # steps between two checkpoints; a multiple of _TOLD, so no losses wait then


def fastest_device() -> torch.device:
    """An accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class TrainOptions:
    """How a net is trained."""

    seed: int = 1
    epochs: int = 2
    batch: int = 512
    rate: float = 0.002
    temperature: float = TEMPERATURE
    float_share: float = 0.5  # of the run, before rounding starts
    penalty: float = 0.02  # of each bit too many, in nats
    regret: float = 0.0  # weight of what the net's moves give away, in nats a point
    holdout: int = 5000  # positions, but at most a tenth of them
    threads: int = 1
    bfloat16: bool = False  # for the sums of all but the last steps: faster where it is built in
    shape: NetShape = field(default_factory=NetShape)
    grown_from: Path | None = None  # a smaller net's file
    seed_shape: NetShape | None = None  # the scales of that net, if others than the shape's
    device: torch.device = field(default_factory=fastest_device)


@dataclass(frozen=True)
class Quality:
    """How a net does on positions it was not trained on."""

    loss: float
    agreement: float  # share of positions where it plays Stockfish's first choice

    def __str__(self) -> str:
        return f"loss {self.loss:.3f}, agreement {self.agreement:.1%}"


class Trainer:
    """One training run; its state can be saved and taken up again."""

    def __init__(self, data: Shard, options: TrainOptions) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.options = options
        torch.backends.cudnn.allow_tf32 = False  # sums of whole numbers have to be exact
        net = PolicyNet(options.shape)
        initialise(net)
        if options.grown_from is not None:
            grow(net, NetSpec.load(options.grown_from), seed_shape=options.seed_shape)
        self.net = net.to(options.device)
        order = np.random.default_rng(options.seed).permutation(len(data))
        held_out = min(options.holdout, len(data) // 10)
        self.held_out, self.kept = order[:held_out], order[held_out:]
        self.data = data
        self.steps_per_epoch = max(1, len(self.kept) // options.batch)
        self.total = self.steps_per_epoch * options.epochs
        self.step = 0
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=options.rate, betas=(0.9, 0.99))

    def epoch(self) -> Iterator[float]:
        """Train on what is left of every position once; yields the loss after each step."""
        epoch, begun = divmod(self.step, self.steps_per_epoch)
        order = np.random.default_rng((self.options.seed, epoch)).permutation(self.kept)
        size = self.options.batch
        for start in range(begun * size, self.steps_per_epoch * size, size):
            yield self._train(self._batch(order[start : start + size]))

    def quality(self) -> Quality:
        """The rounded net's quality on the held-out positions."""
        rounding, self.net.rounding = self.net.rounding, True
        with torch.no_grad():
            batch = self._batch(self.held_out)
            logits = self._logits(batch)
            agreement = (logits.argmax(1) == batch.index[:, 0]).float().mean().item()
            loss = _cross_entropy(logits, batch).item()
        self.net.rounding = rounding
        return Quality(loss, agreement)

    def save(self, path: Path) -> None:
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        partial = path.with_suffix(".tmp")
        torch.save(state, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(
            path, map_location=self.options.device, weights_only=True
        )
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        options = self.options
        return make_batch(
            self.data,
            rows,
            sight=options.shape.sight,
            temperature=options.temperature,
            device=options.device,
        )

    def _train(self, batch: Batch) -> float:
        done = self.step / self.total
        self.net.rounding = done >= self.options.float_share
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate * _schedule(done)
        coarse = self.options.bfloat16 and done < _COARSE
        with torch.autocast(self.options.device.type, torch.bfloat16, enabled=coarse):
            logits = self._logits(batch).float()
        loss = _cross_entropy(logits, batch)
        aim = loss + self.options.penalty * self._excess()
        if self.options.regret:
            aim = aim + self.options.regret * regret(logits, batch)
        self.optimizer.zero_grad()
        aim.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), _LONGEST_STEP)
        self.optimizer.step()
        self.net.clamp()
        self.step += 1
        return loss.item()

    def _logits(self, batch: Batch) -> Tensor:
        logits: Tensor = self.net(batch.planes)
        return logits.masked_fill(~batch.legal, -1e9)

    def _excess(self) -> Tensor:
        """How many bits the static bounds have too many, the mean over each layer's channels."""
        bounds, shape = self.net.bounds(), self.options.shape
        excess = (bounds.logit_span.log2() - shape.logit_bits).clamp(min=0)
        for layer, pre in zip(shape.layers, bounds.pre, strict=True):
            excess = excess + (pre.clamp(min=1).log2() - (layer.bits - 1)).clamp(min=0).mean()
        return excess


def train_net(
    name: str,
    *,
    data: Path,
    out: Path,
    work: Path,
    options: TrainOptions = TrainOptions(),
    progress: Progress | None = None,
) -> NetSpec:
    """Train a net on the shards in folder `data` and write its file to `out`.

    A checkpoint in folder `work` is written every few minutes and taken up if there is one.  Beside
    `out` lie OUT.report.json, the quality that was reached, and OUT.curve.jsonl, the way there.
    Raises NoTrainingData; InvalidNet for a name that no net can have.
    """
    if not is_name(name):
        raise InvalidNet(f"{name!r} is no name for a net: a-z, 0-9 and -, a letter first")
    report = progress or silent
    out.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(load_data(data), options)
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = work / f"{name}-{options.seed}.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
    curve = Curve(out.with_suffix(".curve.jsonl"), trainer)
    while trainer.step < trainer.total:
        for loss in trainer.epoch():
            curve.add(loss)
            if trainer.step % _TOLD == 0:
                report(trainer.step, trainer.total, f"steps, loss {loss:.3f}")
            if trainer.step % _SAVED == 0 or trainer.step == trainer.total:
                seen = curve.look()  # first: a line that no checkpoint knows is written again
                trainer.save(checkpoint)
                report(trainer.step, trainer.total, f"steps, held out: {seen}")
    spec = NetSpec.from_bytes(trainer.net.to_spec(name).to_bytes())
    out.write_bytes(spec.to_bytes())
    reached = {"net": spec.hash, "positions": trainer.step * options.batch}
    quality = asdict(trainer.quality())
    out.with_suffix(".report.json").write_text(json.dumps(reached | quality) + "\n", "utf-8")
    return spec


class Curve:
    """A run's losses, and now and then its quality, as lines {"step", "loss"[, "held_out",
    "agreement"]}."""

    def __init__(self, path: Path, trainer: Trainer) -> None:
        self._trainer = trainer
        self._losses: list[float] = []
        self._path = path
        kept = _lines_up_to(path, trainer.step)
        path.write_text("".join(kept), "utf-8")

    def add(self, loss: float) -> None:
        self._losses.append(loss)
        if self._trainer.step % _TOLD == 0:
            self._write({"loss": round(sum(self._losses) / len(self._losses), 4)})
            self._losses.clear()

    def look(self) -> Quality:
        quality = self._trainer.quality()
        held_out, agreement = round(quality.loss, 4), round(quality.agreement, 4)
        self._write({"held_out": held_out, "agreement": agreement})
        return quality

    def _write(self, said: dict[str, float]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self._trainer.step, **said}) + "\n")


def _lines_up_to(path: Path, step: int) -> list[str]:
    """What an earlier part of the run wrote, without what its checkpoint does not know.

    Half a line is the last of a run that was killed.
    """
    if not step or not path.exists():
        return []
    lines = path.read_text("utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return [line for line in whole if json.loads(line)["step"] <= step]


def initialise(net: PolicyNet) -> None:
    """Random weights of a size that keeps the features near 1."""
    with torch.no_grad():
        for layer in net.layers:
            assert isinstance(layer, TapLayer)
            _outputs, inputs, taps = layer.weights.shape
            layer.weights.normal_(0, (inputs * taps) ** -0.5)
            layer.bias.normal_(0, 0.1)
        for rows in (net.from_weights, net.to_weights, net.piece_weights):
            rows.normal_(0, 0.02)


def _cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    chosen = log_softmax(logits, dim=1).gather(1, batch.index)
    return -(batch.target * chosen).sum(1).mean()


def regret(logits: Tensor, batch: Batch) -> Tensor:
    """The points of a game that a net gives away if it draws its moves by its logits, on average.

    A legal move without a label gives away a little more than the worst that has one.
    """
    shares = softmax(logits, dim=1).gather(1, batch.index) * (batch.target > 0)
    unseen = batch.lost.amax(1) + _UNSEEN
    return ((shares * batch.lost).sum(1) + (1 - shares.sum(1)) * unseen).mean()


def _schedule(done: float) -> float:
    """A short warm-up, then half a cosine down to 1 %."""
    return min(1.0, done * 50) * (0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1.0))) / 2)
