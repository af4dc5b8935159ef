"""An ONNX bot outside of an arena, where other chess programs meet it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.encoding import Position
from engine.ladder_players import MoverSeat, Seat
from engine.player import Mover
from proofs.bench_ezkl import folder_of_bot
from proofs.ezkl_bots import name_of_file, store_of
from proofs.ezkl_build import Manifest
from proofs.ezkl_prover import EzklProver, import_net


@dataclass(frozen=True)
class OnnxBot:
    """A bot that ezkl proves; its moves come from the circuit's own witness, as in an arena."""

    name: str
    folder: Path

    @property
    def identity(self) -> str:
        return f"{self.name} {Manifest.read(self.folder).net_hash}"

    @contextmanager
    def mover(self) -> Iterator[Mover]:
        with EzklProver(self.folder) as prover:

            def move(position: Position, mask: int) -> int:
                return prover.choose(position.board, position.context, mask)

            yield move

    @contextmanager
    def open(self) -> Iterator[Seat]:
        with self.mover() as mover:
            yield MoverSeat(lambda _seed: mover)


def bot_of_file(net: Path, *, data: Path, say: Callable[[str], None]) -> OnnxBot:
    """The bot of an ONNX file, which is imported if it was not yet.  Raises ProofError, OSError."""
    return OnnxBot(name_of_file(net), import_net(net, store_of(data), progress=say))


def bot_of_name(bot: str, *, data: Path, say: Callable[[str], None]) -> OnnxBot:
    """A bot that was added, or one that comes with the package.  Raises InvalidNet, ProofError."""
    return OnnxBot(bot, folder_of_bot(bot, data=data, tell=say))
