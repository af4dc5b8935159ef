"""Small ONNX nets, their ezkl keys and real proofs, shared by all tests of a machine.

Keys and proofs are content, so they are made once and kept below the repository's .cache folder.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import chess
import numpy as np

from engine.encoding import Position
from engine.export import Heads, TemplateWeights, to_onnx
from engine.net_file import IntArray
from engine.policy_map import legal_mask
from proofs.ezkl_folder import shipped_net
from proofs.ezkl_prover import EzklProver, import_net
from proofs.statement import Statement

CACHE: Final = Path(__file__).resolve().parents[2] / ".cache" / "ezkl"
PAYEE: Final = 0x5555555555555555555555555555555555555555
DICE: Final = 2**127 + 12345


@dataclass(frozen=True)
class Proven:
    """A net's folder, and a proof of what it plays."""

    folder: Path
    statement: Statement
    proof: bytes


def tiny_net(seed: int) -> TemplateWeights:
    """A net without a plan, with weights of both signs: the smallest that has every part."""
    rng = np.random.default_rng(seed)
    heads = Heads(by_piece=False)

    def whole(*shape: int, size: int = 40) -> IntArray:
        return rng.integers(-size, size + 1, size=shape, dtype=np.int64)

    return TemplateWeights(
        embed=whole(12, 2),
        hidden=whole(128, 4),
        hidden_bias=whole(4, size=1000),
        out=whole(4, heads.outputs),
        out_bias=whole(heads.outputs, size=100_000),
        skip=whole(12, 2, size=100_000),
    )


def position() -> tuple[Position, int]:
    """A position with a promotion, captures, castling and en passant, and its legal mask."""
    board = chess.Board("r3k2r/P2p1ppp/2n2n2/1pPP4/4P3/2N2N2/5PPP/R3K2R w KQkq b6 0 15")
    return Position.of(board), legal_mask(board)


def statement_for(heads: Heads, outputs: IntArray) -> Statement:
    here, mask = position()
    return Statement.of(here, mask, heads.choose(outputs, here.board, mask), payee=PAYEE, dice=DICE)


@cache
def folder_of(seed: int, *, store: str = "first") -> Path:
    """The folder of a tiny net; stores have their own SRS."""
    data = to_onnx(tiny_net(seed))
    net = CACHE / f"{hashlib.sha256(data).hexdigest()[:16]}.onnx"
    with _locked():
        net.write_bytes(data)
        return import_net(net, CACHE / store)


@cache
def rook_folder() -> Path:
    """The folder of the shipped rook."""
    with _locked():
        return import_net(shipped_net("rook"), CACHE / "first")


@cache
def proven(seed: int, *, store: str = "first") -> Proven:
    """A real proof of what a tiny net plays in `position`."""
    folder = folder_of(seed, store=store)
    here, _ = position()
    statement = statement_for(Heads(by_piece=False), tiny_net(seed).outputs(here.board))
    name = hashlib.sha256(f"{folder.name} {statement}".encode()).hexdigest()[:16]
    kept = folder.parent / f"proof-{name}"
    with _locked():
        if not kept.exists():
            with EzklProver(folder) as prover:
                proof = prover.prove(statement).proof
            partial = kept.with_suffix(".tmp")
            partial.write_bytes(proof)
            partial.replace(kept)
    return Proven(folder, statement, kept.read_bytes())


@contextmanager
def _locked() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
